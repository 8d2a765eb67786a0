import type { Exit } from '../../control/protocol.ts'
import type { PlannedRestart } from '../../plan/plan.ts'
import { decideRestart, NO_RESTARTS, type RestartHistory } from './restart.ts'

/**
 * What one instance does next, decided without doing anything: `step` takes what happened and returns the new state
 * and the effects to be carried out. It knows neither processes nor clocks.
 *
 * An event that comes too late, of an earlier life or an earlier wait, changes nothing: lives are told apart by their
 * `run`, waits by the `seq` of the state that asked to be woken.
 */
export interface State {
  readonly phase: Phase
  /** Grows with every transition; not where only what follows a stop is decided anew, whose time goes on. */
  readonly seq: number
  /** The current life, or the last one; 0 before the first. */
  readonly run: number
  /** The highest number that any life of it had: one that was tried beside it and refused has a number as well. */
  readonly lastRun: number
  /** Whether any life since the last `start` was ready. */
  readonly wasReady: boolean
  readonly history: RestartHistory
  /** Restarts that nobody asked for. */
  readonly restarts: number
}

export type Phase =
  | { readonly is: 'stopped'; readonly reason: string | null }
  | { readonly is: 'waiting' }
  /** `pid` is null until the keeper has told it. */
  | { readonly is: 'starting'; readonly pid: number | null }
  | { readonly is: 'running'; readonly pid: number; readonly readyMs: number }
  | Stopping
  | { readonly is: 'backoff'; readonly untilMs: number; readonly reason: string }
  | { readonly is: 'done' }
  /** `left`: something of its last life is still there. */
  | { readonly is: 'failed'; readonly reason: string; readonly left: boolean }

interface Stopping {
  readonly is: 'stopping'
  readonly pid: number | null
  /** `asked`: the stop signal was sent. `killed`: SIGKILL was. `sweeping`: the main process has gone, the rest is ended. */
  readonly step: 'asked' | 'killed' | 'sweeping'
  readonly next: Next
}

/** What follows once nothing is left of a life. */
type Next =
  | { readonly to: 'stopped' }
  | { readonly to: 'start' }
  /** It ended by itself, or because it was found wanting. */
  | {
      readonly to: 'judge'
      readonly exit: Exit | null
      readonly readyForMs: number | null
      readonly certain: string | null
      readonly reason: string
    }

export type Event =
  | { readonly type: 'start' }
  /** What it depends on is there. */
  | { readonly type: 'go' }
  | { readonly type: 'stop' }
  | { readonly type: 'restart' }
  | { readonly type: 'kill' }
  /** Its work was done before. */
  | { readonly type: 'skip' }
  | { readonly type: 'spawned'; readonly run: number; readonly pid: number }
  | {
      readonly type: 'spawn-failed'
      readonly run: number
      readonly reason: string
      /** Trying again will not help. */
      readonly certain: boolean
    }
  | { readonly type: 'ready'; readonly run: number }
  /** It did not get ready in time, or is alive no more. */
  | { readonly type: 'unfit'; readonly run: number; readonly reason: string }
  | {
      readonly type: 'exited'
      readonly run: number
      readonly exit: Exit
      readonly reason: string
      /** Why it would end like this every time; null where it may not. */
      readonly certain: string | null
    }
  /** Everything of the life has gone, but for what is left in words. */
  | { readonly type: 'swept'; readonly run: number; readonly left: readonly string[] }
  | { readonly type: 'elapsed'; readonly seq: number }

export type Effect =
  | { readonly do: 'spawn'; readonly run: number }
  /** The stop signal, to the main process alone. */
  | { readonly do: 'signal'; readonly run: number }
  /** SIGKILL to the main process; what it leaves is swept. `late`: it was given its time, and did not stop. */
  | { readonly do: 'kill'; readonly run: number; readonly late: boolean }
  | { readonly do: 'sweep'; readonly run: number }
  | { readonly do: 'wake'; readonly afterMs: number; readonly seq: number }

export interface Policy {
  readonly restart: PlannedRestart
  readonly stopTimeoutMs: number
  /** It is to end by itself. */
  readonly completes: boolean
}

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

/** How long a killed process may take to go: only the kernel can delay it. */
const KILL_MS = 10_000

export const initialState: State = {
  phase: { is: 'stopped', reason: null },
  seq: 0,
  run: 0,
  lastRun: 0,
  wasReady: false,
  history: NO_RESTARTS,
  restarts: 0,
}

