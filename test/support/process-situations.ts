import type { ProcessContext, ProcessEvent, ProcessStep } from '../../src/supervisor/process/events.ts'
import { processStep } from '../../src/supervisor/process/process-step.ts'
import { createProcessState, type InstanceState, type ProcessState } from '../../src/supervisor/process/state.ts'
import { othersIn } from '../../src/supervisor/process/views.ts'
import type { ProcessSpec } from '../../src/supervisor/spec.ts'
import { createSpec } from './specs.ts'

/** Every kind of situation that a process can be in, reached by events. */

const NOW_MS = Date.UTC(2026, 0, 31, 12)
const CONTEXT: ProcessContext = { nowMs: NOW_MS, random: 0.5, probeAddressOf: () => null }

const schedule = { cron: '0 3 * * *', tz: 'UTC' }
const WORKER = createSpec({ reload: 'rolling' })
const WEB = createSpec({
  name: 'web',
  kind: 'web',
  reload: 'rolling',
  listen: ['127.0.0.1:8000'],
  inherited: { argv: ['/bin/true'], env: {}, listening: true },
  ready: { http: '/', intervalMs: 1000, timeoutMs: 1000, failures: 1, startMs: 60_000 },
})

/** Step of the way into a situation: an event, perhaps about the instance that is there. */
type Move = (state: ProcessState) => ProcessEvent

const currentOf = ({ slots }: ProcessState): InstanceState | undefined => slots[0]?.current

/** Returns the instance beside the current one; the current one if it is alone. */
const secondOf = (state: ProcessState): InstanceState | undefined =>
  (state.slots[0] && othersIn(state.slots[0])[0]) ?? currentOf(state)

const about = (instance: InstanceState | undefined): { key: number; number: number } => ({
  key: instance?.key ?? 0,
  number: instance?.machine.number ?? 0,
})

const MET = { type: 'dependencies', unmet: [], reason: '', isBlocked: false } as const

/** Facts about one instance, by name. */
const factsOf = (of: (state: ProcessState) => InstanceState | undefined) =>
  ({
    spawned: (state) => ({ type: 'spawned', ...about(of(state)), pid: 100 + about(of(state)).number, startTicks: 1 }),
    'spawn-failed': (state) => {
      const failure = { errno: 11, message: 'EAGAIN', what: 'start' }
      return { type: 'spawn-failed', ...about(of(state)), failure }
    },
    ready: (state) => ({ type: 'ready', ...about(of(state)) }),
    'probe-failed': (state) => ({ type: 'probe-failed', ...about(of(state)), reason: 'no answer', details: '' }),
    exited: (state) => {
      const exit = { code: 1, signal: null }
      return { type: 'exited', ...about(of(state)), exit, words: 'exit 1', permanent: null, details: '' }
    },
    cleaned: (state) => ({ type: 'cleaned', ...about(of(state)), left: [] }),
    elapsed: (state) => ({ type: 'elapsed', key: about(of(state)).key, seq: of(state)?.machine.seq ?? 0 }),
  }) satisfies Record<string, Move>

const CURRENT = factsOf(currentOf)
const SECOND = factsOf(secondOf)

const adopted =
  (slot: number, number: number, isLeftover: boolean): Move =>
  ({ spec }) => ({
    type: 'adopted',
    desired: 'running',
    found: {
      slot,
      invocation: {
        token: `${spec.name}.${slot}#${number}`,
        number,
        hash: spec.hash,
        startedMs: NOW_MS,
        probeAddress: null,
        pid: 100 + number,
        startTicks: 1,
      },
      ready: !isLeftover,
      restarts: 0,
      stopping: isLeftover,
      isLeftover,
      isKept: true,
    },
  })

/** Events of every kind, about the instances of the situation that they meet. */
export const EVENTS = {
  start: () => ({ type: 'start' }),
  stop: () => ({ type: 'stop' }),
  enable: () => ({ type: 'enable' }),
  close: () => ({ type: 'close' }),
  'start-instance': (state) => ({ type: 'start-instance', key: about(currentOf(state)).key }),
  'stop-instance': (state) => ({ type: 'stop-instance', key: about(currentOf(state)).key }),
  'kill-instance': (state) => ({ type: 'kill-instance', key: about(currentOf(state)).key }),
  'restart-instance': (state) => ({ type: 'restart-instance', key: about(currentOf(state)).key }),
  'scale to 0': () => ({ type: 'scale', count: 0 }),
  'scale to 2': () => ({ type: 'scale', count: 2 }),
  declare: ({ spec }) => ({ type: 'declare', spec: { ...spec, stop: { signal: 'INT', timeoutMs: 1 } } }),
  reload: ({ spec }) => ({ type: 'reload', spec: { ...spec, hash: 'changed' }, blocker: null }),
  'reload, blocked': ({ spec }) => ({ type: 'reload', spec, blocker: 'cannot start: db failed' }),
  replace: (state) => ({ type: 'replace', key: about(currentOf(state)).key }),
  release: ({ spec }) => ({ type: 'release', spec, release: 'v2' }),
  'skip-release': () => ({ type: 'skip-release' }),
  'release-failed': () => ({ type: 'release-failed', isWaived: true }),
  'dependencies met': () => MET,
  'dependencies unmet': () => ({ type: 'dependencies', unmet: ['db'], reason: 'waits for db', isBlocked: false }),
  'dependencies blocked': () => ({ type: 'dependencies', unmet: ['db'], reason: 'db failed', isBlocked: true }),
  adopted: adopted(1, 9, true),
  ...CURRENT,
  'spawned, second': SECOND.spawned,
  'spawn-failed, second': SECOND['spawn-failed'],
  'ready, second': SECOND.ready,
  'probe-failed, second': SECOND['probe-failed'],
  'exited, second': SECOND.exited,
  'cleaned, second': SECOND.cleaned,
  'elapsed, second': SECOND.elapsed,
  'output-read': (state) => {
    const news = { type: 'exited', message: 'exit 1' } as const
    return { type: 'output-read', key: about(currentOf(state)).key, news, details: 'last words' }
  },
  tick: () => ({ type: 'tick' }),
} satisfies Record<string, Move>

