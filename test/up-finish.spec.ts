import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { useBroker } from './support/brokers.ts'
import { descendantsOf, isRunning } from './support/processes.ts'
import { superviseExample } from './support/supervised-example.ts'
import { endAll } from './support/supervised.ts'

/** A worker whose task is running when it is asked to stop, by the name under which the example gives it work. */
interface Queue {
  readonly name: string
  readonly worker: Readonly<Record<string, Json>>
  readonly enqueue: string
  /** Where its tasks wait; undefined where the test is skipped. */
  readonly env?: (t: TestContext) => Promise<Readonly<Record<string, string>> | undefined>
}

const QUEUES: readonly Queue[] = [
  {
    name: 'Celery with Redis',
    worker: {
      BACKEND: 'celery-worker',
      APP: 'mysite.celery.app',
      ARGS: { concurrency: 2, loglevel: 'info' },
      READY: { log: 'ready\\.' },
    },
    enqueue: 'worker',
    env: async (t) => {
      const broker = await useBroker(t, 'Redis')
      return broker && { CELERY_BROKER_URL: broker.url() }
    },
  },
  {
    name: 'Celery with files',
    worker: {
      BACKEND: 'celery-worker',
      APP: 'mysite.celery.app',
      ARGS: { concurrency: 2, loglevel: 'info' },
      READY: { log: 'ready\\.' },
    },
    enqueue: 'worker',
  },
  {
    name: 'django-tasks',
    worker: { BACKEND: 'django-tasks', ARGS: { interval: 0.1, 'no-startup-delay': 'True' } },
    enqueue: 'tasks',
  },
  { name: 'Django-Q2', worker: { BACKEND: 'django-q2' }, enqueue: 'queue' },
]

for (const { name, worker, enqueue, env } of QUEUES) {
  test(`stop lets ${name} finish the task that is running`, async (t) => {
    const more = env ? await env(t) : {}
    if (!more) return
    const site = superviseExample(t, { processes: { worker }, env: more })
    await site.manage('migrate', '-v0')
    const up = await site.cli('up', '-d')
    assert.equal(up.code, 0, up.stderr + up.stdout)
    await site.manage('enqueue', enqueue, site.record, 'slow', '--seconds=2')
    assert.deepEqual(await site.records(1), ['slow started'])
    const { pid } = await site.instance('worker.1')
    const all = [pid as number, ...descendantsOf(pid as number)]
    const { code, stdout } = await site.cli('stop', 'worker')
    assert.equal(code, 0, stdout)
    assert.deepEqual(await site.records(2), ['slow started', 'slow'])
    assert.deepEqual(all.filter(isRunning), [])
    const { lastExit, state } = await site.instance('worker.1')
    assert.deepEqual({ state, code: lastExit?.code }, { state: 'stopped', code: 0 })
    assert.ok(!typesIn(site.stateDir).includes('killed'))
    await endAll(site)
  })
}

test('a task that takes longer than a worker is given is ended with it', async (t) => {
  const worker = { ...QUEUES[1]!.worker, STOP: { timeout: '500ms' } }
  const site = superviseExample(t, { processes: { worker } })
  assert.equal((await site.cli('up', '-d')).code, 0)
  await site.manage('enqueue', 'worker', site.record, 'endless', '--seconds=600')
  assert.deepEqual(await site.records(1), ['endless started'])
  const { pid } = await site.instance('worker.1')
  const all = [pid as number, ...descendantsOf(pid as number)]
  assert.ok(all.length >= 3, 'The pool has processes of its own.')
  const { code, stdout } = await site.cli('stop', 'worker')
  assert.equal(code, 0)
  assert.match(stdout, /worker\.1 .*killed: it did not stop within 0\.5s/)
  assert.deepEqual(all.filter(isRunning), [])
  await site.cli('down')
  assert.deepEqual(site.alive(), [])
})

const typesIn = (stateDir: string): readonly string[] =>
  readFileSync(join(stateDir, 'events.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { type: string }).type)
