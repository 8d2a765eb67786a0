import { type CompletionFacts, runsToCompletion } from './completion.ts'

export type Condition = 'started' | 'ready' | 'completed'

export type Dependencies = Readonly<Record<string, Condition>>

/** A process with the processes that it depends on. */
export interface Dependent {
  readonly name: string
  readonly run: CompletionFacts['run']
  readonly dependsOn: Dependencies
}

/**
 * Returns the declared dependencies of a process and the implied ones: every process waits for the release jobs, except
 * for those that depend on it.
 *
 * @param isPending Tells whether a release job must still be waited for. Default: all of them.
 */
export function dependenciesOf(
  dependent: Dependent,
  all: readonly Dependent[],
  isPending: (name: string) => boolean = () => true,
): Dependencies {
  if (dependent.run === 'release') return dependent.dependsOn
  const jobs = all.filter(({ name, run }) => run === 'release' && isPending(name))
  if (jobs.length === 0) return dependent.dependsOn
  const byName = new Map(all.map((other) => [other.name, other]))
  const awaited = jobs.filter((job) => !dependsOn(job, dependent.name, byName))
  return { ...Object.fromEntries(awaited.map(({ name }) => [name, 'completed' as const])), ...dependent.dependsOn }
}

/** Tells whether a process depends on another process, directly or not. */
function dependsOn(
  { dependsOn: declared }: Dependent,
  name: string,
  byName: ReadonlyMap<string, Dependent>,
  seen: Set<string> = new Set(),
): boolean {
  return Object.keys(declared).some((next) => {
    if (next === name) return true
    const other = byName.get(next)
    if (!other || seen.has(next)) return false
    seen.add(next)
    return dependsOn(other, name, byName, seen)
  })
}

/**
 * Returns the condition that a dependency waits for; null for no condition.
 *
 * A process that runs to completion is ready when it has completed. A scheduled process is ready at any time, because it
 * may not run for days.
 */
export function awaitedCondition(awaited: CompletionFacts, declared: Condition): Condition | null {
  if (declared === 'completed') return declared
  if (awaited.schedule !== null) return null
  return declared === 'ready' && runsToCompletion(awaited) ? 'completed' : declared
}
