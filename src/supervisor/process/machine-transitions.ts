import type { Context, Effect, Next, Phase, State, Step, Stopping } from './machine-state.ts'
import { decideRestart, NO_RESTARTS } from './restart.ts'

/** The transitions from which machine.ts composes its answers. */

/** Bound for the exit of a killed process, which only the kernel can delay, in milliseconds. */
const KILL_MS = 10_000

export const unchanged = (state: State): Step => ({ state, effects: [] })

export function to(state: State, phase: Phase, effects: (seq: number) => readonly Effect[] = () => []): Step {
  const seq = state.seq + 1
  return { state: { ...state, phase, seq }, effects: effects(seq) }
}

export function spawn(state: State, { nextNumber }: Context): Step {
  return to({ ...state, number: nextNumber }, { is: 'starting', pid: null }, () => [
    { do: 'spawn', number: nextNumber },
  ])
}

/** Waits for the dependencies, with a clean restart history. */
export const begin = (state: State): Step => to({ ...state, wasReady: false, history: NO_RESTARTS }, { is: 'waiting' })

/** Says whether the shim still has to answer a `spawn`. */
export const awaitsSpawn = (phase: Phase): phase is Extract<Phase, { is: 'starting' | 'stopping' }> =>
  (phase.is === 'starting' || (phase.is === 'stopping' && phase.step !== 'cleaning')) && phase.pid === null

/** Changes only the follow-up of a stop; its timeout keeps running. */
export const followWith = (state: State, phase: Stopping, next: Next): Step => ({
  state: { ...state, phase: { ...phase, next } },
  effects: [],
})

export function askToStop(state: State, pid: number | null, next: Next, { policy }: Context): Step {
  const { number } = state
  return to(state, { is: 'stopping', pid, step: 'asked', next }, (seq) =>
    pid === null
      ? []
      : [
          { do: 'signal', number },
          { do: 'wake', afterMs: policy.stopTimeoutMs, seq },
        ],
  )
}

export function kill(state: State, phase: Stopping, late = false): Step {
  const { number } = state
  return to(state, { ...phase, step: 'killed' }, (seq) =>
    phase.pid === null
      ? []
      : [
          { do: 'kill', number, late },
          { do: 'wake', afterMs: KILL_MS, seq },
        ],
  )
}

export function clean(state: State, next: Next): Step {
  const { number } = state
  return to(state, { is: 'stopping', pid: null, step: 'cleaning', next }, () => [{ do: 'clean', number }])
}

/** Continues after a stop, when the invocation and its descendants are gone. */
export function leave(state: State, next: Next, context: Context): Step {
  switch (next.to) {
    case 'stopped':
      return to(state, { is: 'stopped', reason: null })
    case 'start':
      return begin(state)
    case 'judge':
      return judge(state, next, context)
    default:
      return next satisfies never
  }
}

/** Applies the restart policy to an unexpected exit. */
export function judge(state: State, verdict: Extract<Next, { to: 'judge' }>, context: Context): Step {
  const { exit, readyForMs, permanent, reason } = verdict
  const { policy } = context
  const succeeded = exit?.code === 0
  if (policy.completes && succeeded) return to({ ...state, wasReady: true }, { is: 'done' })
  // Several servers report a failed start with exit code 0.
  const isGood = succeeded && readyForMs !== null
  if (!startsAgain(context, isGood)) return to(state, isGood ? { is: 'done' } : { is: 'failed', reason, left: false })
  if (permanent !== null && !state.wasReady) return to(state, { is: 'failed', reason: permanent, left: false })
  return restartAfterDelay(state, verdict, context)
}

/** A job is repeated only if its declaration says so. */
const startsAgain = ({ policy: { restart, completes } }: Context, isGood: boolean): boolean =>
  restart.policy === 'on-failure' ? !isGood : restart.policy === 'always' && !completes

function restartAfterDelay(
  state: State,
  { readyForMs, reason }: Extract<Next, { to: 'judge' }>,
  context: Context,
): Step {
  const { policy, nowMs, random } = context
  const decision = decideRestart(policy.restart, state.history, { nowMs, readyForMs: readyForMs ?? 0, random })
  if ('giveUp' in decision) {
    const words = `${decision.giveUp}; the last time: ${reason}`
    return to(state, { is: 'failed', reason: words, left: false })
  }
  const { delayMs, history } = decision
  if (delayMs === 0) return spawn({ ...state, history, restarts: state.restarts + 1 }, context)
  return to({ ...state, history }, { is: 'backoff', untilMs: nowMs + delayMs, reason }, (seq) => [
    { do: 'wake', afterMs: delayMs, seq },
  ])
}