/** A life that runs already: it was taken over from an earlier supervisor. */
export function adoptedState(given: {
  readonly run: number
  readonly pid: number
  readonly ready: boolean
  readonly restarts: number
  /** It has been asked to stop, and starts again after that. */
  readonly stopping: boolean
  readonly nowMs: number
}): State {
  const { run, pid, ready, restarts, stopping, nowMs } = given
  const state = { ...initialState, run, wasReady: ready, restarts }
  if (stopping) return { ...state, phase: { is: 'stopping', pid, step: 'asked', next: { to: 'start' } } }
  return { ...state, phase: ready ? { is: 'running', pid, readyMs: nowMs } : { is: 'starting', pid } }
}

/** `random` is in [0, 1). */
export function step(
  state: State,
  event: Event,
  context: { readonly policy: Policy; readonly nowMs: number; readonly random: number },
): Step {
  if ('run' in event && event.run !== state.run) return unchanged(state)
  const { phase } = state
  const { policy, nowMs } = context

  switch (event.type) {
    case 'start':
      switch (phase.is) {
        case 'stopped':
        case 'done':
        case 'backoff':
          return begin(state)
        case 'failed':
          return phase.left ? sweep(state, { to: 'start' }) : begin(state)
        case 'stopping':
          return followWith(state, phase, { to: 'start' })
        case 'waiting':
        case 'starting':
        case 'running':
          return unchanged(state)
        default:
          return phase satisfies never
      }

    case 'go':
      return phase.is === 'waiting' ? spawn(state) : unchanged(state)

    case 'stop':
      switch (phase.is) {
        case 'waiting':
        case 'backoff':
          return to(state, { is: 'stopped', reason: null })
        case 'failed':
          return phase.left ? sweep(state, { to: 'stopped' }) : to(state, { is: 'stopped', reason: null })
        case 'starting':
        case 'running':
          return askToStop(state, phase.pid, { to: 'stopped' }, policy)
        case 'stopping':
          return followWith(state, phase, { to: 'stopped' })
        case 'stopped':
        case 'done':
          return unchanged(state)
        default:
          return phase satisfies never
      }

    case 'restart':
      switch (phase.is) {
        case 'starting':
        case 'running':
          return askToStop(state, phase.pid, { to: 'start' }, policy)
        case 'stopping':
          return followWith(state, phase, { to: 'start' })
        case 'stopped':
        case 'waiting':
        case 'backoff':
        case 'done':
          return begin(state)
        case 'failed':
          return phase.left ? sweep(state, { to: 'start' }) : begin(state)
        default:
          return phase satisfies never
      }

    case 'kill':
      switch (phase.is) {
        case 'starting':
        case 'running':
          return kill(state, { is: 'stopping', pid: phase.pid, step: 'asked', next: { to: 'stopped' } })
        case 'stopping': {
          // Whoever has it killed does not want it to come back.
          const stopped = followWith(state, phase, { to: 'stopped' })
          return phase.step === 'asked' ? kill(state, { ...phase, next: { to: 'stopped' } }) : stopped
        }
        case 'waiting':
        case 'backoff':
          return to(state, { is: 'stopped', reason: null })
        case 'failed':
          return phase.left ? sweep(state, { to: 'stopped' }) : to(state, { is: 'stopped', reason: null })
        case 'stopped':
        case 'done':
          return unchanged(state)
        default:
          return phase satisfies never
      }

    case 'skip':
      return phase.is === 'stopped' || (phase.is === 'failed' && !phase.left)
        ? to(state, { is: 'done' })
        : unchanged(state)

    case 'spawned':
      if (!isAwaited(phase)) return unchanged(state)
      if (phase.is === 'starting') return to(state, { ...phase, pid: event.pid })
      // It was asked to stop before it was there.
      return phase.step === 'killed'
        ? kill(state, { ...phase, pid: event.pid })
        : askToStop(state, event.pid, phase.next, policy)

    case 'spawn-failed': {
      if (!isAwaited(phase)) return unchanged(state)
      if (phase.is === 'stopping') return leave(state, phase.next, context)
      const certain = event.certain ? event.reason : null
      return judge(state, { to: 'judge', exit: null, readyForMs: null, certain, reason: event.reason }, context)
    }

    case 'ready':
      if (phase.is !== 'starting' || phase.pid === null) return unchanged(state)
      return to({ ...state, wasReady: true }, { is: 'running', pid: phase.pid, readyMs: nowMs })

    case 'unfit': {
      if (phase.is !== 'starting' && phase.is !== 'running') return unchanged(state)
      const readyForMs = phase.is === 'running' ? nowMs - phase.readyMs : null
      const next: Next = { to: 'judge', exit: null, readyForMs, certain: null, reason: event.reason }
      return askToStop(state, phase.pid, next, policy)
    }

    case 'exited': {
      if (phase.is === 'stopping') {
        if (phase.step === 'sweeping') return unchanged(state)
        return sweep(state, phase.next)
      }
      if (phase.is !== 'starting' && phase.is !== 'running') return unchanged(state)
      const { exit, reason, certain } = event
      const readyForMs = phase.is === 'running' ? nowMs - phase.readyMs : null
      return sweep(state, { to: 'judge', exit, readyForMs, certain, reason })
    }

    case 'swept':
      if (phase.is !== 'stopping' || phase.step !== 'sweeping') return unchanged(state)
      if (event.left.length > 0) {
        // A second copy beside what is left would be worse than none.
        const reason = `it cannot be ended: ${event.left.join('; ')}`
        return to(state, { is: 'failed', reason, left: true })
      }
      return leave(state, phase.next, context)

    case 'elapsed':
      if (event.seq !== state.seq) return unchanged(state)
      if (phase.is === 'backoff') return spawn({ ...state, restarts: state.restarts + 1 })
      if (phase.is !== 'stopping' || phase.pid === null) return unchanged(state)
      // Killed, and still there: whoever looks for what is left names it.
      return phase.step === 'asked' ? kill(state, phase, true) : sweep(state, phase.next)

    default:
      return event satisfies never
  }
}

