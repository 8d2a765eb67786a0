import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createFakeWorld, type FakeWorld, instanceAt, meetDependencies } from '../../../test/support/world.ts'
import type { Instance } from './instance.ts'
import type { ManagedProcess } from './managed.ts'
import { isMoving, phaseOf, processStatus } from './views.ts'
import type { InstanceStatus } from '../../control/protocol.ts'
import type { StartFailure } from '../shim/messages.ts'
import type { ProcessSpec } from '../spec.ts'

const STOP_MS = 30_000
/** Ready when it says so itself. */
const ready = { notify: true, intervalMs: 1000, timeoutMs: 1000, failures: 1, startMs: 60_000 } as const

interface Given extends FakeWorld {
  readonly managed: ManagedProcess
  readonly instance: Instance
  /** Lets the instance start now: its dependencies are met. */
  readonly go: () => void
  /** Lets time pass, for timers as well. */
  readonly pass: (ms: number) => void
}

function given(t: TestContext, more: Partial<ProcessSpec> = {}): Given {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const fake = createFakeWorld()
  const managed = fake.createProcess({ ready, ...more })
  managed.dispatch({ type: 'enable' })
  t.after(() => managed.leave())
  const pass = (ms: number): void => {
    fake.advance(ms)
    t.mock.timers.tick(ms)
  }
  return { ...fake, managed, instance: instanceAt(managed), go: () => meetDependencies(managed), pass }
}

/** As given, and running. */
function running(t: TestContext, more: Partial<ProcessSpec> = {}): Given {
  const all = given(t, more)
  const { instance, spawn, go } = all
  instance.start()
  go()
  spawn(instance)
  instance.notified('STATUS=warm\nREADY=1')
  assert.equal(phaseOf(instance.state), 'running')
  return all
}

const statusOf = ({ state }: ManagedProcess): InstanceStatus => processStatus(state).instances[0] ?? assert.fail()

test('from its start to its end, everything is told in its order', async (t) => {
  const { instance, news, asked, spawn, end, pass, go } = given(t)
  instance.start()
  go()
  pass(100)
  spawn(instance)
  pass(400)
  instance.notified('READY=1')
  pass(12_000)
  instance.stop()
  await end(instance)
  assert.deepEqual(
    news.map(({ type, message }) => `${type}: ${message}`),
    [
      'starting: started, pid 1001',
      'ready: ready after 0.5s',
      'stopping: stopping',
      'exited: exit 0, after 13s',
      'stopped: stopped',
    ],
  )
  assert.deepEqual(asked, ['launch worker.1#1', 'SIGTERM worker.1#1', 'clean 1001', 'ended worker.1#1'])
  assert.equal(instance.state.invocation, null)
})

test('its status says what is, and nothing of a life that is over', async (t) => {
  const { instance, end, managed } = running(t)
  const { state, pid, invocation, startedAt, readyAt, restarts, lastExit } = statusOf(managed)
  assert.deepEqual(
    { state, pid, invocation, startedAt, readyAt, restarts, lastExit },
    {
      state: 'running',
      pid: 1001,
      invocation: 1,
      startedAt: '2026-01-31T00:00:00.000Z',
      readyAt: '2026-01-31T00:00:00.000Z',
      restarts: 0,
      lastExit: null,
    },
  )
  await end(instance, { code: 1, signal: null })
  const over = statusOf(managed)
  assert.deepEqual([over.state, over.pid, over.startedAt, over.readyAt], ['backoff', null, null, null])
  assert.deepEqual([over.lastExit?.words, over.reason, over.nextAt], ['exit 1', 'exit 1', '2026-01-31T00:00:01.000Z'])
})

test('asked twice to stop, it is signalled once, and killed when the time of the first is over', async (t) => {
  const { instance, asked, news, end, pass } = running(t, { stop: { signal: 'QUIT', timeoutMs: STOP_MS } })
  instance.stop()
  pass(STOP_MS - 1)
  instance.stop()
  assert.deepEqual(asked.slice(1), ['SIGQUIT worker.1#1'])
  pass(1)
  assert.deepEqual(asked.slice(1), ['SIGQUIT worker.1#1', 'SIGKILL worker.1#1'])
  assert.equal(news.at(-1)?.message, 'killed: it did not stop within 30s')
  await end(instance, { code: null, signal: 'SIGKILL' })
  assert.equal(phaseOf(instance.state), 'stopped')
})

test('killed while it is to start again, it does not', async (t) => {
  const { instance, asked, news, end } = running(t)
  instance.restart()
  instance.kill()
  assert.deepEqual(asked.slice(1), ['SIGTERM worker.1#1', 'SIGKILL worker.1#1'])
  assert.equal(news.at(-1)?.message, 'killed')
  await end(instance)
  assert.equal(phaseOf(instance.state), 'stopped')
})

test('it starts again when all of its last life has gone, after its delay', async (t) => {
  const { instance, asked, cleaned, pass } = running(t)
  instance.exited({ code: 1, signal: null })
  pass(60_000)
  assert.deepEqual(asked.slice(1), ['clean 1001'])
  await cleaned()
  pass(999)
  assert.deepEqual(asked.slice(2), ['ended worker.1#1'])
  pass(1)
  assert.deepEqual(asked.slice(3), ['launch worker.1#2'])
  assert.equal(instance.state.machine.restarts, 1)
})

