import { type Dependencies, dependenciesOf } from '../../core/dependencies.ts'
import type { ProcessSpec } from '../spec.ts'
import type { ProcessState } from './state.ts'
import { currentsOf, isFailing, isMoving, phaseOf, type Processes, satisfies } from './views.ts'

/** Returns the names of unmet dependencies; none if the process may start. */
export function unmetDependencies(processes: Processes, spec: ProcessSpec): readonly string[] {
  return Object.entries(currentDependencies(processes, spec))
    .filter(([name, condition]) => {
      const other = processes.get(name)?.state
      return !other || !(other.release.isWaived || satisfies(other, condition))
    })
    .map(([name]) => name)
}

/** Returns the dependencies of a process: the declared ones, and the release jobs that must still complete. */
export function currentDependencies(processes: Processes, spec: ProcessSpec): Dependencies {
  const isPending = (name: string): boolean => {
    const job = processes.get(name)?.state
    return job?.desired === 'running' && !job.release.isWaived
  }
  const specs = [...processes.values()].map(({ state }) => state.spec)
  return dependenciesOf(spec, specs, isPending)
}

/** Returns the names of blockers: dependencies that failed, were stopped, or wait for such a process. */
export function blockersOf(processes: Processes, spec: ProcessSpec): readonly string[] {
  return unmetDependencies(processes, spec).filter((name) => {
    const other = processes.get(name)?.state
    if (!other || other.desired === 'stopped' || isBroken(other) || isAtRest(other)) return true
    const waits = currentsOf(other).some((instance) => phaseOf(instance) === 'waiting')
    return waits && blockersOf(processes, other.spec).length > 0
  })
}

const isBroken = (state: ProcessState): boolean =>
  currentsOf(state).some((instance) => phaseOf(instance) === 'failed' || isFailing(instance))

/** Says why a process does not start yet, for a person. */
export const describeWaiting = (processes: Processes, spec: ProcessSpec): string =>
  describeBlockers(processes, spec) ?? `waits for ${unmetDependencies(processes, spec).join(', ')}`

/** Says why a process does not start however long it waits; null if it may start. */
export function describeBlockers(processes: Processes, spec: ProcessSpec): string | null {
  const blockers = blockersOf(processes, spec)
  if (blockers.length === 0) return null
  return `cannot start: ${blockers.map((name) => describeBlocker(name, processes.get(name)?.state)).join(', ')}`
}

/** Says whether no instance will change its state without a command. A scheduled process will, at its next time. */
const isAtRest = (state: ProcessState): boolean => state.spec.schedule === null && !currentsOf(state).some(isMoving)

function describeBlocker(name: string, other: ProcessState | undefined): string {
  if (!other) return `${name} is not enabled`
  if (currentsOf(other).some((instance) => phaseOf(instance) === 'failed')) return `${name} failed`
  if (currentsOf(other).some(isFailing)) return `${name} ends again and again`
  if (other.desired === 'running' && !isAtRest(other)) return `${name} cannot start`
  return other.spec.enabled ? `${name} is stopped` : `${name} is not enabled`
}
