import { runsToCompletion } from '../../core/completion.ts'
import { printElapsed } from '../../core/durations.ts'
import { constants } from 'node:os'
import type { LastExit } from '../../control/protocol.ts'
import type { News } from '../state/event-log.ts'
import {
  type AdoptedInvocation,
  andThen,
  type Fact,
  forEach,
  type ProcessContext,
  type ProcessStep,
  unchanged,
} from './events.ts'
import { endInvocation, policyOf, stepInstance, updateInstance, withNumber, write } from './instance-step.ts'
import { adoptedState } from './machine-state.ts'
import { awaitsSpawn } from './machine-transitions.ts'
import { instanceId } from './names.ts'
import { addSlot, createInstance, type InstanceState, type ProcessState, type Slot } from './state.ts'
import { currentsOf, findInstance, hasProcess, phaseOf } from './views.ts'
import { explainFailure } from './words.ts'

/** Steps that follow a report of the shim, a probe or a timer. */

type FactOf<Type extends Fact['type']> = Extract<Fact, { type: Type }>

/** Number of exits that are remembered per instance. */
const EXITS = 10

/** Errors of a shortage that may pass: processes, memory, descriptors, disk space; and a program that is being replaced. */
const { EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT, ETXTBSY } = constants.errno
const SHORTAGES: ReadonlySet<number> = new Set([EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT, ETXTBSY])

/** Starts the waiting instances if their dependencies are met; otherwise records what they wait for. */
export function dependencies(state: ProcessState, fact: FactOf<'dependencies'>, context: ProcessContext): ProcessStep {
  const waiting = currentsOf(state).filter((instance) => phaseOf(instance) === 'waiting')
  if (fact.unmet.length > 0) return forEach(state, waiting, (reached, one) => waitFor(reached, one, fact))
  // A stop that has not reached the instance yet comes first.
  if (state.desired === 'stopped' || state.isClosing) return unchanged(state)
  return forEach(state, waiting, (reached, { key }) =>
    stepInstance(reached, key, { type: 'dependencies-met' }, context),
  )
}

function waitFor(state: ProcessState, instance: InstanceState, fact: FactOf<'dependencies'>): ProcessStep {
  const { unmet, reason, isBlocked } = fact
  const isKnown = instance.waitingFor.join() === unmet.join() && instance.waitingReason === reason
  if (isKnown && instance.isBlocked === isBlocked) return unchanged(state)
  const next = updateInstance(state, instance.key, (one) => ({
    ...one,
    waitingFor: unmet,
    waitingReason: reason,
    isBlocked,
  }))
  if (isKnown) return unchanged(next)
  const news: News = { type: 'waiting', process: state.spec.name, instance: instance.id, message: reason }
  return { state: next, effects: [{ do: 'write', news }] }
}

/** Continues with an invocation that an earlier supervisor started. */
export function adopted(
  state: ProcessState,
  { found, desired }: FactOf<'adopted'>,
  context: ProcessContext,
): ProcessStep {
  const { slot: number, invocation } = found
  const { nowMs } = context
  const wanted = state.isClosing ? 'stopped' : desired
  let reached: ProcessState = {
    ...state,
    desired: wanted,
    numbers: withNumber(state.numbers, number, invocation.number),
  }
  for (let each = 1; each <= number; each++)
    if (!reached.slots.some((slot) => slot.number === each)) reached = addSlot(reached, each, nowMs)
  const slot = reached.slots.find((one) => one.number === number) as Slot
  const { spec, nextKey: key } = reached
  const instance: InstanceState = {
    ...createInstance({ key, id: instanceId(spec.name, number), spec, nowMs, number: invocation.number }),
    invocation,
    machine: adoptedState({ ...found, ...invocation, nowMs }),
    sinceMs: invocation.startedMs,
    readyMs: found.ready ? nowMs : null,
  }
  const isCurrent = !found.isLeftover && slot.current.invocation === null
  const place = isCurrent ? { ...slot, current: instance } : { ...slot, leftovers: [...slot.leftovers, instance] }
  const slots = reached.slots.map((one) => (one === slot ? place : one))
  const taken = { state: { ...reached, slots, nextKey: key + 1 }, effects: takeOver(instance, found) }
  const watched = andThen(taken, (next) => watchAdopted(next, instance, context))
  // A second stop signal would abort the work of several workers: the machine sends none to an instance that stops.
  if (isCurrent && wanted === 'running') return watched
  return andThen(watched, (next) => stepInstance(next, key, { type: 'stop' }, context))
}

