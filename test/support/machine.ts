import {
  type Event,
  initialState,
  type Phase,
  type Policy,
  type State,
} from '../../src/supervisor/process/machine-state.ts'

/** A policy under which an unexpected end is followed by another life. */
export const POLICY: Policy = {
  restart: { policy: 'always', delayMs: 1000, maxDelayMs: 60_000, limit: 10, windowMs: 600_000 },
  stopTimeoutMs: 30_000,
  completes: false,
}

/** Invocation number and sequence of every situation. */
export const NUMBER = 3
export const SEQ = 7

const pid = 42
const next = { to: 'judge', exit: null, readyForMs: null, permanent: null, reason: 'it went' } as const

/** Every phase, and every form of it that the machine tells apart. */
const PHASES = {
  stopped: [['stopped', { is: 'stopped', reason: null }]],
  waiting: [['waiting', { is: 'waiting' }]],
  starting: [
    ['starting, no pid', { is: 'starting', pid: null }],
    ['starting', { is: 'starting', pid }],
  ],
  running: [['running', { is: 'running', pid, readyMs: 0 }]],
  stopping: [
    ['asked, no pid', { is: 'stopping', pid: null, step: 'asked', next }],
    ['asked', { is: 'stopping', pid, step: 'asked', next }],
    ['killed, no pid', { is: 'stopping', pid: null, step: 'killed', next }],
    ['killed', { is: 'stopping', pid, step: 'killed', next }],
    ['cleaning', { is: 'stopping', pid: null, step: 'cleaning', next }],
  ],
  backoff: [['backoff', { is: 'backoff', untilMs: 5000, reason: 'it went' }]],
  done: [['done', { is: 'done' }]],
  failed: [
    ['failed', { is: 'failed', reason: 'it went', left: false }],
    ['failed, left', { is: 'failed', reason: 'it stays', left: true }],
  ],
} as const satisfies { readonly [Is in Phase['is']]: readonly (readonly [string, Extract<Phase, { is: Is }>])[] }

export type Situation = (typeof PHASES)[keyof typeof PHASES][number][0]

export const SITUATIONS: readonly (readonly [name: Situation, state: State])[] = Object.values(PHASES)
  .flat()
  .map(([name, phase]) => [name, { ...initialState, phase, number: NUMBER, seq: SEQ }] as const)

/** An event of every kind that concerns the life and the wait of every situation. */
export const EVENTS: { readonly [Type in Event['type']]: Extract<Event, { type: Type }> } = {
  start: { type: 'start' },
  'dependencies-met': { type: 'dependencies-met' },
  stop: { type: 'stop' },
  restart: { type: 'restart' },
  kill: { type: 'kill' },
  skip: { type: 'skip' },
  spawned: { type: 'spawned', number: NUMBER, pid },
  'spawn-failed': { type: 'spawn-failed', number: NUMBER, reason: 'no such file', permanent: false },
  ready: { type: 'ready', number: NUMBER },
  'probe-failed': { type: 'probe-failed', number: NUMBER, reason: 'no answer' },
  exited: { type: 'exited', number: NUMBER, exit: { code: 1, signal: null }, reason: 'exit 1', permanent: null },
  cleaned: { type: 'cleaned', number: NUMBER, left: [] },
  elapsed: { type: 'elapsed', seq: SEQ },
}
