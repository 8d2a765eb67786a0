import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { OLDER_PYTHON } from './support/environment.ts'
import { freePort } from './support/net.ts'
import { createVersioned } from './support/versioned.ts'
import { endAll } from './support/supervised.ts'
import { assertNoneFailed } from './support/load.ts'

/** Servers as many projects still have them. */
const servers: readonly (readonly [title: string, backend: string, args: Readonly<Record<string, Json>>])[] = [
  ['gunicorn 23 with sync workers', 'gunicorn', { workers: 2 }],
  ['gunicorn 23 with threads', 'gunicorn', { workers: 1, threads: 8 }],
  ['uvicorn 0.34', 'uvicorn', { 'no-access-log': true }],
  ['uvicorn 0.34 with two workers', 'uvicorn', { workers: 2, 'no-access-log': true }],
  ['hypercorn 0.17', 'hypercorn', {}],
  ['daphne 4.0', 'daphne', { verbosity: 0 }],
  ['waitress 3.0.0', 'waitress', { threads: 16 }],
]
const env = { PRODSERVER_PYTHON: OLDER_PYTHON }
const RELOADS = 5

describe('older servers', { concurrency: 2 }, () => {
  for (const [title, backend, args] of servers) {
    test(`reloads of ${title} under load drop no request`, async (t) => {
      const port = await freePort()
      const address = ['gunicorn', 'hypercorn'].includes(backend)
        ? { bind: `127.0.0.1:${port}` }
        : { host: '127.0.0.1', port }
      const READY = { http: '/', interval: '50ms', failures: 400 }
      const site = createVersioned(t, {
        processes: { web: { BACKEND: backend, ARGS: { ...args, ...address }, READY } },
        env,
      })
      await site.up()
      const load = site.load({ port })
      for (let version = 1; version <= RELOADS; version++) await site.reloadTo(version)
      await assertNoneFailed(load, 20 * RELOADS)
      assert.doesNotMatch((await site.cli('logs', 'web', '--raw')).stdout, /a reload may lose requests/)
      await endAll(site)
    })
  }

  test('granian of before 2.8 opens its own socket, says so, and restarts', async (t) => {
    const port = await freePort()
    const site = createVersioned(t, { processes: { web: { BACKEND: 'granian-wsgi', ARGS: { port } } }, env })
    assert.match(
      (await site.cli('show')).stdout,
      /granian 2\.7\.9 cannot take an open socket, so a reload is a restart; 2\.8 and newer can/,
    )
    await site.up()
    const { pid } = await site.instance('web.1')
    site.deploy(1)
    assert.equal((await site.cli('reload')).code, 0)
    assert.notEqual((await site.instance('web.1')).pid, pid)
    await endAll(site)
  })
})
