import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENTS, POLICY, NUMBER, SEQ, type Situation, SITUATIONS } from '../../../test/support/machine.ts'
import { step } from './machine.ts'
import {
  adoptedState,
  type Event,
  initialState,
  type Phase,
  type Policy,
  type State,
  type Step,
} from './machine-state.ts'

const context = { policy: POLICY, nowMs: 10_000, random: 0.5, nextNumber: NUMBER + 1 }

/** `stopping asked, then start: signal, wake`; `-` where nothing changes. */
function describe(before: State, { state, effects }: Step): string {
  if (state === before) {
    assert.deepEqual(effects, [])
    return '-'
  }
  const done = effects.map((effect) => (effect.do === 'kill' && effect.late ? 'late kill' : effect.do)).join(', ')
  return `${describePhase(state.phase)}${done && `: ${done}`}`
}

function describePhase(phase: Phase): string {
  if (phase.is === 'starting') return phase.pid === null ? 'starting, no pid' : 'starting'
  if (phase.is === 'failed') return phase.left ? 'failed, left' : 'failed'
  if (phase.is !== 'stopping') return phase.is
  const pid = phase.pid === null && phase.step !== 'cleaning' ? ', no pid' : ''
  return `${phase.step}${pid}, then ${phase.next.to}`
}

type Row = readonly [outcome: string, situations: readonly Situation[]]

const STOPPING = ['asked, no pid', 'asked', 'killed, no pid', 'killed', 'cleaning'] as const

/** What each event leads to, from every situation. A stopping life ends by its own fault, unless somebody decides anew. */
const TABLE: Readonly<Record<Event['type'], readonly Row[]>> = {
  start: [
    ['waiting', ['stopped', 'backoff', 'done', 'failed']],
    ['asked, no pid, then start', ['asked, no pid']],
    ['asked, then start', ['asked']],
    ['killed, no pid, then start', ['killed, no pid']],
    ['killed, then start', ['killed']],
    ['cleaning, then start', ['cleaning']],
    ['cleaning, then start: clean', ['failed, left']],
    ['-', ['waiting', 'starting, no pid', 'starting', 'running']],
  ],
  'dependencies-met': [
    ['starting, no pid: spawn', ['waiting']],
    [
      '-',
      ['stopped', 'starting, no pid', 'starting', 'running', ...STOPPING, 'backoff', 'done', 'failed', 'failed, left'],
    ],
  ],
  stop: [
    ['stopped', ['waiting', 'backoff', 'failed']],
    ['asked, no pid, then stopped', ['starting, no pid', 'asked, no pid']],
    ['asked, then stopped: signal, wake', ['starting', 'running']],
    // Neither a second signal nor more time.
    ['asked, then stopped', ['asked']],
    ['killed, no pid, then stopped', ['killed, no pid']],
    ['killed, then stopped', ['killed']],
    ['cleaning, then stopped', ['cleaning']],
    ['cleaning, then stopped: clean', ['failed, left']],
    ['-', ['stopped', 'done']],
  ],
  restart: [
    ['waiting', ['stopped', 'waiting', 'backoff', 'done', 'failed']],
    ['asked, no pid, then start', ['starting, no pid', 'asked, no pid']],
    ['asked, then start: signal, wake', ['starting', 'running']],
    ['asked, then start', ['asked']],
    ['killed, no pid, then start', ['killed, no pid']],
    ['killed, then start', ['killed']],
    ['cleaning, then start', ['cleaning']],
    ['cleaning, then start: clean', ['failed, left']],
  ],
  kill: [
    ['stopped', ['waiting', 'backoff', 'failed']],
    ['killed, no pid, then stopped', ['starting, no pid', 'asked, no pid', 'killed, no pid']],
    ['killed, then stopped: kill, wake', ['starting', 'running', 'asked']],
    ['killed, then stopped', ['killed']],
    ['cleaning, then stopped', ['cleaning']],
    ['cleaning, then stopped: clean', ['failed, left']],
    ['-', ['stopped', 'done']],
  ],
  skip: [
    ['done', ['stopped', 'failed']],
    ['-', ['waiting', 'starting, no pid', 'starting', 'running', ...STOPPING, 'backoff', 'done', 'failed, left']],
  ],
  spawned: [
    ['starting', ['starting, no pid']],
    ['asked, then judge: signal, wake', ['asked, no pid']],
    ['killed, then judge: kill, wake', ['killed, no pid']],
    // A life that has ended is signalled no more.
    ['-', ['cleaning']],
    [
      '-',
      ['stopped', 'waiting', 'starting', 'running', 'asked', 'killed', 'backoff', 'done', 'failed', 'failed, left'],
    ],
  ],
  'spawn-failed': [
    ['backoff: wake', ['starting, no pid', 'asked, no pid', 'killed, no pid']],
    // What is being swept may still be there: the next life waits for that.
    ['-', ['cleaning']],
    [
      '-',
      ['stopped', 'waiting', 'starting', 'running', 'asked', 'killed', 'backoff', 'done', 'failed', 'failed, left'],
    ],
  ],
  ready: [
    ['running', ['starting']],
    [
      '-',
      ['stopped', 'waiting', 'starting, no pid', 'running', ...STOPPING, 'backoff', 'done', 'failed', 'failed, left'],
    ],
  ],
  'probe-failed': [
    ['asked, no pid, then judge', ['starting, no pid']],
    ['asked, then judge: signal, wake', ['starting', 'running']],
    ['-', ['stopped', 'waiting', ...STOPPING, 'backoff', 'done', 'failed', 'failed, left']],
  ],
  exited: [
    [
      'cleaning, then judge: clean',
      ['starting, no pid', 'starting', 'running', 'asked, no pid', 'asked', 'killed, no pid', 'killed'],
    ],
    ['-', ['stopped', 'waiting', 'cleaning', 'backoff', 'done', 'failed', 'failed, left']],
  ],
  cleaned: [
    ['backoff: wake', ['cleaning']],
    ['-', ['stopped', 'waiting', 'starting, no pid', 'starting', 'running', 'asked, no pid', 'asked']],
    ['-', ['killed, no pid', 'killed', 'backoff', 'done', 'failed', 'failed, left']],
  ],
  elapsed: [
    ['starting, no pid: spawn', ['backoff']],
    ['killed, then judge: late kill, wake', ['asked']],
    ['cleaning, then judge: clean', ['killed']],
    // Whether there is a life is known first.
    ['-', ['asked, no pid', 'killed, no pid']],
    [
      '-',
      ['stopped', 'waiting', 'starting, no pid', 'starting', 'running', 'cleaning', 'done', 'failed', 'failed, left'],
    ],
  ],
}