test('it does not start beside what cannot be ended, and tries again to end that when it is asked to start', async (t) => {
  const { instance, asked, news, cleaned, go } = running(t)
  instance.exited({ code: 1, signal: null })
  await cleaned(['pid 7 python'])
  assert.equal(phaseOf(instance.state), 'failed')
  assert.deepEqual(
    news.slice(-2).map(({ type, message }) => `${type}: ${message}`),
    ['left-behind: cannot be ended: pid 7 python', 'failed: it cannot be ended: pid 7 python'],
  )
  instance.start()
  go()
  assert.deepEqual(asked.slice(1), ['clean 1001', 'clean 1001'])
  await cleaned()
  go()
  assert.deepEqual(asked.slice(3), ['ended worker.1#1', 'launch worker.1#2'])
})

test('one that was asked to stop before it was there is signalled as soon as it is', (t) => {
  const { instance, asked, spawn, go } = given(t)
  instance.start()
  go()
  instance.stop()
  assert.deepEqual(asked, ['launch worker.1#1'])
  spawn(instance)
  assert.deepEqual(asked.slice(1), ['SIGTERM worker.1#1'])
})

test('what is not ready in time is stopped, and starts again', async (t) => {
  const { instance, asked, news, spawn, end, pass, go } = given(t)
  instance.start()
  go()
  spawn(instance)
  pass(ready.startMs)
  assert.equal(news.at(-2)?.message, 'not ready within 1m')
  assert.equal(news.at(-2)?.details, 'last words of worker.1#1')
  assert.deepEqual(asked.slice(1), ['SIGTERM worker.1#1'])
  await end(instance)
  assert.equal(phaseOf(instance.state), 'backoff')
})

test('who is to run to completion is ready at once, and done when it succeeded', async (t) => {
  const { instance, spawn, end, news, go } = given(t, { run: 'once' })
  instance.start()
  go()
  spawn(instance)
  assert.deepEqual([phaseOf(instance.state), isMoving(instance.state)], ['running', true])
  await end(instance)
  assert.deepEqual([phaseOf(instance.state), isMoving(instance.state)], ['done', false])
  assert.equal(news.find(({ type }) => type === 'exited')?.details, undefined)
})

test('the last words of who ends unasked are kept', async (t) => {
  const { instance, news, end } = running(t)
  await end(instance, { code: 1, signal: null })
  assert.equal(news.find(({ type }) => type === 'exited')?.details, 'last words of worker.1#1')
})

test('who was asked to stop has no last words', async (t) => {
  const { instance, news, end } = running(t)
  instance.stop()
  await end(instance)
  assert.equal(news.find(({ type }) => type === 'exited')?.details, undefined)
})

test('the last ten ends are remembered', async (t) => {
  const { instance, spawn, end, go } = given(t, {
    restart: { policy: 'never', delayMs: 0, maxDelayMs: 0, limit: 1, windowMs: 1 },
  })
  for (let life = 1; life <= 12; life++) {
    instance.restart()
    go()
    spawn(instance)
    await end(instance, { code: life, signal: null })
  }
  assert.deepEqual(
    instance.state.exits.map(({ code }) => code),
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  )
})

test('an adopted invocation that stops gets no second signal, and has its stop timeout again', async (t) => {
  const { createProcess, asked, end } = createFakeWorld()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const managed = createProcess({ ready })
  t.after(() => managed.leave())
  const invocation = {
    token: 'worker.1#7',
    number: 7,
    hash: '',
    startedMs: 0,
    probeAddress: null,
    pid: 42,
    startTicks: 1,
  }
  const found = { slot: 1, invocation, ready: true, restarts: 3, stopping: true, isLeftover: false, isKept: true }
  managed.dispatch({ type: 'adopted', found, desired: 'running' })
  const instance = instanceAt(managed)
  instance.stop()
  assert.deepEqual(asked, ['adopt worker.1#7'])
  t.mock.timers.tick(STOP_MS)
  assert.deepEqual(asked.slice(1), ['SIGKILL worker.1#7'])
  await end(instance)
  const { machine } = instance.state
  assert.deepEqual([machine.phase.is, machine.restarts, machine.number], ['stopped', 3, 7])
})

test('left alone, it does nothing any more', (t) => {
  const { instance, asked, pass, managed } = running(t)
  instance.stop()
  managed.leave()
  pass(STOP_MS * 2)
  assert.deepEqual(asked.slice(1), ['SIGTERM worker.1#1'])
})

const ENOENT = 2
const EAGAIN = 11

const failures: readonly (readonly [failure: StartFailure, state: string, reason: string])[] = [
  [
    { errno: ENOENT, message: 'No such file or directory', what: 'program' },
    'failed',
    '/bin/true cannot be started: No such file or directory',
  ],
  [
    { errno: EAGAIN, message: 'Resource temporarily unavailable', what: 'program' },
    'backoff',
    '/bin/true cannot be started: Resource temporarily unavailable',
  ],
  [
    { errno: ENOENT, message: 'No such file or directory', what: 'CWD' },
    'failed',
    'its working directory / cannot be entered: No such file or directory',
  ],
  [
    { errno: 1, message: 'Operation not permitted', what: 'USER' },
    'failed',
    'it cannot become the user www: Operation not permitted',
  ],
  [{ errno: 22, message: 'Invalid argument', what: 'LIMITS' }, 'failed', 'its LIMITS cannot be set: Invalid argument'],
  [
    { errno: EAGAIN, message: '', what: 'lock: pid 7' },
    'failed',
    'another one of it runs already on this machine: pid 7',
  ],
]

for (const [failure, state, expected] of failures) {
  test(`a start that fails with ${failure.what} ${failure.errno} leads to ${state}`, (t) => {
    const { instance, asked, go, managed } = given(t, { user: 'www' })
    instance.start()
    go()
    instance.spawnFailed(failure)
    const { state: is, reason } = statusOf(managed)
    assert.deepEqual([is, reason], [state, expected])
    assert.deepEqual(asked, ['launch worker.1#1', 'ended worker.1#1'])
  })
}
