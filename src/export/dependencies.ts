import { awaitedCondition, type Dependencies, dependenciesOf } from '../core/dependencies.ts'
import type { ExportedProcess } from './input.ts'

/**
 * Returns the exported processes that a process waits for, as under `up`. Scheduled processes are left out: no target can
 * wait for their next run.
 */
export function exportedDependencies(exported: ExportedProcess, all: readonly ExportedProcess[]): Dependencies {
  const entries = Object.entries(dependenciesOf(exported, all)).flatMap(([name, declared]) => {
    const other = all.find((one) => one.name === name)
    if (!other || other.schedule !== null) return []
    const condition = awaitedCondition(other, declared)
    return condition === null ? [] : [[name, condition] as const]
  })
  return Object.fromEntries(entries)
}

/** Says why the files cannot make a process wait for a dependency; undefined if they can. */
export function whyNotAwaited(name: string, processes: readonly ExportedProcess[]): string | undefined {
  const other = processes.find((one) => one.name === name)
  if (other?.schedule === null) return undefined
  const because = other ? 'runs on a schedule' : 'is not part of this export'
  return `This process does not wait for ${JSON.stringify(name)}, which ${because}.`
}
