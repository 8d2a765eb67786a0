import type { ProcessSpec } from '../spec.ts'
import { andThen, type ProcessContext, type ProcessStep, unchanged } from './events.ts'
import { stepInstance, updateInstance } from './instance-step.ts'
import { reloadStrategy } from '../../core/reload-strategy.ts'
import {
  createInstance,
  type InstanceState,
  lastNumberOf,
  type ProcessState,
  type Reload,
  type ReloadPhase,
  type Slot,
} from './state.ts'
import { hasProcess, instancesIn, isMoving, phaseOf, reasonOf } from './views.ts'

/**
 * A reload brings new code, or another specification, into a process, one slot after the other. Each function here takes
 * one step; `advanceReload` is called after every event until nothing changes, so an interruption is just an event.
 */

/** Stop timeout of a canary, in milliseconds: it serves no client. */
const CANARY_STOP_MS = 3000

const STOPPED = { reason: 'it was stopped', details: '' }

export function beginReload(
  state: ProcessState,
  { spec, blocker }: { readonly spec: ProcessSpec; readonly blocker: string | null },
  { nowMs }: ProcessContext,
): ProcessStep {
  if (state.reload !== null) return unchanged(state)
  const isSameCode = state.spec.hash === spec.hash
  const declared = reloadStrategy(spec)
  // A signal brings in new code, but no other command line or environment.
  const strategy = declared === 'signal' && !isSameCode ? 'restart' : declared
  const slot = state.slots[0]?.number ?? 0
  const begun = { ...state, reload: createReload(state, { spec, strategy, only: null, slot, startedMs: nowMs }) }
  // A running instance does not stop for an instance that cannot start.
  return blocker === null || state.slots.length === 0 ? unchanged(begun) : fail(begun, { reason: blocker, details: '' })
}

/** Begins to replace one instance. A signal would not do: the point is a new process. */
export function beginReplacement(
  state: ProcessState,
  { key }: { readonly key: number },
  { nowMs }: ProcessContext,
): ProcessStep {
  const slot = state.slots.find(({ current }) => current.key === key)
  if (state.reload !== null || !slot) return unchanged(state)
  const { spec } = state
  const strategy = reloadStrategy(spec) === 'rolling' ? 'rolling' : 'restart'
  const { number } = slot
  const given = { spec, strategy, only: number, slot: number, startedMs: nowMs } as const
  return unchanged({ ...state, reload: createReload(state, given) })
}

function createReload(
  { lastReload }: ProcessState,
  given: Pick<Reload, 'spec' | 'strategy' | 'only' | 'slot' | 'startedMs'>,
): Reload {
  return { ...given, id: (lastReload?.id ?? 0) + 1, replaced: 0, phase: 'next', isInterrupted: false }
}

/** Ends the reload, and the new instance that it has started, because the process must stop. */
export function interruptReload(
  state: ProcessState,
  context: ProcessContext,
  how: 'stop' | 'kill' = 'stop',
): ProcessStep {
  const { reload } = state
  if (reload === null) return unchanged(state)
  const second = slotOfReload(state, reload)?.second
  const interrupted = { ...state, reload: { ...reload, isInterrupted: true } }
  if (!second || second.role === 'draining') return unchanged(interrupted)
  return stepInstance(interrupted, second.instance.key, { type: how }, context)
}

/** Ends the reload if it replaces this instance, which must stop. */
export function interruptReloadOf(
  state: ProcessState,
  key: number,
  context: ProcessContext,
  how: 'stop' | 'kill' = 'stop',
): ProcessStep {
  const slot = state.reload && slotOfReload(state, state.reload)
  const isReplaced = slot?.current.key === key && !['draining', 'restarting'].includes(state.reload?.phase ?? '')
  return isReplaced ? interruptReload(state, context, how) : unchanged(state)
}

/** Takes the next step of the reload in progress, if its time has come. */
export function advanceReload(state: ProcessState, context: ProcessContext): ProcessStep {
  const { reload } = state
  if (reload === null) return unchanged(state)
  const slot = slotOfReload(state, reload)
  if (!slot) return succeed(state, reload, context)
  if (slot.isLeaving) return skipSlot(state, { reload, slot, context })
  return ADVANCE[reload.phase](state, { reload, slot, context })
}

/** Goes on when `scale` removes the slot, and its instances have stopped. */
function skipSlot(state: ProcessState, given: Given): ProcessStep {
  if (instancesIn(given.slot).some(isMoving)) return unchanged(state)
  return andThen(dropSecond(state, given.slot), (gone) => nextSlot(gone, given.reload, given))
}

