import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { BACKENDS } from '../src/backends/index.ts'
import type { Problem } from '../src/core/errors.ts'
import type { Json } from '../src/core/types.ts'
import { useBroker } from './support/brokers.ts'
import { onlyDjango } from './support/only-django.ts'
import { usePostgres } from './support/postgres.ts'
import { type Queues, useQueues } from './support/queues.ts'
import { prodserver, startProdserver } from './support/running.ts'

/** Workers, each with the option that keeps it to one queue, and what it says when it is asked to stop. */
interface Worker {
  readonly library: string
  readonly declaration: Readonly<Record<string, Json>>
  readonly signal?: NodeJS.Signals
  readonly stops: RegExp
  /** Null where the library has no queues. */
  readonly otherQueue?: null
}

const workers: Readonly<Record<string, Worker>> = {
  'django-rq': {
    library: 'rq',
    declaration: { BACKEND: 'django-rq', ARGS: { queues: ['default', 'mail'], 'with-scheduler': 'True' } },
    stops: /Warm shut down requested/i,
  },
  rq: {
    library: 'rq',
    declaration: { BACKEND: 'rq', ARGS: { url: 'REDIS', queues: 'default, mail' } },
    stops: /Warm shut down requested/i,
  },
  'django-dramatiq': {
    library: 'dramatiq',
    declaration: { BACKEND: 'django-dramatiq', ARGS: { queues: ['default', 'mail'], processes: 2, threads: 2 } },
    stops: /Stopping worker process/,
  },
  dramatiq: {
    library: 'plain_dramatiq',
    declaration: { BACKEND: 'dramatiq', APP: 'mysite.plain:broker', ARGS: { Q: 'default mail', p: 1 } },
    stops: /Stopping worker process/,
    otherQueue: null,
  },
  huey: {
    library: 'huey',
    declaration: { BACKEND: 'huey', ARGS: { workers: 2, worker_type: 'process', 'no-periodic': true } },
    signal: 'SIGINT',
    stops: /Received SIGINT/,
    otherQueue: null,
  },
  procrastinate: {
    library: 'procrastinate',
    declaration: { BACKEND: 'procrastinate', ARGS: { queues: ['default', 'mail'], concurrency: 2, verbosity: 1 } },
    stops: /Stop requested/,
  },
  'channels-worker': {
    library: 'channels',
    declaration: { BACKEND: 'channels-worker', ARGS: { channels: ['default', 'mail'] } },
    signal: 'SIGINT',
    stops: /(?:)/,
    otherQueue: null,
  },
}

describe('workers', { concurrency: 2 }, () => {
  for (const [name, { library, declaration, signal = 'SIGTERM', stops, otherQueue }] of Object.entries(workers)) {
    test(`${name} executes what is in its queues, and when it is asked to stop it finishes what runs`, async (t) => {
      const broker = await useBroker(t, 'Redis')
      const postgres = name === 'procrastinate' ? await usePostgres(t) : undefined
      if (!broker || (name === 'procrastinate' && !postgres)) return
      const redis = broker.url()
      const worker = JSON.parse(JSON.stringify(declaration).replace('REDIS', redis)) as Json
      const queues = useQueues(t, { processes: { worker }, redis, postgres })
      if (postgres) await queues.manage('migrate', '-v0')
      const running = startProdserver(t, ['run', 'worker'], queues)
      const elsewhere = otherQueue === null ? [] : [[library, 'news', 'elsewhere'] as const]
      await queues.send(...elsewhere, [library, 'default', 'quick'], [library, 'mail', 'mail'])
      await queues.record('quick', running.output)
      await queues.record('mail', running.output)
      await queues.send([library, 'mail', 'hold'])
      const { pid } = await queues.record('hold started', running.output)
      running.signal(signal)
      await running.waitForOutput(stops)
      queues.release('hold')
      assert.deepEqual(await running.ended(), { code: 0, signal: null }, running.output())
      assert.deepEqual(
        queues
          .recorded()
          .map(({ text }) => text)
          .toSorted(),
        ['hold', 'hold started', 'mail', 'quick'],
      )
      assert.equal((await queues.record('hold')).pid, pid)
    })
  }
})