const unchanged = (state: State): Step => ({ state, effects: [] })

function to(state: State, phase: Phase, effects: (seq: number) => readonly Effect[] = () => []): Step {
  const seq = state.seq + 1
  return { state: { ...state, phase, seq }, effects: effects(seq) }
}

function spawn(state: State): Step {
  const run = Math.max(state.run, state.lastRun) + 1
  return to({ ...state, run, lastRun: run }, { is: 'starting', pid: null }, () => [{ do: 'spawn', run }])
}

/** It is to run, and nobody remembers how it fared before. */
const begin = (state: State): Step => to({ ...state, wasReady: false, history: NO_RESTARTS }, { is: 'waiting' })

/** Whether the keeper still has to tell what became of a `spawn`. */
const isAwaited = (phase: Phase): phase is Extract<Phase, { is: 'starting' | 'stopping' }> =>
  (phase.is === 'starting' || (phase.is === 'stopping' && phase.step !== 'sweeping')) && phase.pid === null

/** Only what comes afterwards is another thing: the time that it was given to stop goes on. */
const followWith = (state: State, phase: Stopping, next: Next): Step => ({
  state: { ...state, phase: { ...phase, next } },
  effects: [],
})

function askToStop(state: State, pid: number | null, next: Next, { stopTimeoutMs }: Policy): Step {
  const { run } = state
  return to(state, { is: 'stopping', pid, step: 'asked', next }, (seq) =>
    pid === null
      ? []
      : [
          { do: 'signal', run },
          { do: 'wake', afterMs: stopTimeoutMs, seq },
        ],
  )
}

function kill(state: State, phase: Stopping, late = false): Step {
  const { run } = state
  return to(state, { ...phase, step: 'killed' }, (seq) =>
    phase.pid === null
      ? []
      : [
          { do: 'kill', run, late },
          { do: 'wake', afterMs: KILL_MS, seq },
        ],
  )
}

function sweep(state: State, next: Next): Step {
  const { run } = state
  return to(state, { is: 'stopping', pid: null, step: 'sweeping', next }, () => [{ do: 'sweep', run }])
}

/** Nothing is left of the life. */
function leave(state: State, next: Next, context: { policy: Policy; nowMs: number; random: number }): Step {
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

/** What an end that nobody asked for leads to. */
function judge(
  state: State,
  { exit, readyForMs, certain, reason }: Extract<Next, { to: 'judge' }>,
  { policy, nowMs, random }: { policy: Policy; nowMs: number; random: number },
): Step {
  const succeeded = exit?.code === 0
  if (policy.completes && succeeded) return to({ ...state, wasReady: true }, { is: 'done' })
  const { restart } = policy
  // A job is not repeated because services are: only where its declaration says so.
  // An exit code of 0 before it was ever ready is a failed start: that is how several servers report one.
  const isGood = succeeded && readyForMs !== null
  const again = restart.policy === 'on-failure' ? !isGood : restart.policy === 'always' && !policy.completes
  if (!again) return isGood ? to(state, { is: 'done' }) : to(state, { is: 'failed', reason, left: false })
  if (certain !== null && !state.wasReady) return to(state, { is: 'failed', reason: certain, left: false })
  const decision = decideRestart(restart, state.history, { nowMs, readyForMs: readyForMs ?? 0, random })
  if ('giveUp' in decision) {
    const words = `${decision.giveUp}; the last time: ${reason}`
    return to(state, { is: 'failed', reason: words, left: false })
  }
  const counted = { ...state, history: decision.history }
  if (decision.delayMs === 0) return spawn({ ...counted, restarts: state.restarts + 1 })
  return to(counted, { is: 'backoff', untilMs: nowMs + decision.delayMs, reason }, (seq) => [
    { do: 'wake', afterMs: decision.delayMs, seq },
  ])
}
