import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createSpec } from '../../../test/support/specs.ts'
import { createFakeWorld, type FakeWorld, instanceAt, meetDependencies } from '../../../test/support/world.ts'
import type { ProcessSpec } from '../spec.ts'
import type { Instance } from './instance.ts'
import type { ManagedProcess } from './managed.ts'
import { describeReload, reloadStrategy } from '../../core/reload-strategy.ts'
import type { ReloadOutcome } from './state.ts'
import { othersIn, phaseOf } from './views.ts'

const inherited = { argv: ['/venv/bin/gunicorn'], env: {}, listening: true }
const listen = ['127.0.0.1:8000']
const schedule = { cron: '0 3 * * *', tz: 'UTC' }

const strategies: readonly (readonly [what: string, spec: Partial<ProcessSpec>, strategy: string, words: RegExp])[] = [
  ['a server that is given its socket', { reload: 'rolling', listen, inherited }, 'rolling', /no request is dropped/],
  ['a server that opens its address itself', { reload: 'rolling', listen }, 'restart', /away for a moment/],
  ['a worker', { reload: 'rolling' }, 'rolling', /finishes its work/],
  ['a scheduler', { reload: 'rolling', kind: 'scheduler' }, 'restart', /there may be only one/],
  ['a scheduler that says otherwise', { reload: 'signal', kind: 'scheduler' }, 'restart', /there may be only one/],
  ['a program that does it itself', { reload: 'signal' }, 'signal', /signal: HUP/],
  ['a job', { reload: 'rolling', run: 'once' }, 'restart', /away for a moment/],
  ['what runs at its times', { reload: 'rolling', schedule }, 'restart', /away for a moment/],
  ['what is restarted', { reload: 'restart' }, 'restart', /away for a moment/],
]

for (const [what, more, strategy, words] of strategies) {
  test(`${what} is reloaded by ${strategy}`, () => {
    const spec = createSpec(more)
    assert.equal(reloadStrategy(spec), strategy)
    assert.match(describeReload(spec), words)
  })
}

interface Given extends FakeWorld {
  readonly managed: ManagedProcess
  readonly current: () => Instance
  /** Returns the second instance of a slot. */
  readonly second: (slot?: number) => Instance
  readonly reload: (more?: Partial<ProcessSpec>) => void
  readonly outcome: () => ReloadOutcome | undefined
}

/** Returns a worker that runs, and reports itself when it is ready. */
function given(t: TestContext, more: Partial<ProcessSpec> = {}): Given {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const fake = createFakeWorld()
  const ready = { notify: true, intervalMs: 1, timeoutMs: 1, failures: 1, startMs: 60_000 } as const
  const managed = fake.createProcess({ reload: 'rolling', ready, ...more })
  t.after(() => managed.leave())
  managed.dispatch({ type: 'start' })
  meetDependencies(managed)
  for (const instance of managed.currents) {
    fake.spawn(instance)
    instance.notified('READY=1')
  }
  fake.asked.length = 0
  return {
    ...fake,
    managed,
    current: () => instanceAt(managed),
    second: (slot = 1) => {
      const [found] = othersIn(managed.state.slots[slot - 1] ?? assert.fail())
      return managed.instances.find(({ key }) => key === found?.key) ?? assert.fail('There is no second instance.')
    },
    reload: (changes = {}) =>
      managed.dispatch({ type: 'reload', spec: { ...managed.state.spec, ...changes }, blocker: null }),
    outcome: () => managed.state.lastReload?.outcome,
  }
}

const hasSecond = ({ state }: ManagedProcess): boolean => state.slots.some((slot) => othersIn(slot).length > 0)

test('a rolling reload stops the old instance once the new one is ready', async (t) => {
  const { managed, reload, asked, spawn, end, current, second, outcome } = given(t)
  const old = current()
  reload({ hash: 'new' })
  assert.deepEqual(asked, ['launch worker.1#2'])
  spawn(second())
  assert.equal(current(), old)
  second().notified('READY=1')
  assert.deepEqual(asked.slice(1), ['SIGTERM worker.1#1'])
  assert.deepEqual([current().state.machine.number, second()], [2, old])
  await end(old)
  assert.deepEqual(outcome(), { ok: true, replaced: 1, tookMs: 0 })
  assert.deepEqual(
    [hasSecond(managed), managed.state.spec.hash, current().state.spec, managed.state.reload],
    [false, 'new', managed.state.spec, null],
  )
})

test('a reload is refused when the new instance fails, and the old one keeps running', async (t) => {
  const { managed, reload, asked, spawn, end, current, second, outcome } = given(t)
  const old = current()
  reload({ hash: 'new' })
  spawn(second())
  await end(second(), { code: 1, signal: null })
  assert.deepEqual(outcome(), {
    ok: false,
    replaced: 0,
    instance: 'worker.1',
    reason: 'exit 1, before it was ready',
    details: 'last words of worker.1#2',
  })
  assert.deepEqual(
    [current(), phaseOf(old.state), hasSecond(managed), managed.state.spec.hash],
    [old, 'running', false, 'as declared'],
  )
  assert.ok(!asked.some((one) => one.endsWith('worker.1#1')))
})

