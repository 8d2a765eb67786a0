import { type Managed, satisfies } from './managed.ts'
import type { ProcessSpec } from '../spec.ts'

type Processes = ReadonlyMap<string, Managed>

/** What a process waits for, as names; empty when it may start. */
export function unmetDependencies(processes: Processes, { spec }: Pick<Managed, 'spec'>): readonly string[] {
  return Object.entries(dependenciesOf(processes, spec))
    .filter(([name, condition]) => {
      const other = processes.get(name)
      return !other || !(other.waived || satisfies(other, condition))
    })
    .map(([name]) => name)
}

/** As declared; and nothing starts before what runs once for a release is done, but what that needs itself. */
export function dependenciesOf(processes: Processes, spec: ProcessSpec): ProcessSpec['dependsOn'] {
  if (spec.run === 'release') return spec.dependsOn
  const releases = [...processes.values()].filter(
    (other) =>
      other.spec.run === 'release' &&
      other.wanted === 'running' &&
      !other.waived &&
      !needs(processes, other.spec, spec.name),
  )
  return {
    ...Object.fromEntries(releases.map((other) => [other.spec.name, 'completed' as const])),
    ...spec.dependsOn,
  }
}

function needs(processes: Processes, spec: ProcessSpec, name: string, seen: ReadonlySet<string> = new Set()): boolean {
  return Object.keys(spec.dependsOn).some((next) => {
    const other = processes.get(next)
    const isNew = !seen.has(next) && other !== undefined
    return next === name || (isNew && needs(processes, other.spec, name, new Set([...seen, next])))
  })
}

/** Names of what keeps a process from ever starting: it failed, or waits for what did. */
export function blockersOf(processes: Processes, managed: Pick<Managed, 'spec'>): readonly string[] {
  return unmetDependencies(processes, managed).filter((name) => {
    const other = processes.get(name)
    if (!other) return true
    const phases = new Set(other.slots.map(({ current }) => current.phase.is))
    if (phases.has('failed') || other.wanted === 'stopped') return true
    if (other.slots.some(({ current }) => current.isFailing)) return true
    return phases.has('waiting') && blockersOf(processes, other).length > 0
  })
}

/** Why a process does not start, for a person. */
export function describeWaiting(processes: Processes, managed: Managed): string {
  return describeObstacle(processes, managed.spec) ?? `waits for ${unmetDependencies(processes, managed).join(', ')}`
}

/** Why a process does not start however long it waits; null where it may. */
export function describeObstacle(processes: Processes, spec: ProcessSpec): string | null {
  const blockers = blockersOf(processes, { spec })
  if (blockers.length === 0) return null
  return `cannot start: ${blockers.map((name) => describeBlocker(name, processes.get(name))).join(', ')}`
}

function describeBlocker(name: string, other: Managed | undefined): string {
  if (other?.slots.some(({ current }) => current.phase.is === 'failed')) return `${name} failed`
  if (other?.slots.some(({ current }) => current.isFailing)) return `${name} ends again and again`
  if (other?.wanted === 'running') return `${name} cannot start`
  return other?.spec.enabled ? `${name} is stopped` : `${name} is not enabled`
}
