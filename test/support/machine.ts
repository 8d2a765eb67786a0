import { type Event, initialState, type Phase, type Policy, type State } from '../../src/supervisor/process/machine.ts'

/** A policy under which an unexpected end is followed by another life. */
export const POLICY: Policy = {
  restart: { policy: 'always', delayMs: 1000, maxDelayMs: 60_000, limit: 10, windowMs: 600_000 },
  stopTimeoutMs: 30_000,
  completes: false,
}

/** Run and sequence of every situation. */
export const RUN = 3
export const SEQ = 7

const pid = 42
const next = { to: 'judge', exit: null, readyForMs: null, certain: null, reason: 'it went' } as const

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
    ['sweeping', { is: 'stopping', pid: null, step: 'sweeping', next }],
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
  .map(([name, phase]) => [name, { ...initialState, phase, run: RUN, seq: SEQ }] as const)

/** An event of every kind that concerns the life and the wait of every situation. */
export const EVENTS: { readonly [Type in Event['type']]: Extract<Event, { type: Type }> } = {
  start: { type: 'start' },
  go: { type: 'go' },
  stop: { type: 'stop' },
  restart: { type: 'restart' },
  kill: { type: 'kill' },
  skip: { type: 'skip' },
  spawned: { type: 'spawned', run: RUN, pid },
  'spawn-failed': { type: 'spawn-failed', run: RUN, reason: 'no such file', certain: false },
  ready: { type: 'ready', run: RUN },
  unfit: { type: 'unfit', run: RUN, reason: 'no answer' },
  exited: { type: 'exited', run: RUN, exit: { code: 1, signal: null }, reason: 'exit 1', certain: null },
  swept: { type: 'swept', run: RUN, left: [] },
  elapsed: { type: 'elapsed', seq: SEQ },
}
