import { nextRun } from '../../plan/schedule.ts'
import { andThen, type ProcessContext, type ProcessStep, unchanged } from './events.ts'
import { stepInstance, write } from './instance-step.ts'
import type { ProcessState, ScheduleState } from './state.ts'
import { hasProcess } from './views.ts'

/** When the schedule of a process starts it. A time that a clock change skipped is made up for once. */

/** Longest timer, in milliseconds: the machine's clock may be set at any time. */
const LONGEST_WAIT_MS = 30_000
/** A clock that goes back further than a change to winter time was wrong before, in milliseconds. */
const CLOCK_WAS_WRONG_MS = 3 * 3_600_000

/** Computes the next time, and sets the timer. */
export function planSchedule(state: ProcessState, context: ProcessContext): ProcessStep {
  return setTimer({ ...state, schedule: nextTime(state, context.nowMs) }, context)
}

export function cancelSchedule(state: ProcessState): ProcessStep {
  const { schedule } = state
  if (schedule.nextMs === null && schedule.plannedMs === null) return unchanged(state)
  const next = { ...state, schedule: { ...schedule, nextMs: null, plannedMs: null } }
  return { state: next, effects: [{ do: 'wake-schedule', afterMs: null }] }
}

/** Starts the process if its time has come. */
export function tick(state: ProcessState, _event: unknown, context: ProcessContext): ProcessStep {
  const { nextMs, plannedMs } = state.schedule
  if (nextMs === null) return unchanged(state)
  const { nowMs } = context
  if (nowMs >= nextMs) {
    const fired = { ...state, schedule: { ...state.schedule, firedMs: nextMs } }
    return andThen(fire(fired, context), (next) => planSchedule(next, context))
  }
  if ((plannedMs ?? 0) - nowMs > CLOCK_WAS_WRONG_MS) return planSchedule(state, context)
  return setTimer(state, context)
}

function nextTime({ spec, schedule }: ProcessState, nowMs: number): ScheduleState {
  const { firedMs } = schedule
  const isClockBack = firedMs !== null && firedMs - nowMs > CLOCK_WAS_WRONG_MS
  const lastMs = isClockBack ? null : firedMs
  const nextMs = spec.schedule && nextRun(spec.schedule, Math.max(nowMs, lastMs ?? 0))
  return { nextMs, plannedMs: nowMs, firedMs: lastMs }
}

function setTimer(state: ProcessState, { nowMs }: ProcessContext): ProcessStep {
  const { nextMs } = state.schedule
  const afterMs = nextMs === null ? null : Math.min(Math.max(nextMs - nowMs, 1), LONGEST_WAIT_MS)
  return { state, effects: [{ do: 'wake-schedule', afterMs }] }
}

function fire(state: ProcessState, context: ProcessContext): ProcessStep {
  const instance = state.slots[0]?.current
  if (!instance || state.desired === 'stopped') return unchanged(state)
  if (!hasProcess(instance)) return stepInstance(state, instance.key, { type: 'restart' }, context)
  return { state, effects: write(instance, 'skipped', 'skipped: the last one still runs') }
}