test('the scheduler of django-rq sends its jobs once, a worker executes them, and on TERM it ends with 0', async (t) => {
  const broker = await useBroker(t, 'Redis')
  if (!broker) return
  const processes = {
    worker: { BACKEND: 'django-rq' },
    beat: { BACKEND: 'django-rq-cron', APP: 'mysite/cron.py', ARGS: { 'logging-level': 'INFO' } },
  }
  const cron = `
from rq import cron

from mysite.work import work

cron.register(work, queue_name="default", args=("beat",), interval=600)
`
  const queues = useQueues(t, { processes, redis: broker.url(), files: { 'mysite/cron.py': cron } })
  const worker = startProdserver(t, ['run', 'worker'], queues)
  const beat = startProdserver(t, ['run', 'beat'], queues)
  await queues.record('beat', beat.output)
  beat.signal('SIGTERM')
  assert.deepEqual(await beat.ended(), { code: 0, signal: null }, beat.output())
  assert.equal(queues.recorded().length, 1)
  assert.ok(worker.isRunning())
})

test('options decide how a worker is stopped, and whether two can be beside each other', async (t) => {
  const processes = {
    huey: { BACKEND: 'huey', ARGS: { 'graceful-signal': 'TERM' } },
    'huey-letter': { BACKEND: 'huey', ARGS: { g: 'INT' } },
    rq: { BACKEND: 'django-rq', ARGS: { name: 'one' } },
    dramatiq: { BACKEND: 'django-dramatiq', ARGS: { pidfile: 'run.pid' } },
  }
  const queues = useQueues(t, { processes, ...nowhere })
  const { stdout } = await prodserver(t, ['show', '--json'], queues)
  const plan = JSON.parse(stdout) as { processes: readonly { stop: { signal: string }; reload: string }[] }
  assert.deepEqual(
    plan.processes.map(({ stop, reload }) => [stop.signal, reload]),
    [
      ['TERM', 'rolling'],
      ['INT', 'rolling'],
      ['TERM', 'restart'],
      ['TERM', 'restart'],
    ],
  )
})

/** Options that the programs do not have, and values that they do not take; and what is said of them. */
const wrong: Readonly<Record<string, readonly [declared: Readonly<Record<string, Json>>, said: readonly string[]]>> = {
  'django-rq': [
    { ARGS: { bursts: true, 'max-jobs': 'many' } },
    [
      'django-rq 0 has no option "bursts".',
      `django-rq 0 does not take "max-jobs" like this: invalid int value: 'many'.`,
    ],
  ],
  'django-rq-cron': [
    { APP: 'mysite/cron.py', ARGS: { 'loggin-level': 'INFO' } },
    ['django-rq cron 0 has no option "loggin-level".'],
  ],
  rq: [
    { ARGS: { worker: 4, 'results-ttl': 'x' } },
    ['rq 0 has no option "worker".', `rq 0 does not take "results-ttl" like this: 'x' is not a valid integer.`],
  ],
  'django-dramatiq': [
    { ARGS: { procs: 4, threads: 'x' } },
    [
      'django-dramatiq 0 has no option "procs".',
      `django-dramatiq 0 does not take "threads" like this: invalid int value: 'x'.`,
    ],
  ],
  dramatiq: [
    { APP: 'mysite.plain', ARGS: { 'pid-files': 'x', queues: 'a b', processes: 'x' } },
    [
      'dramatiq 0 has no option "pid-files".',
      `dramatiq 0 does not take "processes" like this: invalid int value: 'x'.`,
    ],
  ],
  huey: [
    { ARGS: { threads: 4, delay: 'x', 'worker-type': 'greenlet' } },
    ['huey 0 has no option "threads".', `huey 0 does not take "delay" like this: invalid float value: 'x'.`],
  ],
  procrastinate: [
    { ARGS: { concurency: 4, concurrency: 'x', verbosity: 1 } },
    [
      'procrastinate 0 has no option "concurency".',
      `procrastinate 0 does not take "concurrency" like this: invalid int value: 'x'.`,
    ],
  ],
  'channels-worker': [{ ARGS: { channels: 'a', layers: 'x' } }, ['channels worker 0 has no option "layers".']],
}

