import type { ProcessStatus } from '../../control/protocol.ts'
import { Instance, type World } from './instance.ts'
import type { ProcessSpec } from '../spec.ts'

/** One numbered place of a process, with what runs in it. */
export interface Slot {
  current: Instance
  /** A second life during a reload: the new one that is not ready yet, or the old one that still finishes. */
  beside: Instance | null
}

/** A declared process with its instances. */
export interface Managed {
  spec: ProcessSpec
  wanted: 'running' | 'stopped'
  /** What `scale` made of the declared number. */
  scaled: number | null
  slots: Slot[]
  /** How many lives each place has had before. */
  runs: readonly number[]
  /** A reload is under way. */
  reloading: boolean
  /** It failed for a release while others ran: what runs need not wait for it when it is started again. */
  waived: boolean
  /** When its schedule started it last. */
  firedMs: number | null
}

export function createManaged(spec: ProcessSpec, world: World, lastRuns: readonly number[] = []): Managed {
  const managed: Managed = {
    spec,
    wanted: 'stopped',
    scaled: null,
    slots: [],
    runs: [...lastRuns],
    reloading: false,
    waived: false,
    firedMs: null,
  }
  for (let number = 1; number <= spec.instances; number++) addSlot(managed, world)
  return managed
}

/** The next place, numbered from 1 on. */
export function addSlot(managed: Managed, world: World): Slot {
  const { spec, slots, runs } = managed
  const run = runs[slots.length] ?? 0
  const slot = { current: new Instance(`${spec.name}.${slots.length + 1}`, spec, world, run), beside: null }
  slots.push(slot)
  return slot
}

/** The last life of every place, of those that `scale` took away as well: numbers in a log are not used again. */
export const lastRunsOf = ({ slots, runs }: Managed): number[] =>
  Array.from({ length: Math.max(slots.length, runs.length) }, (_, index) => {
    const slot = slots[index]
    return slot ? Math.max(slot.current.lastRun, slot.beside?.run ?? 0) : (runs[index] ?? 0)
  })

export const instancesOf = ({ slots }: Managed): readonly Instance[] =>
  slots.flatMap(({ current, beside }) => (beside ? [current, beside] : [current]))

export const completes = ({ run, schedule }: ProcessSpec): boolean => run !== 'always' || schedule !== null

/** Whether a dependency on the process is satisfied. */
export function satisfies({ slots, spec }: Managed, condition: 'started' | 'ready' | 'completed'): boolean {
  const phases = slots.map(({ current }) => current.phase.is)
  // What runs at certain times is there as long as it is waited for.
  if (spec.schedule !== null && condition !== 'completed') return true
  switch (condition) {
    case 'started':
      return phases.every((is) => is === 'starting' || is === 'running' || is === 'done')
    case 'ready':
      return phases.every((is) => (completes(spec) ? is === 'done' : is === 'running'))
    case 'completed':
      return phases.every((is) => is === 'done')
    default:
      return condition satisfies never
  }
}

export function statusOf(managed: Managed, describeReload: (spec: ProcessSpec) => string): ProcessStatus {
  const { spec, wanted, slots } = managed
  return {
    process: spec.name,
    kind: spec.kind,
    title: spec.title,
    wanted,
    run: spec.run,
    listen: spec.listen,
    reload: describeReload(spec),
    schedule: spec.schedule && `${spec.schedule.cron} ${spec.schedule.tz}`,
    declaredInstances: spec.instances,
    instances: slots.map(({ current, beside }) => {
      const status = current.status()
      const second = beside?.status()
      const waits = spec.schedule !== null && wanted === 'running' && ['stopped', 'done'].includes(status.state)
      return {
        ...status,
        ...(waits && { state: 'waiting' as const }),
        beside: second ? { pid: second.pid, run: second.run, state: second.state } : null,
      }
    }),
  }
}
