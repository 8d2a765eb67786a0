import { runsToCompletion } from '../../core/completion.ts'
import { awaitedCondition, type Condition } from '../../core/dependencies.ts'
import type { InstanceStateName, InstanceStatus, ProcessStatus } from '../../control/protocol.ts'
import type { Phase } from './machine-state.ts'
import { describeReload } from '../../core/reload-strategy.ts'
import type { InstanceState, ProcessState, Slot } from './state.ts'

/** Questions about the state of a process. */

/** Early exits in a row after which an instance counts as failing. */
const FAILING = 3

/** A process state as others may read it: each look returns the latest. */
type Readable = { readonly state: ProcessState }
export type Processes = ReadonlyMap<string, Readable>

export const phaseOf = ({ machine }: InstanceState): Phase['is'] => machine.phase.is

export const currentsOf = ({ slots }: ProcessState): readonly InstanceState[] => slots.map(({ current }) => current)

/** Instances beside the current one. */
export const othersIn = ({ second, leftovers }: Slot): readonly InstanceState[] =>
  second ? [second.instance, ...leftovers] : leftovers

export const instancesIn = (slot: Slot): readonly InstanceState[] => [slot.current, ...othersIn(slot)]

export const instancesOf = ({ slots }: ProcessState): readonly InstanceState[] => slots.flatMap(instancesIn)

export const findInstance = (state: ProcessState, key: number): InstanceState | undefined =>
  instancesOf(state).find((instance) => instance.key === key)

export const hasProcess = (instance: InstanceState): boolean =>
  ['starting', 'running', 'stopping'].includes(phaseOf(instance))

/** Says whether the instance is on its way to another state. A job that runs is. */
export function isMoving(instance: InstanceState): boolean {
  const is = phaseOf(instance)
  return (
    ['waiting', 'starting', 'stopping', 'backoff'].includes(is) || (is === 'running' && runsToCompletion(instance.spec))
  )
}

/** Says whether the instance exited several times before it was ready. It is restarted further; commands stop waiting for it. */
export function isFailing(instance: InstanceState): boolean {
  const { wasReady, history } = instance.machine
  return ['backoff', 'starting', 'stopping'].includes(phaseOf(instance)) && !wasReady && history.failures >= FAILING
}

export const isIdle = (state: ProcessState): boolean =>
  instancesOf(state).every((instance) => !hasProcess(instance) && !isMoving(instance))

export const isDone = (state: ProcessState): boolean =>
  currentsOf(state).every((instance) => phaseOf(instance) === 'done')

/** The reason of a phase that has one. */
export function reasonOf({ machine: { phase } }: InstanceState): string | null {
  return 'reason' in phase ? phase.reason : null
}

/** Says whether a dependency on the process is satisfied. */
export function satisfies(state: ProcessState, declared: Condition): boolean {
  const phases = state.slots.filter(({ isLeaving }) => !isLeaving).map(({ current }) => phaseOf(current))
  const condition = awaitedCondition(state.spec, declared)
  switch (condition) {
    case null:
      return true
    case 'started':
      return phases.every((is) => is === 'starting' || is === 'running' || is === 'done')
    case 'ready':
      return phases.every((is) => is === 'running')
    case 'completed':
      return phases.every((is) => is === 'done')
    default:
      return condition satisfies never
  }
}

export function processStatus(state: ProcessState): ProcessStatus {
  const { spec, desired, slots } = state
  return {
    process: spec.name,
    kind: spec.kind,
    title: spec.title,
    wanted: desired,
    run: spec.run,
    listen: spec.listen,
    reload: describeReload(spec),
    schedule: spec.schedule && `${spec.schedule.cron} ${spec.schedule.tz}`,
    declaredInstances: spec.instances,
    instances: slots.map((slot, index) => slotStatus(state, slot, index === 0 ? state.schedule.nextMs : null)),
  }
}

function slotStatus({ spec, desired }: ProcessState, slot: Slot, nextMs: number | null): InstanceStatus {
  const status = instanceStatus(slot.current, nextMs)
  const [second] = othersIn(slot)
  const other = second ? instanceStatus(second, null) : null
  const awaitsTime = spec.schedule !== null && desired === 'running' && ['stopped', 'done'].includes(status.state)
  return {
    ...status,
    state: awaitsTime ? 'waiting' : status.state,
    beside: other && { pid: other.pid, invocation: other.invocation, state: other.state },
  }
}

function instanceStatus(instance: InstanceState, nextMs: number | null): InstanceStatus {
  const { machine, invocation, spec, exits } = instance
  const { phase } = machine
  const alive = hasProcess(instance) ? invocation : null
  const isWaiting = phase.is === 'waiting'
  return {
    instance: instance.id,
    process: spec.name,
    state: phase.is satisfies InstanceStateName,
    pid: alive?.pid ?? null,
    invocation: machine.number,
    since: new Date(instance.sinceMs).toISOString(),
    startedAt: time(alive?.startedMs),
    readyAt: time(alive && instance.readyMs),
    restarts: machine.restarts,
    lastExit: exits.at(-1) ?? null,
    nextAt: time(phase.is === 'backoff' ? phase.untilMs : nextMs),
    waitingFor: isWaiting ? instance.waitingFor : [],
    reason: isWaiting ? instance.waitingReason || null : reasonOf(instance),
    beside: null,
  }
}

const time = (ms: number | null | undefined): string | null => (ms == null ? null : new Date(ms).toISOString())