const nowhere = { redis: 'redis://127.0.0.1:1', postgres: 'postgres://a:b@127.0.0.1:1/c' }

test('check finds options that the installed workers do not have, and values that they do not take', async (t) => {
  const processes = Object.fromEntries(
    Object.entries(wrong).map(([name, [more]]) => [name, { BACKEND: name, ...more }]),
  )
  const problems = await check(t, useQueues(t, { processes, ...nowhere }))
  assert.deepEqual(
    problems.map(({ message }) => message.replace(/ \d+(\.\d+)+ /, ' 0 ')),
    Object.values(wrong).flatMap(([, said]) => said),
  )
})

test('check says of each worker what must be installed, and what must be in INSTALLED_APPS', async (t) => {
  const backends = BACKENDS.filter(({ name }) => name in wrong)
  const processes = Object.fromEntries(backends.map(({ name }) => [name, { BACKEND: name, APP: 'mysite.plain' }]))
  const queues = useQueues(t, { processes, ...nowhere, settings: 'INSTALLED_APPS = ["mysite"]\n' })
  const missing = await check(t, queues, '--python', await onlyDjango(t))
  const apps = backends.filter(({ python }) => python?.installedApps)
  assert.deepEqual(
    missing.filter(({ id }) => id === 'E203').map(({ process, hint }) => [process, hint?.split(' ').at(-1)]),
    backends.map(({ name, python }) => [name, python?.package]),
  )
  assert.deepEqual(
    (await check(t, queues)).map(({ id, process, hint }) => [id, process, hint]),
    apps.map(({ name, python }) => [
      'E204',
      name,
      `Add "${python?.installedApps?.[0]}" to INSTALLED_APPS, then: python manage.py migrate`,
    ]),
  )
})

test('check --deploy finds a broker that does not answer, and queues that no worker takes from', async (t) => {
  const processes = {
    rq: { BACKEND: 'django-rq', ARGS: { queues: 'mail' } },
    dramatiq: { BACKEND: 'django-dramatiq', ARGS: { queues: ['default', 'mail'] } },
    huey: { BACKEND: 'huey' },
    'huey-more': { BACKEND: 'huey', INSTANCES: 2 },
    'huey-most': { BACKEND: 'huey', INSTANCES: 4, ARGS: { n: true } },
    procrastinate: { BACKEND: 'procrastinate', ARGS: { queues: 'mail,default' } },
    'procrastinate-more': { BACKEND: 'procrastinate', ARGS: { q: 'more' } },
    tasks: { BACKEND: 'django-tasks', ARGS: { queue: 'mail' } },
  }
  const settings = `
INSTALLED_APPS += ["django_tasks", "django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "mail"]}}
`
  const problems = await check(t, useQueues(t, { processes, settings, ...nowhere }), '--deploy')
  const refused = 'Its broker cannot be reached: Error 111 connecting to 127.0.0.1:1. Connection refused.'
  assert.deepEqual(
    problems.flatMap(({ id, process, message }) => (process === undefined ? [] : [[id, process, message]])),
    [
      ['E704', 'rq', refused],
      ['W708', 'rq', 'RQ_QUEUES has the queue "default", and no worker takes from it.'],
      ['W708', 'rq', 'RQ_QUEUES has the queue "news", and no worker takes from it.'],
      ['E704', 'dramatiq', refused],
      ['W708', 'dramatiq', 'work_news goes to the queue "news", and no worker takes from it.'],
      ['E704', 'huey', refused],
      ['E402', 'huey', '3 processes start the periodic tasks of huey, and so yearly would run 3 times.'],
      ['W708', 'procrastinate', 'work goes to the queue "news", and no worker takes from it.'],
      ['W708', 'tasks', 'TASKS has the queue "default", and no worker takes from it.'],
    ],
  )
})

async function check(t: TestContext, queues: Queues, ...options: readonly string[]): Promise<readonly Problem[]> {
  const { stdout, code } = await prodserver(t, ['check', '--json', ...options], queues)
  assert.equal(code, 4)
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Problem)
}
