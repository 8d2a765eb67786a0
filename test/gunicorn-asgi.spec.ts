import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Problem } from '../src/core/errors.ts'
import type { Json } from '../src/core/types.ts'
import { OLDER_PYTHON } from './support/environment.ts'
import { freePort } from './support/net.ts'
import { createProject } from './support/project.ts'
import { prodserver } from './support/running.ts'
import { serve } from './support/site.ts'
import { createVersioned } from './support/versioned.ts'
import { endAll } from './support/supervised.ts'
import { assertNoneFailed } from './support/load.ts'

const UVICORN_WORKER = 'uvicorn_worker.UvicornWorker'

const ways: Readonly<Record<string, readonly [backend: string, args: Readonly<Record<string, Json>>]>> = {
  'its own worker class for it': ['gunicorn', { 'worker-class': 'asgi' }],
  "uvicorn's worker class": ['django_prodserver.backends.gunicorn.GunicornServer', { worker_class: UVICORN_WORKER }],
  'the backend for it': ['prodserver.backends.gunicorn.GunicornASGIServer', {}],
  'the backend for it and another class': ['gunicorn-asgi', { k: 'uvicorn.workers.UvicornWorker' }],
}

describe('gunicorn for ASGI', { concurrency: 2 }, () => {
  for (const [way, [backend, args]] of Object.entries(ways)) {
    test(`gunicorn runs the ASGI application with ${way}`, async (t) => {
      const site = await serve(t, backend, ({ port }) => ({ bind: `127.0.0.1:${port}`, workers: 1, ...args }))
      const { interface: kind, parent } = await site.facts()
      assert.deepEqual([kind, parent], ['asgi', site.running.pid])
      await site.meetInEventLoop()
      await site.stop()
    })
  }

  for (const [title, args] of [
    ['its own workers', { workers: 2, 'worker-class': 'asgi' }],
    ["uvicorn's workers", { workers: 2, 'worker-class': UVICORN_WORKER }],
  ] as const) {
    test(`reloads of gunicorn with ${title} under load drop no request`, async (t) => {
      const port = await freePort()
      const READY = { http: '/', interval: '50ms', failures: 400 }
      const web = { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}`, ...args }, READY }
      const site = createVersioned(t, { processes: { web } })
      await site.up()
      const load = site.load({ port })
      for (let version = 1; version <= 3; version += 1) await site.reloadTo(version)
      await assertNoneFailed(load, 50)
      await endAll(site)
    })
  }
})

test('show says which application gunicorn runs, and why', async (t) => {
  const settings = `PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"worker-class": "asgi"}}}`
  const { stdout } = await prodserver(t, ['show', 'web'], { cwd: createProject(t, { settings }) })
  assert.match(stdout, /mysite\.asgi:application/)
  assert.match(stdout, /gunicorn runs the ASGI application with these ARGS/)
})

test('a gunicorn without a worker class for ASGI is found by check', async (t) => {
  const settings = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn-asgi"}}'
  const { code, stdout } = await prodserver(t, ['check', '--json', '--python', OLDER_PYTHON], {
    cwd: createProject(t, { settings }),
  })
  const { id, message } = JSON.parse(stdout) as Problem
  assert.deepEqual([code, id], [4, 'E304'])
  assert.match(message, /^gunicorn 23\.0\.0 does not take "worker-class" like this: .*\basgi\b/)
})
