import type { ExportedProcess } from '../input.ts'

/** Numbers each process by its longest chain of dependencies: 0 for a process that depends on nothing. */
export function ranks(processes: readonly ExportedProcess[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  const rank = (name: string): number => {
    const known = found.get(name)
    if (known !== undefined) return known
    const exported = processes.find((candidate) => candidate.name === name)
    if (!exported) return -1
    const own = Math.max(-1, ...Object.keys(exported.dependsOn).map(rank)) + 1
    found.set(name, own)
    return own
  }
  for (const { name } of processes) rank(name)
  return found
}
