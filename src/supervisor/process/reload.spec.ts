import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createSpec } from '../../../test/support/specs.ts'
import { createFakeWorld, type FakeWorld } from '../../../test/support/world.ts'
import type { Instance } from './instance.ts'
import { createManaged, type Managed } from './managed.ts'
import { type ReloadContext, reloadProcess } from './reload.ts'
import { describeReload, reloadStrategy } from '../../core/reload-strategy.ts'
import type { ProcessSpec } from '../spec.ts'

const inherited = { argv: ['/venv/bin/gunicorn'], env: {}, listening: true }
const listen = ['127.0.0.1:8000']
const schedule = { cron: '0 3 * * *', tz: 'UTC' }

const manners: readonly (readonly [what: string, spec: Partial<ProcessSpec>, manner: string, words: RegExp])[] = [
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

for (const [what, more, manner, words] of manners) {
  test(`${what} is reloaded by ${manner}`, () => {
    const spec = createSpec(more)
    assert.equal(reloadStrategy(spec), manner)
    assert.match(describeReload(spec), words)
  })
}

interface Given extends FakeWorld {
  readonly managed: Managed
  readonly context: ReloadContext
  readonly current: () => Instance
  readonly beside: () => Instance
}

/** A worker that runs, and says itself when it is ready. */
function given(t: TestContext, more: Partial<ProcessSpec> = {}): Given {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const fake = createFakeWorld()
  const ready = { notify: true, intervalMs: 1, timeoutMs: 1, failures: 1, startMs: 60_000 } as const
  const managed = createManaged(createSpec({ reload: 'rolling', ready, ...more }), fake.world)
  const [slot] = managed.slots
  assert.ok(slot)
  for (const { current } of managed.slots) {
    current.start()
    current.go()
    fake.spawn(current)
    current.notified('READY=1')
  }
  fake.asked.length = 0
  const signal: ReloadContext['signal'] = ({ id, run }, name) => void fake.asked.push(`${name} ${id}#${run}`)
  const context = {
    world: fake.world,
    until: fake.until,
    save: () => {},
    signal,
    obstacle: () => null,
    isUnwanted: () => false,
  }
  return { ...fake, managed, context, current: () => slot.current, beside: () => slot.beside ?? assert.fail() }
}

/** Until what was begun has come as far as it can without news. */
const turn = (): Promise<void> => new Promise((next) => setImmediate(next))

test('the old one goes when the new one is ready, and not before', async (t) => {
  const { managed, context, asked, spawn, end, current, beside } = given(t)
  const old = current()
  const spec = createSpec({ ...managed.spec, hash: 'new' })
  const outcome = reloadProcess(managed, spec, context)
  assert.deepEqual([asked, managed.reloading], [['launch worker.1#2'], true])
  spawn(beside())
  assert.equal(current(), old)
  beside().notified('READY=1')
  await turn()
  assert.deepEqual(asked.slice(1), ['SIGTERM worker.1#1'])
  assert.deepEqual([current().run, beside()], [2, old])
  await end(old)
  assert.deepEqual({ ...(await outcome), tookMs: 0 }, { ok: true, replaced: 1, tookMs: 0 })
  assert.deepEqual(
    [managed.slots[0]?.beside, managed.spec, current().spec, managed.reloading],
    [null, spec, spec, false],
  )
})

test('where the new one fails, the old one goes on, untouched', async (t) => {
  const { managed, context, asked, spawn, end, current, beside } = given(t)
  const [old, { spec }] = [current(), managed]
  const outcome = reloadProcess(managed, createSpec({ ...spec, hash: 'new' }), context)
  spawn(beside())
  await end(beside(), { code: 1, signal: null })
  assert.deepEqual(await outcome, {
    ok: false,
    replaced: 0,
    instance: 'worker.1',
    reason: 'exit 1, before it was ready',
    details: 'last words of worker.1#2',
  })
  assert.deepEqual([current(), old.phase.is, managed.slots[0]?.beside, managed.spec], [old, 'running', null, spec])
  assert.ok(!asked.some((one) => one.endsWith('worker.1#1')))
  assert.equal(managed.reloading, false)
})

test('a new one that is not ready in time is ended, and the old one goes on', async (t) => {
  const { managed, context, asked, spawn, end, current, beside } = given(t)
  const outcome = reloadProcess(managed, managed.spec, context)
  spawn(beside())
  t.mock.timers.tick(60_000)
  assert.deepEqual(asked.slice(1), ['SIGTERM worker.1#2'])
  await end(beside())
  const result = await outcome
  assert.deepEqual([result.ok, current().run, current().phase.is], [false, 1, 'running'])
})

test('instances are replaced one after the other, and the first that fails is the last', async (t) => {
  const { managed, context, asked, spawn, end } = given(t, { instances: 3 })
  const outcome = reloadProcess(managed, managed.spec, context)
  const [first, second] = managed.slots
  assert.ok(first?.beside && second)
  spawn(first.beside)
  first.beside.notified('READY=1')
  await turn()
  assert.ok(first.beside)
  await end(first.beside)
  await turn()
  assert.ok(second.beside)
  spawn(second.beside)
  await end(second.beside, { code: 1, signal: null })
  const result = await outcome
  assert.deepEqual(result.ok ? '' : [result.replaced, result.instance], [1, 'worker.2'])
  assert.ok(!asked.some((one) => one.includes('worker.3')))
})

test('a program that does it itself is only told', async (t) => {
  const { managed, context, asked } = given(t, { reload: 'signal' })
  assert.ok((await reloadProcess(managed, managed.spec, context)).ok)
  assert.deepEqual(asked, ['SIGHUP worker.1#1'])
})

test('another declaration needs another life, also of a program that reloads itself', async (t) => {
  const { managed, context, asked, spawn, end, current } = given(t, { reload: 'signal' })
  const outcome = reloadProcess(managed, createSpec({ ...managed.spec, hash: 'new' }), context)
  assert.deepEqual(asked, ['SIGTERM worker.1#1'])
  await end(current())
  current().go()
  spawn(current())
  current().notified('READY=1')
  assert.ok((await outcome).ok)
})

test('what does not run is started', async (t) => {
  const { managed, context, asked, spawn, end, current } = given(t)
  current().stop()
  await end(current())
  const outcome = reloadProcess(managed, managed.spec, context)
  current().go()
  spawn(current())
  current().notified('READY=1')
  assert.ok((await outcome).ok)
  assert.equal(asked.at(-1), 'launch worker.1#2')
})