const UP: readonly Move[] = [EVENTS.start, EVENTS['dependencies met'], CURRENT.spawned, CURRENT.ready]
const BESIDE: readonly Move[] = [...UP, EVENTS.reload, SECOND.spawned]
const STOP: readonly Move[] = [EVENTS.stop, EVENTS['stop-instance']]
const END: readonly Move[] = [CURRENT.exited, CURRENT.cleaned]
const NEVER = { policy: 'never', delayMs: 0, maxDelayMs: 0, limit: 1, windowMs: 1 } as const
const JOB = createSpec({ run: 'once' })
const MIGRATE = createSpec({ name: 'migrate', run: 'release' })

const exitedWell: Move = (state) => ({ ...CURRENT.exited(state), exit: { code: 0, signal: null } })
const releaseV1: Move = ({ spec }) => ({ type: 'release', spec, release: 'v1' })

const WAYS = {
  stopped: [WORKER, []],
  waiting: [WORKER, [EVENTS.start]],
  'starting, no pid': [WORKER, UP.slice(0, 2)],
  starting: [WORKER, UP.slice(0, 3)],
  running: [WORKER, UP],
  stopping: [WORKER, [...UP, ...STOP]],
  cleaning: [WORKER, [...UP, CURRENT.exited]],
  backoff: [WORKER, [...UP, ...END]],
  failed: [createSpec({ restart: NEVER }), [...UP, ...END]],
  done: [JOB, [...UP.slice(0, 3), exitedWell, CURRENT.cleaned]],
  scheduled: [createSpec({ schedule }), [EVENTS.start]],
  'scaled down': [WORKER, [...UP, EVENTS['scale to 0']]],
  leftover: [WORKER, [adopted(1, 4, false), adopted(1, 5, true)]],
  'leftover, reload': [WORKER, [adopted(1, 4, false), adopted(1, 5, true), EVENTS.reload]],
  canary: [WEB, BESIDE],
  'canary-stopping': [WEB, [...BESIDE, SECOND.ready]],
  replacement: [WORKER, BESIDE],
  'replacement, no pid': [WORKER, BESIDE.slice(0, -1)],
  'replacement, stopped': [WORKER, [...BESIDE, EVENTS.stop]],
  draining: [WORKER, [...BESIDE, SECOND.ready]],
  'draining, stopped': [WORKER, [...BESIDE, SECOND.ready, EVENTS.stop]],
  restarting: [createSpec(), [...UP, EVENTS.reload]],
  'restarting, waiting': [createSpec(), [...UP, EVENTS.reload, ...END]],
  'release begun': [MIGRATE, [releaseV1, ...UP.slice(1, 3)]],
  'release due': [MIGRATE, [releaseV1, ...UP.slice(1, 3), EVENTS.release]],
  closing: [WORKER, [...UP, EVENTS.close]],
} as const satisfies Record<string, readonly [ProcessSpec, readonly Move[]]>

export type Situation = keyof typeof WAYS

const reach = (spec: ProcessSpec, moves: readonly Move[]): ProcessState =>
  moves.reduce((state, move) => processStep(state, move(state), CONTEXT).state, createProcessState(spec, NOW_MS))

export const SITUATIONS: readonly (readonly [name: Situation, state: ProcessState])[] = Object.entries(WAYS).map(
  ([name, [spec, moves]]) => [name as Situation, reach(spec, moves)],
)

export type EventName = keyof typeof EVENTS

export const takeEvent = (state: ProcessState, name: EventName): ProcessStep =>
  processStep(state, EVENTS[name](state), CONTEXT)

/** Describes a state in a few words: `running + replacement starting; reload: replacement`. */
export function describeState(state: ProcessState): string {
  const { slots, reload, desired, isClosing, release, schedule: times } = state
  const parts = [
    slots.map(describeSlot).join(', ') || 'no slot',
    ...(desired === 'stopped' ? [isClosing ? 'closing' : 'unwanted'] : []),
    ...(reload ? [`reload ${reload.phase}${reload.isInterrupted ? ' interrupted' : ''}`] : []),
    ...(release.begun === null ? [] : [`begun ${release.begun}`]),
    ...(release.due === null ? [] : [`due ${release.due}`]),
    ...(times.nextMs === null ? [] : ['planned']),
  ]
  return parts.join('; ')
}

const describeSlot = ({ current, second, leftovers, isLeaving }: ProcessState['slots'][number]): string =>
  [
    `${isLeaving ? 'leaving ' : ''}${describeInstance(current)}`,
    ...(second ? [`${second.role} ${describeInstance(second.instance)}`] : []),
    ...leftovers.map((one) => `leftover ${describeInstance(one)}`),
  ].join(' + ')

function describeInstance({ machine: { phase } }: InstanceState): string {
  if (phase.is === 'starting') return phase.pid === null ? 'starting (no pid)' : 'starting'
  return phase.is === 'stopping' ? `${phase.step} (then ${phase.next.to})` : phase.is
}
