import type { Exit } from '../../control/protocol.ts'
import type { PlannedRestart } from '../../plan/plan.ts'
import { NO_RESTARTS, type RestartHistory } from './restart.ts'

/** State of one instance. {@link step} in machine.ts is its only writer. */
export interface State {
  readonly phase: Phase
  /** Counts transitions. A stop whose follow-up changes keeps its number, so its timeout keeps running. */
  readonly seq: number
  /** Number of the current or last invocation; 0 before the first. */
  readonly number: number
  /** True if any invocation since the last `start` became ready. */
  readonly wasReady: boolean
  readonly history: RestartHistory
  /** Restarts after unexpected exits. */
  readonly restarts: number
}

export type Phase =
  | { readonly is: 'stopped'; readonly reason: string | null }
  | { readonly is: 'waiting' }
  /** `pid` is null until the shim reports it. */
  | { readonly is: 'starting'; readonly pid: number | null }
  | { readonly is: 'running'; readonly pid: number; readonly readyMs: number }
  | Stopping
  | { readonly is: 'backoff'; readonly untilMs: number; readonly reason: string }
  | { readonly is: 'done' }
  /** `left`: processes of the last invocation survived the cleanup. */
  | { readonly is: 'failed'; readonly reason: string; readonly left: boolean }

export interface Stopping {
  readonly is: 'stopping'
  readonly pid: number | null
  /** `asked`: the stop signal was sent. `killed`: SIGKILL was sent. `cleaning`: the main process exited, its descendants are killed. */
  readonly step: 'asked' | 'killed' | 'cleaning'
  readonly next: Next
}

/** Follow-up of a stop, once the invocation and its descendants are gone. */
export type Next =
  | { readonly to: 'stopped' }
  | { readonly to: 'start' }
  /** The invocation exited unasked, or a probe failed: the restart policy decides. */
  | {
      readonly to: 'judge'
      readonly exit: Exit | null
      readonly readyForMs: number | null
      readonly permanent: string | null
      readonly reason: string
    }

/** Events with a `number` concern one invocation; events about another invocation have no effect. */
export type Event =
  | { readonly type: 'start' }
  | { readonly type: 'dependencies-met' }
  | { readonly type: 'stop' }
  | { readonly type: 'restart' }
  | { readonly type: 'kill' }
  /** The work was done before, so a job does not need to run. */
  | { readonly type: 'skip' }
  | { readonly type: 'spawned'; readonly number: number; readonly pid: number }
  | {
      readonly type: 'spawn-failed'
      readonly number: number
      readonly reason: string
      /** A restart cannot fix it. */
      readonly permanent: boolean
    }
  | { readonly type: 'ready'; readonly number: number }
  | { readonly type: 'probe-failed'; readonly number: number; readonly reason: string }
  | {
      readonly type: 'exited'
      readonly number: number
      readonly exit: Exit
      readonly reason: string
      /** Reason of a permanent failure; null if a restart may help. */
      readonly permanent: string | null
    }
  /** The cleanup ended. `left` describes surviving processes. */
  | { readonly type: 'cleaned'; readonly number: number; readonly left: readonly string[] }
  | { readonly type: 'elapsed'; readonly seq: number }

export type Effect =
  | { readonly do: 'spawn'; readonly number: number }
  /** Send the stop signal to the main process only. */
  | { readonly do: 'signal'; readonly number: number }
  /** Send SIGKILL to the main process. `late`: the stop timeout elapsed. */
  | { readonly do: 'kill'; readonly number: number; readonly late: boolean }
  | { readonly do: 'clean'; readonly number: number }
  | { readonly do: 'wake'; readonly afterMs: number; readonly seq: number }

export interface Policy {
  readonly restart: PlannedRestart
  readonly stopTimeoutMs: number
  /** The instance runs to completion. */
  readonly completes: boolean
}

export interface Context {
  readonly policy: Policy
  readonly nowMs: number
  /** In [0, 1). */
  readonly random: number
  /** Number for the next invocation. The process owns the numbers, so that no two invocations share one. */
  readonly nextNumber: number
}

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

export const initialState: State = {
  phase: { is: 'stopped', reason: null },
  seq: 0,
  number: 0,
  wasReady: false,
  history: NO_RESTARTS,
  restarts: 0,
}

/** Returns the state of an invocation that an earlier supervisor started. */
export function adoptedState(given: {
  readonly number: number
  readonly pid: number
  readonly ready: boolean
  readonly restarts: number
  /** The stop signal was sent before; the instance starts again after the stop. */
  readonly stopping: boolean
  readonly nowMs: number
}): State {
  const { number, pid, ready, restarts, stopping, nowMs } = given
  const state = { ...initialState, number, wasReady: ready, restarts }
  if (stopping) return { ...state, phase: { is: 'stopping', pid, step: 'asked', next: { to: 'start' } } }
  return { ...state, phase: ready ? { is: 'running', pid, readyMs: nowMs } : { is: 'starting', pid } }
}