const takeOver = (instance: InstanceState, { invocation, isKept }: AdoptedInvocation): ProcessStep['effects'] => [
  { do: 'adopt', key: instance.key, invocation, isKept },
  ...write(instance, 'adopted', `goes on with pid ${invocation.pid}`),
]

function watchAdopted(state: ProcessState, instance: InstanceState, context: ProcessContext): ProcessStep {
  const { key, spec, machine } = instance
  const { phase, seq } = machine
  if (phase.is === 'stopping') return { state, effects: [{ do: 'wake', key, afterMs: spec.stop.timeoutMs, seq }] }
  if (phase.is === 'running') return { state, effects: [{ do: 'watch-alive', key }] }
  return watchStart(state, instance, context)
}

/** Waits for readiness. A job is ready at once. */
function watchStart(
  state: ProcessState,
  { key, spec, invocation }: InstanceState,
  context: ProcessContext,
): ProcessStep {
  if (!policyOf(spec).completes) return { state, effects: [{ do: 'watch-ready', key }] }
  return ready(state, { type: 'ready', key, number: invocation?.number ?? 0 }, context)
}

export function spawned(state: ProcessState, fact: FactOf<'spawned'>, context: ProcessContext): ProcessStep {
  const { key, number, pid, startTicks } = fact
  const instance = findInvocation(state, fact)
  // After the shim restarts, the new one reports an adopted invocation again.
  if (!instance || instance.invocation.pid === pid) return unchanged(state)
  const known = { ...instance, invocation: { ...instance.invocation, pid, startTicks } }
  const told = {
    state: updateInstance(state, key, () => known),
    effects: write(known, 'starting', `started, pid ${pid}`),
  }
  const moved = andThen(told, (next) => stepInstance(next, key, { type: 'spawned', number, pid }, context))
  return andThen(moved, (next) => {
    const now = findInstance(next, key)
    return now && phaseOf(now) === 'starting' ? watchStart(next, now, context) : unchanged(next)
  })
}

export function spawnFailed(state: ProcessState, fact: FactOf<'spawn-failed'>, context: ProcessContext): ProcessStep {
  const { key, number, failure } = fact
  const instance = findInvocation(state, fact)
  if (!instance || !awaitsSpawn(instance.machine.phase)) return unchanged(state)
  const reason = explainFailure(failure, instance.spec)
  const permanent = failure.what.startsWith('lock:') || !SHORTAGES.has(failure.errno)
  return andThen(endInvocation(state, key), (next) =>
    stepInstance(next, key, { type: 'spawn-failed', number, reason, permanent }, context),
  )
}

export function ready(state: ProcessState, fact: FactOf<'ready'>, context: ProcessContext): ProcessStep {
  const { key, number } = fact
  const instance = findInvocation(state, fact)
  if (!instance?.invocation.pid || phaseOf(instance) !== 'starting') return unchanged(state)
  const noted = updateInstance(state, key, (one) => ({ ...one, readyMs: context.nowMs }))
  return andThen(stepInstance(noted, key, { type: 'ready', number }, context), (next) => {
    const now = findInstance(next, key)
    return { state: next, effects: now && phaseOf(now) === 'running' ? [{ do: 'watch-alive', key }] : [] }
  })
}