for (const [type, rows] of Object.entries(TABLE)) {
  test(`${type} has one outcome from every situation`, () => {
    const listed = rows.flatMap(([, situations]) => situations)
    assert.deepEqual(listed.toSorted(), SITUATIONS.map(([name]) => name).toSorted())
  })
  for (const [situation, state] of SITUATIONS) {
    const expected = rows.find(([, situations]) => situations.includes(situation))?.[0]
    test(`${type} in ${situation}: ${expected}`, () => {
      const result = step(state, EVENTS[type as Event['type']], context)
      assert.equal(describe(state, result), expected)
    })
  }
}

for (const [situation, state] of SITUATIONS) {
  test(`news of another life, and of a wait that is over, change nothing in ${situation}`, () => {
    for (const event of Object.values(EVENTS)) {
      const late = 'number' in event ? [NUMBER - 1, NUMBER + 1].map((number) => ({ ...event, number })) : []
      const over = 'seq' in event ? [SEQ - 1, SEQ + 1].map((seq) => ({ ...event, seq })) : []
      for (const other of [...late, ...over]) assert.equal(describe(state, step(state, other, context)), '-')
    }
  })
}

test('a wait goes on while only what follows the stop is decided anew', () => {
  const asked = states('asked')
  for (const type of ['start', 'stop', 'restart'] as const) {
    const { state } = step(asked, EVENTS[type], context)
    assert.equal(state.seq, asked.seq)
    assert.match(describe(state, step(state, EVENTS.elapsed, context)), /^killed, .*: late kill, wake$/)
  }
})

test('what was asked to start again forgets how it fared before', () => {
  const history = { failures: 9, restartsMs: [1, 2, 3] }
  for (const type of ['start', 'restart'] as const) {
    for (const [situation, given] of SITUATIONS) {
      let { state } = step({ ...given, history, wasReady: true }, EVENTS[type], context)
      if (state.phase.is === 'stopping')
        state = step(step(state, EVENTS.exited, context).state, EVENTS.cleaned, context).state
      if (state.phase.is !== 'waiting' || situation === 'waiting') continue
      assert.deepEqual([situation, state.history.failures, state.wasReady], [situation, 0, false])
    }
  }
})

test('what cannot be ended is named, and nothing starts beside it', () => {
  const event: Event = { ...EVENTS.cleaned, left: ['pid 7 python', 'pid 8 sh'] }
  const { state } = step(states('cleaning'), event, context)
  assert.deepEqual(state.phase, {
    is: 'failed',
    reason: 'it cannot be ended: pid 7 python; pid 8 sh',
    left: true,
  })
  const again = step(state, EVENTS.start, context)
  assert.deepEqual(again.effects, [{ do: 'clean', number: NUMBER }])
  assert.equal(step(again.state, EVENTS.cleaned, context).state.phase.is, 'waiting')
})

const ok = { code: 0, signal: null }
const bad = { code: 1, signal: null }
const unseen = { code: null, signal: null }

type Kind = Partial<Policy['restart']> & { readonly completes?: boolean }

