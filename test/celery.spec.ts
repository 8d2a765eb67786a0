import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { useBroker } from './support/brokers.ts'
import { freePort } from './support/net.ts'
import { type Example, useExample } from './support/example.ts'
import { childrenOf, parentOf } from './support/processes.ts'
import { startProdserver } from './support/running.ts'

const worker = (args: Json = {}, app = 'mysite.celery.app'): Json => ({
  BACKEND: 'django_prodserver.backends.celery.CeleryWorker',
  APP: app,
  ARGS: args,
})

for (const name of ['Redis', 'RabbitMQ'] as const) {
  test(`executes tasks sent through ${name}, and on TERM finishes the one that runs and exits with 0`, async (t) => {
    const broker = await useBroker(t, name)
    if (!broker) return
    const processes = { worker: worker({ concurrency: 2 }) }
    const example = useExample(t, { processes, env: { CELERY_BROKER_URL: broker.url() } })
    const running = startProdserver(t, ['run', 'worker'], example)
    await example.manage('enqueue', 'worker', example.record, 'quick')
    await example.waitForRecords(1, running)
    await example.manage('enqueue', 'worker', example.record, 'slow', '--seconds=2')
    await example.waitForRecords(2, running)
    assert.deepEqual(texts(example), ['quick', 'slow started'])
    running.signal('SIGTERM')
    assert.deepEqual(await running.ended(), { code: 0, signal: null }, running.output())
    assert.deepEqual(texts(example), ['quick', 'slow started', 'slow'])
  })
}

test('a task is executed only by the worker that has its queue, named in a list or in a string', async (t) => {
  const broker = await useBroker(t, 'Redis')
  if (!broker) return
  const processes = { first: worker({ queues: ['a', 'b'] }), second: worker({ queues: 'c,d' }) }
  const example = useExample(t, { processes, env: { CELERY_BROKER_URL: broker.url() } })
  const first = startProdserver(t, ['run', 'first'], example)
  const second = startProdserver(t, ['run', 'second'], example)
  await send(example, ['a', 'b', 'c', 'd', 'a', 'b', 'c', 'd'])
  const records = await example.waitForRecords(8, first)
  const executed = (by: number): string[] =>
    records.flatMap(({ text, pid }) => (parentOf(pid) === by ? text : [])).toSorted()
  assert.deepEqual(executed(first.pid), ['a', 'a', 'b', 'b'])
  assert.deepEqual(executed(second.pid), ['c', 'c', 'd', 'd'])
})

const spellings: Readonly<Record<string, Json>> = {
  'by their names': { concurrency: 3, loglevel: 'info', queues: ['a', 'b'], 'task-events': true, hostname: 'one@host' },
  'by their letters': { c: 3, l: 'info', Q: ['a', 'b'], E: true, n: 'one@host' },
  'in the quotes of a shell script': {
    concurrency: '3',
    loglevel: 'INFO',
    queues: 'a,b',
    events: 'True',
    n: 'one@host',
  },
}

for (const [spelling, args] of Object.entries(spellings)) {
  test(`options of the worker given ${spelling} are in effect`, async (t) => {
    const broker = await useBroker(t, 'Redis')
    if (!broker) return
    const example = useExample(t, { processes: { worker: worker(args) }, env: { CELERY_BROKER_URL: broker.url() } })
    const running = startProdserver(t, ['run', 'worker'], example)
    // Logged at INFO, and the default is WARNING.
    await running.waitForOutput(/one@host ready\./)
    assert.match(running.stdout(), /concurrency: 3 \(prefork\)/)
    assert.match(running.stdout(), /task events: ON/)
    assert.deepEqual(
      [...running.stdout().matchAll(/\.> (\w+) +exchange=/g)].map(([, queue]) => queue),
      ['a', 'b'],
    )
    assert.equal(childrenOf(running.pid).length, 3)
  })
}

test('max-tasks-per-child replaces the process that executes after that many tasks', async (t) => {
  const broker = await useBroker(t, 'Redis')
  if (!broker) return
  const processes = { worker: worker({ concurrency: 1, 'max-tasks-per-child': 2 }) }
  const example = useExample(t, { processes, env: { CELERY_BROKER_URL: broker.url() } })
  const running = startProdserver(t, ['run', 'worker'], example)
  await send(example, ['celery', 'celery', 'celery', 'celery'])
  const pids = (await example.waitForRecords(4, running)).map(({ pid }) => pid)
  assert.deepEqual([pids[0] === pids[1], pids[1] === pids[2], pids[2] === pids[3]], [true, false, true])
  assert.doesNotMatch(running.output(), /INFO/, 'The log level is not what was left out.')
})