test('a new instance that is not ready in time is stopped, and the old one keeps running', async (t) => {
  const { reload, asked, spawn, end, current, second, outcome } = given(t)
  reload()
  spawn(second())
  t.mock.timers.tick(60_000)
  assert.deepEqual(asked.slice(1), ['SIGTERM worker.1#2'])
  await end(second())
  const { machine } = current().state
  assert.deepEqual([outcome()?.ok, machine.number, machine.phase.is], [false, 1, 'running'])
})

test('a reload replaces one slot after the other, and ends with the first that fails', async (t) => {
  const { reload, asked, spawn, end, second, outcome } = given(t, { instances: 3 })
  reload()
  const first = second(1)
  spawn(first)
  first.notified('READY=1')
  await end(second(1))
  spawn(second(2))
  await end(second(2), { code: 1, signal: null })
  const result = outcome()
  assert.deepEqual(result?.ok ? '' : [result?.replaced, result?.instance], [1, 'worker.2'])
  assert.ok(!asked.some((one) => one.includes('worker.3')))
})

test('a program that reloads itself gets a signal', (t) => {
  const { reload, asked, outcome } = given(t, { reload: 'signal' })
  reload()
  assert.equal(outcome()?.ok, true)
  assert.deepEqual(asked, ['SIGHUP worker.1#1'])
})

test('another declaration restarts a program that reloads itself', async (t) => {
  const { managed, reload, asked, spawn, end, current, outcome } = given(t, { reload: 'signal' })
  reload({ hash: 'new' })
  assert.deepEqual(asked, ['SIGTERM worker.1#1'])
  await end(current())
  meetDependencies(managed)
  spawn(current())
  current().notified('READY=1')
  assert.equal(outcome()?.ok, true)
})

test('a reload starts an instance that does not run', async (t) => {
  const { managed, reload, asked, spawn, end, current, outcome } = given(t)
  current().stop()
  await end(current())
  reload()
  meetDependencies(managed)
  spawn(current())
  current().notified('READY=1')
  assert.equal(outcome()?.ok, true)
  assert.equal(asked.at(-1), 'launch worker.1#2')
})

test('new code is tried on a private socket first when its probe asks for an answer', async (t) => {
  const { reload, asked, news, spawn, end, second, outcome } = given(t, {
    listen,
    inherited,
    ready: { http: '/', intervalMs: 1000, timeoutMs: 1000, failures: 1, startMs: 60_000, notify: true },
  })
  reload()
  const canary = second()
  spawn(canary)
  assert.deepEqual([canary.state.isCanary, canary.state.spec.stop.timeoutMs], [true, 3000])
  canary.notified('READY=1')
  assert.deepEqual(asked, ['launch worker.1#2', 'SIGTERM worker.1#2'])
  await end(canary)
  const replacement = second()
  assert.equal(replacement.state.isCanary, false)
  spawn(replacement)
  replacement.notified('READY=1')
  await end(second())
  assert.equal(outcome()?.ok, true)
  // Of the canary, only its start is worth an event.
  assert.deepEqual(
    news.filter(({ invocation }) => invocation === 2).map(({ type }) => type),
    ['starting'],
  )
})

const interruptions: readonly (readonly [what: string, interrupt: (managed: ManagedProcess) => void])[] = [
  ['stopped', (managed) => managed.dispatch({ type: 'stop' })],
  ['shut down', (managed) => managed.dispatch({ type: 'close' })],
  ['stopped by its instance', (managed) => instanceAt(managed).stop()],
]

for (const [what, interrupt] of interruptions) {
  test(`a reload that is ${what} ends its new instance, and is refused`, async (t) => {
    const { managed, reload, asked, spawn, end, second, outcome } = given(t)
    reload()
    spawn(second())
    interrupt(managed)
    assert.ok(asked.includes('SIGTERM worker.1#2'))
    await end(second())
    const result = outcome()
    assert.equal(result?.ok === false && result.reason, 'it was stopped')
    assert.deepEqual([hasSecond(managed), managed.state.reload], [false, null])
  })
}

test('a reload ends well when scaling removes the slots that it has not reached', async (t) => {
  const { managed, reload, spawn, end, current, second, outcome } = given(t, { instances: 2 })
  reload()
  managed.dispatch({ type: 'scale', count: 1 })
  await end(instanceAt(managed, 1))
  spawn(second())
  second().notified('READY=1')
  await end(second())
  assert.deepEqual(outcome(), { ok: true, replaced: 1, tookMs: 0 })
  assert.deepEqual([managed.currents.length, current().state.machine.number], [1, 2])
})

test('a reload starts over in a slot that scaling removed and brought back', async (t) => {
  const { managed, reload, spawn, end, second, outcome } = given(t, { instances: 1 })
  reload()
  spawn(second())
  managed.dispatch({ type: 'scale', count: 0 })
  managed.dispatch({ type: 'scale', count: 1 })
  await end(second())
  assert.deepEqual([outcome()?.ok, managed.state.reload], [false, null])
})
