import { runsToCompletion } from '../../core/completion.ts'
import { printDuration, printElapsed } from '../../core/durations.ts'
import type { News } from '../state/event-log.ts'
import type { ProcessSpec } from '../spec.ts'
import { andThen, type ProcessContext, type ProcessEffect, type ProcessStep, unchanged } from './events.ts'
import { step } from './machine.ts'
import type { Effect, Event, Phase, Policy } from './machine-state.ts'
import { tokenOf } from './names.ts'
import { type InstanceState, type Invocation, lastNumberOf, type ProcessState } from './state.ts'
import { findInstance, instancesIn, isIdle } from './views.ts'

/** Steps of one instance within its process. */

/** Replaces one instance; the only place that does. */
export function updateInstance(
  state: ProcessState,
  key: number,
  change: (instance: InstanceState) => InstanceState,
): ProcessState {
  const slots = state.slots.map((slot) => {
    if (!instancesIn(slot).some((instance) => instance.key === key)) return slot
    if (slot.current.key === key) return { ...slot, current: change(slot.current) }
    if (slot.second?.instance.key === key)
      return { ...slot, second: { ...slot.second, instance: change(slot.second.instance) } }
    return { ...slot, leftovers: slot.leftovers.map((one) => (one.key === key ? change(one) : one)) }
  })
  return { ...state, slots }
}

/** Lets the machine of one instance decide, and translates its answer. */
export function stepInstance(state: ProcessState, key: number, event: Event, context: ProcessContext): ProcessStep {
  const before = findInstance(state, key)
  if (!before) return unchanged(state)
  const slot = slotNumberOf(state, key)
  const nextNumber = lastNumberOf(state, slot) + 1
  const { nowMs, random } = context
  const result = step(before.machine, event, { policy: policyOf(before.spec), nowMs, random, nextNumber })
  if (result.state === before.machine) return unchanged(state)
  const moved = withMachine(before, result.state, nowMs)
  const next = {
    ...updateInstance(state, key, () => moved),
    numbers: withNumber(state.numbers, slot, result.state.number),
  }
  const isNewPhase = moved.machine.phase.is !== before.machine.phase.is
  const arrived = isNewPhase ? arrive(next, moved, context) : unchanged(next)
  return result.effects.reduce(
    (sofar, effect) => andThen(sofar, (reached) => translate(reached, key, effect, context)),
    arrived,
  )
}

export function policyOf({ restart, stop, run, schedule }: ProcessSpec): Policy {
  return { restart, stopTimeoutMs: stop.timeoutMs, completes: runsToCompletion({ run, schedule }) }
}

/** Raises the highest number of a slot. */
export function withNumber(numbers: readonly number[], slot: number, number: number): readonly number[] {
  if ((numbers[slot - 1] ?? 0) >= number) return numbers
  const length = Math.max(numbers.length, slot)
  return Array.from({ length }, (_, index) => (index === slot - 1 ? number : (numbers[index] ?? 0)))
}

const slotNumberOf = ({ slots }: ProcessState, key: number): number =>
  slots.find((slot) => instancesIn(slot).some((instance) => instance.key === key))?.number ?? 0

function withMachine(instance: InstanceState, machine: InstanceState['machine'], nowMs: number): InstanceState {
  const sinceMs = machine.seq === instance.machine.seq ? instance.sinceMs : nowMs
  const startsWaiting = machine.phase.is === 'waiting' && machine.seq !== instance.machine.seq
  return { ...instance, machine, sinceMs, isBlocked: startsWaiting ? false : instance.isBlocked }
}

/** Announces a new phase, and does what follows from it. */
function arrive(state: ProcessState, instance: InstanceState, context: ProcessContext): ProcessStep {
  const told = { state, effects: announce(instance, context) }
  const { is } = instance.machine.phase
  if (is === 'done') return andThen(told, noteRelease)
  if (is === 'failed' && isIdle(state)) return { state, effects: [...told.effects, { do: 'close-sockets' }] }
  return told
}