interface Given {
  readonly reload: Reload
  readonly slot: Slot
  readonly context: ProcessContext
}

const ADVANCE: Readonly<Record<ReloadPhase, (state: ProcessState, given: Given) => ProcessStep>> = {
  next: beginSlot,
  canary: watchCanary,
  'canary-stopping': awaitCanary,
  replacement: watchReplacement,
  draining: awaitOld,
  restarting: watchRestart,
}

function beginSlot(state: ProcessState, { reload, slot, context }: Given): ProcessStep {
  if (isOver(state, reload)) return fail(state, STOPPED)
  const { current, leftovers } = slot
  if (reload.strategy === 'signal') return signalCurrent(state, { reload, slot, context })
  if (reload.strategy === 'restart') return restartCurrent(state, { reload, slot, context })
  if (leftovers.length > 0) return unchanged(state)
  if (!hasProcess(current)) return restartCurrent(state, { reload, slot, context })
  // Once an instance of the new code is in place, its code has been proven.
  const role = reload.replaced === 0 && needsCanary(reload.spec) ? 'canary' : 'replacement'
  return startSecond(state, role, { reload, slot, context })
}

/**
 * The kernel hands requests to every listener on a shared socket, healthy or not. So new code is first probed on a
 * private socket, if its probe asks for an answer; code that cannot start never listens.
 */
const needsCanary = ({ listen, ready }: ProcessSpec): boolean =>
  listen.length > 0 && (ready.http !== undefined || ready.exec !== undefined)

/** Starts an instance beside the current one. Its first exit is its last: it has not been proven. */
function startSecond(
  state: ProcessState,
  role: 'canary' | 'replacement',
  { reload, slot, context }: Given,
): ProcessStep {
  const key = state.nextKey
  const isCanary = role === 'canary'
  const restart = { ...reload.spec.restart, policy: 'never' as const }
  const { stop } = reload.spec
  const timeoutMs = isCanary ? Math.min(stop.timeoutMs, CANARY_STOP_MS) : stop.timeoutMs
  const spec = { ...reload.spec, restart, stop: { ...stop, timeoutMs } }
  const number = lastNumberOf(state, slot.number)
  const instance = createInstance({ key, id: slot.current.id, spec, nowMs: context.nowMs, number, isCanary })
  const added = { ...withSlot(state, { ...slot, second: { role, instance } }), nextKey: key + 1 }
  return andThen(stepInstance(inPhase(added, role), key, { type: 'start' }, context), (started) =>
    stepInstance(started, key, { type: 'dependencies-met' }, context),
  )
}

function watchCanary(state: ProcessState, { slot, context }: Given): ProcessStep {
  const canary = slot.second?.instance
  // `scale` had removed the slot, and brought it back.
  if (!canary) return unchanged(inPhase(state, 'next'))
  if (phaseOf(canary) === 'running')
    return stepInstance(inPhase(state, 'canary-stopping'), canary.key, { type: 'stop' }, context)
  return isMoving(canary) ? unchanged(state) : refuse(state, slot, canary)
}

function awaitCanary(state: ProcessState, { reload, slot, context }: Given): ProcessStep {
  const canary = slot.second?.instance
  if (canary && isMoving(canary)) return unchanged(state)
  return andThen(dropSecond(state, slot), (gone) =>
    isOver(gone, reload) ? fail(gone, STOPPED) : startSecond(gone, 'replacement', { reload, slot, context }),
  )
}

function watchReplacement(state: ProcessState, given: Given): ProcessStep {
  const replacement = given.slot.second?.instance
  // `scale` had removed the slot, and brought it back.
  if (!replacement) return unchanged(inPhase(state, 'next'))
  if (phaseOf(replacement) === 'running') return promote(state, replacement, given)
  return isMoving(replacement) ? unchanged(state) : refuse(state, given.slot, replacement)
}

/** Makes the replacement the current instance, and stops the old one. */
function promote(state: ProcessState, replacement: InstanceState, { reload, slot, context }: Given): ProcessStep {
  const old = slot.current
  const current = { ...replacement, spec: reload.spec }
  const promoted = withSlot(state, { ...slot, current, second: { role: 'draining', instance: old } })
  return stepInstance(inPhase(promoted, 'draining'), old.key, { type: 'stop' }, context)
}

