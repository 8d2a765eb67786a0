import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { descendantsOf } from './support/processes.ts'
import { waitUntil } from './support/running.ts'
import { superviseExample } from './support/supervised-example.ts'
import { endAll } from './support/supervised.ts'

const CELERY = {
  BACKEND: 'celery-worker',
  APP: 'mysite.celery.app',
  ARGS: { concurrency: 2, loglevel: 'info' },
  READY: { log: 'ready\\.' },
}

const workers: readonly (readonly [title: string, queue: string, worker: Readonly<Record<string, Json>>])[] = [
  ['Celery', 'worker', CELERY],
  [
    'django-tasks',
    'tasks',
    { BACKEND: 'django-tasks', ARGS: { interval: 0.1, 'no-startup-delay': 'True', backend: 'default' } },
  ],
]

/**
 * An app of the project. It fails while the file `broken` is there, and lets a task of 600 seconds end as soon as the file
 * `released` is there.
 */
const EXTRA = `
import time
from pathlib import Path

folder = Path(__file__).parent
if (folder / "broken").exists():
    raise RuntimeError("nobody wrote this part")
sleep = time.sleep


def sleep_until_released(seconds):
    while seconds == 600 and not (folder / "released").exists():
        sleep(0.05)
    if seconds != 600:
        sleep(seconds)


time.sleep = sleep_until_released
`

describe('reload of a worker', { concurrency: 2 }, () => {
  for (const [title, queue, worker] of workers) {
    test(`${title}: the old one keeps its task and stays when the new one fails, and finishes it beside a good one`, async (t) => {
      const site = superviseExample(t, { processes: { worker }, settings: 'INSTALLED_APPS += ["extra"]' })
      const folder = site.env?.['DATA_DIR'] as string
      writeFileSync(join(folder, 'extra.py'), EXTRA)
      await site.manage('migrate', '-v0')
      const up = await site.cli('up', '-d')
      assert.equal(up.code, 0, up.stdout + up.stderr)
      await site.manage('enqueue', queue, site.record, 'slow', '--seconds=600')
      await site.records(1)
      const old = await site.instance('worker.1')
      const family = [old.pid as number, ...descendantsOf(old.pid as number)]

      writeFileSync(join(folder, 'broken'), '')
      const refused = await site.cli('reload', 'worker')
      assert.equal(refused.code, 4, refused.stdout + refused.stderr)
      assert.match(refused.stderr, /REFUSED.*The old version goes on/)
      assert.match(refused.stdout + refused.stderr, /nobody wrote this part/)
      assert.equal((await site.instance('worker.1')).pid, old.pid)

      rmSync(join(folder, 'broken'))
      const reloaded = site.cli('reload', 'worker')
      const next = await waitUntil(async () => {
        const now = await site.instance('worker.1')
        return now.pid !== old.pid && now.state === 'running' ? now : undefined
      })
      assert.equal(next.beside?.pid, old.pid)
      // The old worker may take another task while the signal is on its way.
      const pidOf = (text: string): number | undefined => site.recorded().find((done) => done.text === text)?.pid
      let count = 0
      await waitUntil(
        async () => {
          const text = `quick${count++}`
          await site.manage('enqueue', queue, site.record, text)
          return !family.includes(await waitUntil(() => pidOf(text))) || undefined
        },
        30_000,
        () => `The new worker does none of ${count} tasks.`,
      )
      assert.equal(pidOf('slow'), undefined, 'The old one still has its task.')
      writeFileSync(join(folder, 'released'), '')
      const finishedBy = await waitUntil(() => pidOf('slow'))
      assert.ok(family.includes(finishedBy), 'The old one finishes what it has begun.')
      const { code, stderr } = await reloaded
      assert.equal(code, 0, stderr)
      await endAll(site)
    })
  }

  for (const option of ['pidfile', 'statedb', 'beat'] as const) {
    test(`Celery with --${option} is restarted: two cannot run beside each other`, async (t) => {
      const value = option === 'beat' ? true : '/tmp/never-made'
      const site = superviseExample(t, {
        processes: { worker: { ...CELERY, ARGS: { ...CELERY.ARGS, [option]: value } }, other: CELERY },
      })
      const { stdout } = await site.cli('show', '--json')
      const plan = JSON.parse(stdout) as { processes: readonly { name: string; reload: string }[] }
      assert.deepEqual(
        plan.processes.map(({ name, reload }) => [name, reload]),
        [
          ['worker', 'restart'],
          ['other', 'rolling'],
        ],
      )
    })
  }
})
