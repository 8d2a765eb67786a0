import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { freePort, httpGet } from './support/net.ts'
import { waitUntil } from './support/running.ts'
import { createVersioned } from './support/versioned.ts'
import { endAll } from './support/supervised.ts'

/** Python of new code that is not fit to serve, by what is wrong with it. */
const WRONG: Readonly<Record<string, readonly [python: string, reason: RegExp, lastLine?: RegExp]>> = {
  'raises when it is imported': [
    'raise RuntimeError("nobody wrote this part")',
    /before it was ready|not ready within/,
    /nobody wrote this part/,
  ],
  'never gets to listen': ['print("goes to sleep", flush=True)\ntime.sleep(600)', /not ready within/, /goes to sleep/],
  'answers its probe with 500': ['STATUS = 500', /not ready within .*500/],
  'ends with 0 instead of serving': ['os._exit(0)', /before it was ready|not ready within/],
}

const servers: readonly (readonly [title: string, backend: string, args: Readonly<Record<string, Json>>])[] = [
  ['gunicorn with sync workers', 'gunicorn', { workers: 2 }],
  ['gunicorn with threads', 'gunicorn', { workers: 1, threads: 8 }],
  ['uvicorn', 'uvicorn', { 'no-access-log': true }],
  ['uvicorn with two workers', 'uvicorn', { workers: 2, 'no-access-log': true }],
  ['granian for WSGI', 'granian-wsgi', { 'blocking-threads': 4 }],
  ['granian for ASGI', 'granian-asgi', {}],
  ['hypercorn', 'hypercorn', {}],
  ['waitress', 'waitress', { threads: 16 }],
]

describe('a reload is refused, and the old one goes on', { concurrency: 2 }, () => {
  for (const [title, backend, args] of servers) {
    test(`by ${title}`, async (t) => {
      const port = await freePort()
      const address = ['gunicorn', 'hypercorn'].includes(backend)
        ? { bind: `127.0.0.1:${port}` }
        : { host: '127.0.0.1', port }
      const READY = { http: '/', interval: '100ms', timeout: '500ms', failures: 30 }
      const site = createVersioned(t, {
        processes: { web: { BACKEND: backend, ARGS: { ...args, ...address }, READY } },
      })
      await site.up()
      // Ready is who has one worker that answers; another one would still import what is deployed next.
      await answersOf({ port }, Number(args['workers'] ?? 1))
      const old = await site.instance('web.1')
      const before = site.alive()
      const load = site.load({ port })
      for (const [what, [python, reason, lastLine]] of Object.entries(WRONG)) {
        site.deploy(0, python)
        const { code, stdout, stderr } = await site.cli('reload', 'web')
        assert.equal(code, 4, `${what}: ${stdout}${stderr}`)
        assert.match(stderr, /REFUSED  web\.1: .*The old version goes on; nothing was changed\./, what)
        assert.match(stderr, reason, what)
        if (lastLine) assert.match(stdout + stderr, lastLine, what)
        // What it shows is of this life, and not of one before it.
        if (!python.startsWith('raise')) assert.doesNotMatch(stdout + stderr, /nobody wrote this part/, what)
        assert.deepEqual(site.alive(), before, what)
        const { pid, invocation, state, beside } = await site.instance('web.1')
        assert.deepEqual(
          { pid, run: invocation, state, beside },
          { pid: old.pid, run: old.invocation, state: 'running', beside: null },
        )
        if (lastLine) assert.match((await site.cli('logs', 'web.1', '--run', '-1')).stdout, lastLine, what)
        assert.equal(load.stats().failed, 0, what)
      }
      await site.reloadTo(1)
      assert.deepEqual((await load.stop()).failed, [])
      await endAll(site)
    })
  }

  test('by settings that cannot be read', async (t) => {
    const port = await freePort()
    const processes = { web: { BACKEND: 'uvicorn', ARGS: { host: '127.0.0.1', port } } }
    const site = createVersioned(t, { processes })
    await site.up()
    const before = site.alive()
    const load = site.load({ port })
    site.declare(processes, 'raise RuntimeError("nobody wrote this part")')
    for (const words of [['reload'], ['reload', 'web'], ['up', '-d']]) {
      const { code, stderr } = await site.cli(...words)
      assert.equal(code, 1, stderr)
      assert.match(stderr, /nobody wrote this part/)
    }
    site.declare({ web: { ...processes.web, BACKEND: 'uvicron' } })
    const { code, stderr } = await site.cli('reload')
    assert.equal(code, 4, stderr)
    assert.deepEqual(site.alive(), before)
    assert.ok(!site.events().some(({ type }) => type === 'reloading'))
    site.declare(processes)
    site.deploy(1)
    assert.equal((await site.cli('reload')).code, 0)
    site.serves(1)
    assert.deepEqual((await load.stop()).failed, [])
    assert.equal((await site.cli('down')).code, 0)
  })
})

/** Waits until so many workers have answered. */
async function answersOf(target: { readonly port: number }, workers: number): Promise<void> {
  const pids = new Set<unknown>()
  await waitUntil(async () => {
    pids.add((JSON.parse((await httpGet(target)).body) as { pid: number }).pid)
    return pids.size === workers || undefined
  })
}