/** Options of `celery` itself, which it refuses after the sub-command. */
const globals: Readonly<Record<string, (broker: string) => { args: Json; extra: readonly string[] }>> = {
  'by their names': (broker) => ({ args: { loglevel: 'info', broker, quiet: true }, extra: [] }),
  'by their letters': (broker) => ({ args: { l: 'info', b: broker, q: true }, extra: [] }),
  'on the command line': (broker) => ({ args: { loglevel: 'info' }, extra: ['--quiet', '--broker', broker] }),
  'on the command line by their letters': (broker) => ({ args: { l: 'info', b: 'a' }, extra: ['-q', '-b', broker] }),
}

for (const [spelling, declare] of Object.entries(globals)) {
  test(`options of celery itself given ${spelling} are in effect`, async (t) => {
    const broker = await useBroker(t, 'Redis')
    if (!broker) return
    const url = broker.url()
    const { args, extra } = declare(url)
    const processes = { worker: worker(args) }
    const unused = `redis://127.0.0.1:${await freePort()}`
    const example = useExample(t, { processes, env: { CELERY_BROKER_URL: unused } })
    const running = startProdserver(t, ['run', 'worker', ...extra], example)
    const [connected] = await running.waitForOutput(/Connected to redis:.*(?=\n)/)
    assert.equal(connected.split('@')[1], url.split('//')[1])
    assert.doesNotMatch(running.output(), /\[queues\]/, 'The banner is not quiet.')
  })
}

test('APP may be a package, a module, or an attribute of a module with a dot or a colon', async (t) => {
  const broker = await useBroker(t, 'Redis')
  if (!broker) return
  const forms = ['mysite', 'mysite.celery', 'mysite.celery.app', 'mysite.celery:app']
  const processes = Object.fromEntries(
    forms.map((app, index) => [`worker${index}`, worker({ queues: app, pool: 'solo' }, app)]),
  )
  const example = useExample(t, { processes, env: { CELERY_BROKER_URL: broker.url() } })
  const workers = Object.keys(processes).map((name) => startProdserver(t, ['run', name], example))
  await send(example, forms)
  const records = await example.waitForRecords(forms.length, workers[0]!)
  assert.deepEqual(
    forms.map((form) => records.find(({ text }) => text === form)?.pid),
    workers.map(({ pid }) => pid),
  )
})

test('beat sends a periodic task on schedule, a worker executes it, and on TERM it saves the schedule', async (t) => {
  const broker = await useBroker(t, 'Redis')
  if (!broker) return
  const processes = {
    worker: worker({ concurrency: 1 }),
    beat: {
      BACKEND: 'django_prodserver.backends.celery.CeleryBeat',
      APP: 'mysite.celery.app',
      ARGS: { loglevel: 'info', schedule: 'SCHEDULE' },
    },
  }
  const example = useExample(t, {
    processes,
    settings: `
PRODUCTION_PROCESSES["beat"]["ARGS"]["schedule"] = DATA_DIR / "schedule"
CELERY_BEAT_SCHEDULE["record"]["args"] = [str(DATA_DIR / "record.txt"), "beat"]
del CELERY_BEAT_SCHEDULE["greet"]  # it needs a database
`,
    env: { CELERY_BROKER_URL: broker.url(), BEAT_SECONDS: '1' },
  })
  const running = startProdserver(t, ['run', 'worker'], example)
  const beat = startProdserver(t, ['run', 'beat'], example)
  const records = await example.waitForRecords(3, running)
  assert.ok(records.every(({ text, pid }) => text === 'beat' && parentOf(pid) === running.pid))
  const sent = [...beat.output().matchAll(/^\[(.+?),(\d+): INFO\/MainProcess\] .*Sending due task record/gm)].map(
    ([, second, ms]) => Date.parse(`${second}.${ms}`),
  )
  assert.ok(sent.length >= 3, beat.output())
  for (const [index, time] of sent.slice(1).entries()) {
    const apart = time - (sent[index] as number)
    assert.ok(apart >= 900, `Two were sent ${apart} ms apart.\n${beat.output()}`)
  }
  beat.signal('SIGTERM')
  assert.deepEqual(await beat.ended(), { code: 0, signal: null }, beat.output())
  assert.ok(readdirSync(join(example.record, '..')).some((name) => name.startsWith('schedule')))
})

const texts = (example: Example): string[] => example.recorded().map(({ text }) => text)

/** Sends tasks to the queues of these names; each leaves a line with its queue's name. */
const send = (example: Example, queues: readonly string[]): Promise<string> =>
  example.python(`
from mysite.tasks import record_in_celery

for queue in ${JSON.stringify(queues)}:
    record_in_celery.apply_async([${JSON.stringify(example.record)}, queue], queue=queue)
`)