/** Ends that nobody asked for, and what becomes of them. */
const ENDS: readonly (readonly [
  what: string,
  kind: Kind,
  from: 'starting' | 'running',
  event: Partial<typeof EVENTS.exited>,
  expected: string,
])[] = [
  ['a service that ends is started again', {}, 'running', { exit: ok }, 'backoff'],
  ['a service that fails is started again', {}, 'running', { exit: bad }, 'backoff'],
  ['a service whose end nobody saw is started again', {}, 'running', { exit: unseen }, 'backoff'],
  [
    'a service that fails permanently before it was ready has failed',
    {},
    'starting',
    { exit: bad, permanent: 'no module' },
    'failed: no module',
  ],
  ['on-failure leaves what ended well', { policy: 'on-failure' }, 'running', { exit: ok }, 'done'],
  ['on-failure starts what failed', { policy: 'on-failure' }, 'running', { exit: bad }, 'backoff'],
  [
    'on-failure takes an end before it was ready for a failed start',
    { policy: 'on-failure' },
    'starting',
    { exit: ok, reason: 'exit 0' },
    'backoff',
  ],
  ['never leaves what ended well', { policy: 'never' }, 'running', { exit: ok }, 'done'],
  ['never leaves what failed', { policy: 'never' }, 'running', { exit: bad, reason: 'exit 1' }, 'failed: exit 1'],
  ['a job that succeeded is done', { completes: true }, 'running', { exit: ok }, 'done'],
  ['a job that succeeded before anybody looked is done', { completes: true }, 'starting', { exit: ok }, 'done'],
  [
    'a job that failed is not repeated',
    { completes: true },
    'running',
    { exit: bad, reason: 'exit 1' },
    'failed: exit 1',
  ],
  [
    'a job that failed is repeated where it says so',
    { completes: true, policy: 'on-failure' },
    'running',
    { exit: bad },
    'backoff',
  ],
  ['no delay is no wait', { delayMs: 0, maxDelayMs: 0 }, 'running', { exit: bad }, 'starting'],
  ['too many ends are the last', { limit: 1, windowMs: 1 }, 'running', { exit: bad }, 'backoff'],
]

for (const [what, { completes = false, ...restart }, from, event, expected] of ENDS) {
  test(what, () => {
    const policy = { ...POLICY, restart: { ...POLICY.restart, ...restart }, completes }
    const ended = step(states(from), { ...EVENTS.exited, ...event }, { ...context, policy })
    const { state } = step(ended.state, EVENTS.cleaned, { ...context, policy })
    const { phase } = state
    assert.equal(phase.is === 'failed' ? `failed: ${phase.reason}` : phase.is, expected)
    if (phase.is === 'starting') assert.equal(state.restarts, 1)
  })
}

test('it is given up after as many restarts as are allowed, with the last reason', () => {
  const policy = { ...POLICY, restart: { ...POLICY.restart, limit: 2 } }
  const given = { ...context, policy }
  let state = states('running')
  const phases: string[] = []
  for (let ends = 1; ends <= 3; ends++) {
    const { number } = state
    state = step(state, { ...EVENTS.exited, number }, given).state
    state = step(state, { ...EVENTS.cleaned, number }, given).state
    phases.push(state.phase.is)
    if (state.phase.is !== 'backoff') break
    state = step(state, { ...EVENTS.elapsed, seq: state.seq }, given).state
    state = step(state, { ...EVENTS.spawned, number: state.number }, given).state
  }
  assert.deepEqual(phases, ['backoff', 'backoff', 'failed'])
  assert.ok(state.phase.is === 'failed')
  assert.equal(state.phase.reason, 'it ended 3 times in 0s; the last time: exit 1')
  assert.equal(state.restarts, 2)
})

test('a process that was ready once starts again after a permanent failure', () => {
  const state = { ...states('starting'), wasReady: true }
  const { state: ended } = step(state, { ...EVENTS.exited, permanent: 'no module' }, context)
  assert.equal(step(ended, EVENTS.cleaned, context).state.phase.is, 'backoff')
})

test('a permanent start failure is final; another start failure is followed by a restart', () => {
  const failed = step(states('starting, no pid'), { ...EVENTS['spawn-failed'], permanent: true }, context)
  assert.equal(describe(initialState, failed), 'failed')
  const again = step(states('starting, no pid'), EVENTS['spawn-failed'], context)
  assert.equal(describe(initialState, again), 'backoff: wake')
})

test('a life that was taken over goes on where it was', () => {
  const given = { number: 5, pid: 42, restarts: 2, nowMs: 1000, ready: false, stopping: false }
  assert.deepEqual(adoptedState(given).phase, { is: 'starting', pid: 42 })
  assert.deepEqual(adoptedState({ ...given, ready: true }).phase, { is: 'running', pid: 42, readyMs: 1000 })
  const stopping = adoptedState({ ...given, stopping: true })
  assert.equal(describePhase(stopping.phase), 'asked, then start')
  assert.equal(stopping.restarts, 2)
  const late = step(stopping, { type: 'elapsed', seq: stopping.seq }, context)
  assert.equal(describe(stopping, late), 'killed, then start: late kill, wake')
})

function states(situation: Situation): State {
  const found = SITUATIONS.find(([name]) => name === situation)
  assert.ok(found)
  return found[1]
}