export function probeFailed(state: ProcessState, fact: FactOf<'probe-failed'>, context: ProcessContext): ProcessStep {
  const { key, number, reason, details } = fact
  const instance = findInvocation(state, fact)
  if (!instance || !['starting', 'running'].includes(phaseOf(instance))) return unchanged(state)
  const told = {
    state: updateInstance(state, key, (one) => ({ ...one, lastDetails: details })),
    effects: write(instance, 'not-ready', reason, details === '' ? {} : { details }),
  }
  return andThen(told, (next) => stepInstance(next, key, { type: 'probe-failed', number, reason }, context))
}

export function exited(state: ProcessState, fact: FactOf<'exited'>, context: ProcessContext): ProcessStep {
  const { key, number, exit, words } = fact
  const instance = findInvocation(state, fact)
  if (!instance || !hasProcess(instance) || isCleaning(instance)) return unchanged(state)
  const { invocation, readyMs } = instance
  const ranMs = context.nowMs - invocation.startedMs
  const lastExit: LastExit = { ...exit, at: new Date(context.nowMs).toISOString(), words, ranMs }
  const noted = updateInstance(state, key, (one) => ({
    ...one,
    exits: [...one.exits, lastExit].slice(-EXITS),
    lastDetails: fact.details || one.lastDetails,
  }))
  const told = { state: noted, effects: reportExit(instance, fact, ranMs) }
  const permanent = readyMs === null ? fact.permanent : null
  return andThen(told, (next) =>
    stepInstance(next, key, { type: 'exited', number, exit, reason: words, permanent }, context),
  )
}

function reportExit(
  instance: InstanceState & Invoked,
  { exit, words, details, key }: FactOf<'exited'>,
  ranMs: number,
): ProcessStep['effects'] {
  const isExpected = phaseOf(instance) === 'stopping' || (exit.code === 0 && runsToCompletion(instance.spec))
  const more = details && !isExpected ? { details } : {}
  const report = write(instance, 'exited', `${words}, after ${printElapsed(ranMs)}`, { exit, ms: ranMs, ...more })
  if (details !== null) return report
  const { invocation } = instance
  return report.map((effect) => (effect.do === 'write' ? { ...effect, do: 'read-output', key, invocation } : effect))
}

/** Reports an exit whose last output was read later, so that the restart did not wait for it. */
export function outputRead(state: ProcessState, { key, news, details }: FactOf<'output-read'>): ProcessStep {
  if (details === '') return { state, effects: [{ do: 'write', news }] }
  const next = updateInstance(state, key, (one) => ({ ...one, lastDetails: details }))
  return { state: next, effects: [{ do: 'write', news: { ...news, details } }] }
}

export function cleaned(state: ProcessState, fact: FactOf<'cleaned'>, context: ProcessContext): ProcessStep {
  const { key, number, left } = fact
  const instance = findInvocation(state, fact)
  if (!instance || !isCleaning(instance)) return unchanged(state)
  const ended =
    left.length === 0
      ? endInvocation(state, key)
      : { state, effects: write(instance, 'left-behind', `cannot be ended: ${left.join('; ')}`) }
  return andThen(ended, (next) => stepInstance(next, key, { type: 'cleaned', number, left }, context))
}

const isCleaning = ({ machine: { phase } }: InstanceState): boolean =>
  phase.is === 'stopping' && phase.step === 'cleaning'

interface Invoked {
  readonly invocation: NonNullable<InstanceState['invocation']>
}

/** Returns the instance whose current invocation a fact is about; undefined if the fact comes too late. */
function findInvocation(
  state: ProcessState,
  { key, number }: { readonly key: number; readonly number: number },
): (InstanceState & Invoked) | undefined {
  const instance = findInstance(state, key)
  const invocation = instance?.invocation
  return invocation?.number === number ? ({ ...instance, invocation } as InstanceState & Invoked) : undefined
}