/** Records that the process has succeeded for the release it was begun for. */
function noteRelease(state: ProcessState): ProcessStep {
  const { spec, release } = state
  if (spec.run !== 'release' || release.begun === null) return unchanged(state)
  return unchanged({ ...state, release: { ...release, done: release.begun, begun: null } })
}

function translate(state: ProcessState, key: number, effect: Effect, context: ProcessContext): ProcessStep {
  const instance = findInstance(state, key)
  if (!instance) return unchanged(state)
  switch (effect.do) {
    case 'spawn':
      return spawn(state, instance, effect.number, context)
    case 'signal':
      return { state, effects: [{ do: 'signal', key, signal: `SIG${instance.spec.stop.signal}` as NodeJS.Signals }] }
    case 'kill': {
      const limit = printDuration(instance.spec.stop.timeoutMs)
      const message = effect.late ? `killed: it did not stop within ${limit}` : 'killed'
      return { state, effects: [...write(instance, 'killed', message), { do: 'signal', key, signal: 'SIGKILL' }] }
    }
    case 'clean':
      return { state, effects: instance.invocation ? [{ do: 'clean', key }] : [] }
    case 'wake':
      return { state, effects: [{ do: 'wake', key, afterMs: effect.afterMs, seq: effect.seq }] }
    default:
      return effect satisfies never
  }
}

function spawn(state: ProcessState, instance: InstanceState, number: number, context: ProcessContext): ProcessStep {
  const { key, id, spec } = instance
  const token = tokenOf(id, number)
  const probeAddress = context.probeAddressOf(spec, token)
  const { hash } = spec
  const startedMs = context.nowMs
  const invocation: Invocation = { token, number, hash, startedMs, probeAddress, pid: null, startTicks: 0 }
  const next = updateInstance(state, key, (one) => ({ ...one, invocation, readyMs: null }))
  return { state: next, effects: [{ do: 'spawn', key, invocation }] }
}

/** Ends the current invocation of an instance. */
export function endInvocation(state: ProcessState, key: number): ProcessStep {
  const invocation = findInstance(state, key)?.invocation
  if (!invocation) return unchanged(state)
  return {
    state: updateInstance(state, key, (one) => ({ ...one, invocation: null })),
    effects: [{ do: 'end-invocation', key, invocation }],
  }
}

function announce(instance: InstanceState, { nowMs }: ProcessContext): readonly ProcessEffect[] {
  const { phase } = instance.machine
  switch (phase.is) {
    case 'running': {
      const ms = instance.invocation ? nowMs - instance.invocation.startedMs : 0
      return runsToCompletion(instance.spec) ? [] : write(instance, 'ready', `ready after ${printElapsed(ms)}`, { ms })
    }
    case 'backoff': {
      const ms = phase.untilMs - nowMs
      return write(instance, 'backoff', `starts again in ${printElapsed(ms)}: ${phase.reason}`, { ms })
    }
    case 'failed':
      return write(instance, 'failed', phase.reason)
    case 'stopping':
      // The exit of an invocation that is only cleaned up has been reported.
      return phase.step === 'cleaning' ? [] : write(instance, 'stopping', 'stopping')
    case 'stopped':
    case 'done':
      return write(instance, phase.is, phase.is)
    case 'waiting':
    case 'starting':
      return []
    default:
      return phase satisfies never
  }
}

/** Event types of a canary that only repeat the outcome of the reload. */
const QUIET_FOR_CANARIES: ReadonlySet<string> = new Set(['ready', 'stopping', 'stopped', 'failed', 'killed'])

/** Returns the effect that logs an event of an instance; none for a canary whose outcome says the same. */
export function write(
  instance: InstanceState,
  type: News['type'],
  message: string,
  more: Partial<News> = {},
): readonly ProcessEffect[] {
  const { id, spec, invocation, machine, isCanary } = instance
  const isStopping = (machine.phase.is satisfies Phase['is']) === 'stopping'
  if (isCanary && (QUIET_FOR_CANARIES.has(type) || (type === 'exited' && isStopping))) return []
  const pid = invocation?.pid ?? null
  return [
    {
      do: 'write',
      news: { type, message, process: spec.name, instance: id, invocation: machine.number, pid, ...more },
    },
  ]
}
