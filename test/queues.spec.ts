import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../src/types.ts'
import { useBroker } from './support/brokers.ts'
import { usePostgres } from './support/postgres.ts'
import { useQueues } from './support/queues.ts'
import { startProdserver } from './support/running.ts'

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
      queues.release()
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
