import type { Context, Event, Phase, State, Step } from './machine-state.ts'
import {
  askToStop,
  awaitsSpawn,
  begin,
  clean,
  followWith,
  judge,
  kill,
  leave,
  spawn,
  to,
  unchanged,
} from './machine-transitions.ts'

/**
 * Decides what one instance does next, without doing anything: `step` takes an event and returns the new state and the
 * effects to carry out. It knows neither processes nor clocks.
 *
 * An event that comes too late, from an earlier invocation or an earlier timer, changes nothing: `number` identifies
 * the invocation, `seq` the state that set the timer.
 */
export function step(state: State, event: Event, context: Context): Step {
  if ('number' in event && event.number !== state.number) return unchanged(state)
  switch (event.type) {
    case 'start':
      return start(state)
    case 'dependencies-met':
      return state.phase.is === 'waiting' ? spawn(state, context) : unchanged(state)
    case 'stop':
      return stop(state, context)
    case 'restart':
      return restart(state, context)
    case 'kill':
      return killNow(state)
    case 'skip':
      return skip(state)
    case 'spawned':
      return spawned(state, event, context)
    case 'spawn-failed':
      return spawnFailed(state, event, context)
    case 'ready':
      return ready(state, context)
    case 'probe-failed':
      return probeFailed(state, event, context)
    case 'exited':
      return exited(state, event, context)
    case 'cleaned':
      return cleaned(state, event, context)
    case 'elapsed':
      return event.seq === state.seq ? elapsed(state, context) : unchanged(state)
    default:
      return event satisfies never
  }
}

type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>

function start(state: State): Step {
  const { phase } = state
  switch (phase.is) {
    case 'stopped':
    case 'done':
    case 'backoff':
      return begin(state)
    case 'failed':
      return phase.left ? clean(state, { to: 'start' }) : begin(state)
    case 'stopping':
      return followWith(state, phase, { to: 'start' })
    case 'waiting':
    case 'starting':
    case 'running':
      return unchanged(state)
    default:
      return phase satisfies never
  }
}

function stop(state: State, context: Context): Step {
  const { phase } = state
  if (isUp(phase)) return askToStop(state, phase.pid, { to: 'stopped' }, context)
  return phase.is === 'stopping' ? followWith(state, phase, { to: 'stopped' }) : stopIdle(state, phase)
}

const isUp = (phase: Phase): phase is Extract<Phase, { is: 'starting' | 'running' }> =>
  phase.is === 'starting' || phase.is === 'running'

/** Stops an instance that has no process, or only survivors of a cleanup. */
function stopIdle(
  state: State,
  phase: Extract<Phase, { is: 'waiting' | 'backoff' | 'failed' | 'stopped' | 'done' }>,
): Step {
  if (phase.is === 'stopped' || phase.is === 'done') return unchanged(state)
  if (phase.is === 'failed' && phase.left) return clean(state, { to: 'stopped' })
  return to(state, { is: 'stopped', reason: null })
}

function restart(state: State, context: Context): Step {
  const { phase } = state
  switch (phase.is) {
    case 'starting':
    case 'running':
      return askToStop(state, phase.pid, { to: 'start' }, context)
    case 'stopping':
      return followWith(state, phase, { to: 'start' })
    case 'stopped':
    case 'waiting':
    case 'backoff':
    case 'done':
      return begin(state)
    case 'failed':
      return phase.left ? clean(state, { to: 'start' }) : begin(state)
    default:
      return phase satisfies never
  }
}

/** Kills an instance and keeps it from starting again. */
function killNow(state: State): Step {
  const { phase } = state
  const next = { to: 'stopped' } as const
  if (isUp(phase)) return kill(state, { is: 'stopping', pid: phase.pid, step: 'asked', next })
  if (phase.is !== 'stopping') return stopIdle(state, phase)
  return phase.step === 'asked' ? kill(state, { ...phase, next }) : followWith(state, phase, next)
}

function skip(state: State): Step {
  const { phase } = state
  const mayStart = phase.is === 'stopped' || (phase.is === 'failed' && !phase.left)
  return mayStart ? to(state, { is: 'done' }) : unchanged(state)
}

function spawned(state: State, { pid }: EventOf<'spawned'>, context: Context): Step {
  const { phase } = state
  if (!awaitsSpawn(phase)) return unchanged(state)
  if (phase.is === 'starting') return to(state, { ...phase, pid })
  // The stop came before the process.
  return phase.step === 'killed' ? kill(state, { ...phase, pid }) : askToStop(state, pid, phase.next, context)
}

function spawnFailed(state: State, { reason, permanent }: EventOf<'spawn-failed'>, context: Context): Step {
  const { phase } = state
  if (!awaitsSpawn(phase)) return unchanged(state)
  if (phase.is === 'stopping') return leave(state, phase.next, context)
  const verdict = { to: 'judge', exit: null, readyForMs: null, permanent: permanent ? reason : null, reason } as const
  return judge(state, verdict, context)
}

function ready(state: State, { nowMs }: Context): Step {
  const { phase } = state
  if (phase.is !== 'starting' || phase.pid === null) return unchanged(state)
  return to({ ...state, wasReady: true }, { is: 'running', pid: phase.pid, readyMs: nowMs })
}

function probeFailed(state: State, { reason }: EventOf<'probe-failed'>, context: Context): Step {
  const { phase } = state
  if (!isUp(phase)) return unchanged(state)
  const readyForMs = readyFor(phase, context)
  return askToStop(state, phase.pid, { to: 'judge', exit: null, readyForMs, permanent: null, reason }, context)
}

function exited(state: State, { exit, reason, permanent }: EventOf<'exited'>, context: Context): Step {
  const { phase } = state
  if (phase.is === 'stopping' && phase.step !== 'cleaning') return clean(state, phase.next)
  if (!isUp(phase)) return unchanged(state)
  return clean(state, { to: 'judge', exit, readyForMs: readyFor(phase, context), permanent, reason })
}

const readyFor = (phase: Phase, { nowMs }: Context): number | null =>
  phase.is === 'running' ? nowMs - phase.readyMs : null

function cleaned(state: State, { left }: EventOf<'cleaned'>, context: Context): Step {
  const { phase } = state
  if (phase.is !== 'stopping' || phase.step !== 'cleaning') return unchanged(state)
  if (left.length === 0) return leave(state, phase.next, context)
  // No copy starts beside survivors.
  const reason = `it cannot be ended: ${left.join('; ')}`
  return to(state, { is: 'failed', reason, left: true })
}

function elapsed(state: State, context: Context): Step {
  const { phase } = state
  if (phase.is === 'backoff') return spawn({ ...state, restarts: state.restarts + 1 }, context)
  if (phase.is !== 'stopping' || phase.pid === null) return unchanged(state)
  // The cleanup names a process that survives SIGKILL.
  return phase.step === 'asked' ? kill(state, phase, true) : clean(state, phase.next)
}