function awaitOld(state: ProcessState, given: Given): ProcessStep {
  const old = given.slot.second?.instance
  if (old && isMoving(old)) return unchanged(state)
  return andThen(dropSecond(state, given.slot), (gone) => finishSlot(gone, given))
}

/** Lets the program reload itself. */
function signalCurrent(state: ProcessState, given: Given): ProcessStep {
  const { key } = given.slot.current
  const declared = updateInstance(state, key, (one) => ({ ...one, spec: given.reload.spec }))
  const signalled = { state: declared, effects: [{ do: 'hang-up', key }] } as const
  return andThen(signalled, (next) => finishSlot(next, given))
}

/** Stops the current instance first. */
function restartCurrent(state: ProcessState, { reload, slot, context }: Given): ProcessStep {
  const { key } = slot.current
  const declared = updateInstance(state, key, (one) => ({ ...one, spec: reload.spec }))
  return stepInstance(inPhase(declared, 'restarting'), key, { type: 'restart' }, context)
}

function watchRestart(state: ProcessState, given: Given): ProcessStep {
  const { current } = given.slot
  const is = phaseOf(current)
  if (is === 'running' || is === 'done') return finishSlot(state, given)
  const isBlocked = is === 'waiting' && current.isBlocked
  if (isMoving(current) && is !== 'backoff' && !isBlocked) return unchanged(state)
  const blocker = isBlocked ? current.waitingReason : null
  return fail(state, { reason: reasonOf(current) ?? blocker ?? STOPPED.reason, details: current.lastDetails })
}

const finishSlot = (state: ProcessState, given: Given): ProcessStep =>
  nextSlot(state, { ...given.reload, replaced: given.reload.replaced + 1 }, given)

/** Goes on with the next slot, if there is one. */
function nextSlot(state: ProcessState, reload: Reload, { slot, context }: Given): ProcessStep {
  const next = state.slots.find(({ number }) => number > slot.number)
  if (reload.only !== null || !next) return succeed(state, reload, context)
  return unchanged({ ...state, reload: { ...reload, phase: 'next', slot: next.number } })
}

function succeed(state: ProcessState, reload: Reload, { nowMs }: ProcessContext): ProcessStep {
  const { id, replaced, startedMs, only } = reload
  const spec = only === null ? reload.spec : state.spec
  const outcome = { ok: true, replaced, tookMs: nowMs - startedMs } as const
  return unchanged({ ...state, spec, reload: null, lastReload: { id, outcome } })
}

/** Ends the reload because the second instance is gone. */
const refuse = (state: ProcessState, slot: Slot, second: InstanceState): ProcessStep =>
  andThen(dropSecond(state, slot), (gone) =>
    fail(gone, { reason: reasonBeforeReady(second), details: second.lastDetails }),
  )

function reasonBeforeReady(instance: InstanceState): string {
  const { phase } = instance.machine
  if (phase.is !== 'failed') return STOPPED.reason
  return phase.reason === instance.exits.at(-1)?.words ? `${phase.reason}, before it was ready` : phase.reason
}

function fail(state: ProcessState, why: { readonly reason: string; readonly details: string }): ProcessStep {
  const { reload } = state
  if (reload === null) return unchanged(state)
  const { id, replaced } = reload
  const instance = slotOfReload(state, reload)?.current.id ?? ''
  return unchanged({ ...state, reload: null, lastReload: { id, outcome: { ok: false, replaced, instance, ...why } } })
}

/** Removes the second instance of a slot, which is gone. */
function dropSecond(state: ProcessState, slot: Slot): ProcessStep {
  const instance = slot.second?.instance
  if (!instance) return unchanged(state)
  return { state: withSlot(state, { ...slot, second: null }), effects: [{ do: 'retire', key: instance.key, instance }] }
}

const slotOfReload = ({ slots }: ProcessState, { slot }: Reload): Slot | undefined =>
  slots.find(({ number }) => number === slot)

/** Says whether a stop keeps the reload from going on. */
const isOver = ({ desired, isClosing }: ProcessState, { isInterrupted }: Reload): boolean =>
  isInterrupted || isClosing || desired === 'stopped'

const inPhase = (state: ProcessState, phase: ReloadPhase): ProcessState => ({
  ...state,
  reload: state.reload && { ...state.reload, phase },
})

const withSlot = (state: ProcessState, slot: Slot): ProcessState => ({
  ...state,
  slots: state.slots.map((one) => (one.number === slot.number ? slot : one)),
})
