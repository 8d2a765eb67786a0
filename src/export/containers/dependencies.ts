import type { ExportedProcess } from '../input.ts'
import { completes } from '../shell.ts'

type Condition = 'started' | 'ready' | 'completed'

/**
 * Returns what the process waits for, by the rules of `up`: the declared dependencies, and every release process that does
 * not need this process itself. A process that runs to completion is ready when it has completed.
 */
export function dependenciesOf(
  exported: ExportedProcess,
  all: readonly ExportedProcess[],
): Readonly<Record<string, Condition>> {
  const releases =
    exported.run === 'release'
      ? []
      : all.filter((other) => other.run === 'release' && !needs(other, exported.name, all, new Set()))
  const declared = Object.entries(exported.dependsOn).flatMap(([name, condition]) => {
    const other = all.find((one) => one.name === name)
    if (!other || other.schedule !== null) return []
    return [[name, completes(other) && condition === 'ready' ? 'completed' : condition] as const]
  })
  return {
    ...Object.fromEntries(releases.map(({ name }) => [name, 'completed' as const])),
    ...Object.fromEntries(declared),
  }
}

function needs(
  { dependsOn }: ExportedProcess,
  name: string,
  all: readonly ExportedProcess[],
  seen: ReadonlySet<string>,
): boolean {
  return Object.keys(dependsOn).some((next) => {
    const other = all.find((one) => one.name === next)
    if (next === name) return true
    return other !== undefined && !seen.has(next) && needs(other, name, all, new Set([...seen, next]))
  })
}
