import type { ProcessSpec } from '../spec.ts'
import { andThen, type Command, forEach, type ProcessContext, type ProcessStep, unchanged } from './events.ts'
import { stepInstance } from './instance-step.ts'
import { interruptReload, interruptReloadOf } from './reload-step.ts'
import { cancelSchedule, planSchedule } from './schedule-step.ts'
import { addSlot, type ProcessState, type Slot } from './state.ts'
import { instancesIn, othersIn } from './views.ts'

/** Steps that follow a command of a person or of a declaration. */

type CommandOf<Type extends Command['type']> = Extract<Command, { type: Type }>

/** Wants the process to run. The schedule of a process that was stopped has a next time again. */
export function enable(state: ProcessState, _event: unknown, context: ProcessContext): ProcessStep {
  if (state.isClosing) return unchanged(state)
  const next: ProcessState = { ...state, desired: 'running' }
  return state.desired === 'stopped' && state.spec.schedule ? planSchedule(next, context) : unchanged(next)
}

export function start(state: ProcessState, _event: unknown, context: ProcessContext): ProcessStep {
  if (state.isClosing) return unchanged(state)
  const next: ProcessState = { ...state, desired: 'running' }
  if (state.spec.schedule) return planSchedule(next, context)
  return startSlots(next, state.slots, context)
}

/** Stops wanting the process. Its instances stop in their turn, after those that depend on them. */
export function stop(state: ProcessState, _event: unknown, context: ProcessContext): ProcessStep {
  const { release } = state
  const next: ProcessState = { ...state, desired: 'stopped', release: { ...release, due: null } }
  return andThen(cancelSchedule(next), (cancelled) => interruptReload(cancelled, context))
}

export const close = (state: ProcessState, event: unknown, context: ProcessContext): ProcessStep =>
  stop({ ...state, isClosing: true }, event, context)

/** Starts one instance; the others of its process stay as they are. */
export function startInstance(
  state: ProcessState,
  { key }: CommandOf<'start-instance'>,
  context: ProcessContext,
): ProcessStep {
  if (state.isClosing || !mayStart(state, key)) return unchanged(state)
  return andThen(enable(state, null, context), (next) => stepInstance(next, key, { type: 'start' }, context))
}

/** Restarts one instance, unless its process was stopped meanwhile. */
export function restartInstance(
  state: ProcessState,
  { key }: CommandOf<'restart-instance'>,
  context: ProcessContext,
): ProcessStep {
  if (state.desired === 'stopped' || state.isClosing || !mayStart(state, key)) return unchanged(state)
  return stepInstance(state, key, { type: 'restart' }, context)
}

/** Says whether an instance is the current one of a slot that stays. A reload alone starts others. */
const mayStart = ({ slots }: ProcessState, key: number): boolean =>
  slots.some(({ isLeaving, current }) => !isLeaving && current.key === key)

export const stopInstance = (
  state: ProcessState,
  { key }: CommandOf<'stop-instance'>,
  context: ProcessContext,
): ProcessStep => endInstance(state, key, 'stop', context)

/** Kills one instance, and those beside it. */
export function killInstance(
  state: ProcessState,
  { key }: CommandOf<'kill-instance'>,
  context: ProcessContext,
): ProcessStep {
  const slot = state.slots.find(({ current }) => current.key === key)
  const others = slot ? othersIn(slot) : []
  return andThen(endInstance(state, key, 'kill', context), (next) =>
    forEach(next, others, (reached, one) => stepInstance(reached, one.key, { type: 'kill' }, context)),
  )
}

/** Ends one instance, the replacement that a reload has started for it, and a run for another release that is due. */
function endInstance(state: ProcessState, key: number, how: 'stop' | 'kill', context: ProcessContext): ProcessStep {
  const next = state.release.due === null ? state : { ...state, release: { ...state.release, due: null } }
  return andThen(interruptReloadOf(next, key, context, how), (reached) =>
    stepInstance(reached, key, { type: how }, context),
  )
}

/** Adds slots at the end, or removes the last ones. */
export function scale(state: ProcessState, { count }: CommandOf<'scale'>, context: ProcessContext): ProcessStep {
  if (state.isClosing) return unchanged(state)
  const scaled = count === state.spec.instances ? null : count
  const staying = state.slots.map((slot) => ({ ...slot, isLeaving: slot.number > count }))
  let next: ProcessState = { ...state, scaled, slots: staying }
  for (let number = 1; number <= count; number++)
    if (!next.slots.some((slot) => slot.number === number)) next = addSlot(next, number, context.nowMs)
  const returning = next.slots.filter(({ number }) => number <= count && isNewOrLeaving(state, number))
  const started = state.desired === 'running' ? startSlots(next, returning, context) : unchanged(next)
  const leaving = next.slots.filter(({ isLeaving }) => isLeaving).flatMap(instancesIn)
  return andThen(started, (reached) =>
    forEach(reached, leaving, (some, { key }) => stepInstance(some, key, { type: 'stop' }, context)),
  )
}

const isNewOrLeaving = ({ slots }: ProcessState, number: number): boolean =>
  slots.find((slot) => slot.number === number)?.isLeaving ?? true

/** Takes another specification over without touching what runs. */
export function declare(state: ProcessState, { spec }: CommandOf<'declare'>, context: ProcessContext): ProcessStep {
  const next = withSpec(state, spec)
  if (next.desired === 'stopped') return unchanged(next)
  if (spec.schedule) return planSchedule(next, context)
  // A schedule that is gone leaves a process that runs all the time.
  if (!state.spec.schedule) return unchanged(next)
  return andThen(cancelSchedule(next), (reached) => startSlots(reached, reached.slots, context))
}

/** Gives every instance another specification. A canary keeps its own. */
export function withSpec(state: ProcessState, spec: ProcessSpec): ProcessState {
  const slots = state.slots.map((slot) => ({ ...slot, current: { ...slot.current, spec } }))
  const { reload } = state
  // A reload in progress takes the newest specification of the same program.
  return { ...state, spec, slots, reload: reload?.spec.hash === spec.hash ? { ...reload, spec } : reload }
}

const startSlots = (state: ProcessState, slots: readonly Slot[], context: ProcessContext): ProcessStep =>
  forEach(
    state,
    slots.filter((slot) => !slot.isLeaving),
    (reached, { current }) => stepInstance(reached, current.key, { type: 'start' }, context),
  )
