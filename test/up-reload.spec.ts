import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { assertNoneFailed, type LoadTarget } from './support/load.ts'
import { freePort } from './support/net.ts'
import { childrenOf } from './support/processes.ts'
import { waitUntil } from './support/running.ts'
import { createVersioned, type Versioned } from './support/versioned.ts'
import { endAll } from './support/supervised.ts'

type Args = Readonly<Record<string, Json>>

const servers: readonly (readonly [title: string, backend: string, args: Args])[] = [
  ['gunicorn with sync workers', 'gunicorn', { workers: 3 }],
  ['gunicorn with threads', 'gunicorn', { workers: 1, threads: 8 }],
  ['uvicorn', 'uvicorn', { 'no-access-log': true }],
  ['uvicorn with two workers', 'uvicorn', { workers: 2, 'no-access-log': true }],
  ['granian for WSGI', 'granian-wsgi', { 'blocking-threads': 4 }],
  ['granian for ASGI', 'granian-asgi', {}],
  ['hypercorn', 'hypercorn', {}],
  ['waitress', 'waitress', { threads: 16 }],
]

const READY = { http: '/', interval: '50ms', failures: 400 }
const RELOADS = 20
const CLIENTS = 8

/** Where it listens, in its own words and in ours. */
async function addressOf(backend: string, site: string | null): Promise<[args: Args, target: LoadTarget]> {
  if (site === null) {
    const port = await freePort()
    const bind = { bind: `127.0.0.1:${port}` }
    return [['gunicorn', 'hypercorn'].includes(backend) ? bind : { host: '127.0.0.1', port }, { port }]
  }
  const socketPath = join(site, 'web.sock')
  const names: Readonly<Record<string, string>> = { gunicorn: 'bind', hypercorn: 'bind', waitress: 'unix-socket' }
  const name = names[backend] ?? 'uds'
  return [{ [name]: name === 'bind' ? `unix:${socketPath}` : socketPath }, { socketPath }]
}

/** Reads everything that runs but the supervisor and its shim. */
async function watchServed(site: Versioned): Promise<() => ReadonlySet<number>> {
  const { pid, shimPid } = await site.supervisor()
  return () => new Set(site.alive().filter((each) => each !== pid && each !== shimPid))
}

describe('reload', { concurrency: 2 }, () => {
  for (const [title, backend, args] of servers) {
    test(`${RELOADS} reloads of ${title} under load drop no request`, async (t) => {
      const [address, target] = await addressOf(backend, null)
      const site = createVersioned(t, {
        processes: { web: { BACKEND: backend, ARGS: { ...args, ...address }, READY } },
      })
      await site.up()
      const served = await watchServed(site)
      const load = site.load(target)
      for (let version = 1; version <= RELOADS; version += 1) {
        const before = served()
        // A reload of the whole process also reads the settings.
        await site.reloadTo(version, version % 5 === 0 ? 'web' : 'web.1')
        assert.deepEqual(
          [...served()].filter((pid) => before.has(pid)),
          [],
        )
      }
      await assertNoneFailed(load, 20 * RELOADS)
      await endAll(site)
    })
  }

  for (const [title, backend, args] of servers) {
    if (args['workers'] !== undefined && backend === 'uvicorn') continue
    test(`${title} reloads two instances on one Unix socket, and another declaration, and drops no request`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'prodserver-socket-'))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      const [address, target] = await addressOf(backend, folder)
      const web = { BACKEND: backend, ARGS: { ...args, ...address }, READY, INSTANCES: 2 }
      const site = createVersioned(t, { processes: { web } })
      await site.up()
      const load = site.load(target)
      site.deploy(1)
      assert.equal((await site.cli('reload')).code, 0)
      site.serves(1)
      const first = await site.ps()
      site.declare({ web: { ...web, ENV: { CHANGED: 'yes' } } })
      site.deploy(2)
      await site.up()
      site.serves(2)
      const second = await site.ps()
      assert.equal(new Set([...first, ...second].map(({ pid }) => pid)).size, 4)
      await assertNoneFailed(load, 50)
      assert.ok(existsSync(join(folder, 'web.sock')))
      await endAll(site)
      assert.ok(!existsSync(join(folder, 'web.sock')))
    })
  }

  test('up with another number of workers drops no request, and up with the same changes nothing', async (t) => {
    const port = await freePort()
    const declared = (workers: number): Record<string, Json> => ({
      web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}`, workers }, READY },
    })
    const site = createVersioned(t, { processes: declared(2) })
    const workers = async (): Promise<readonly number[]> => childrenOf((await site.instance('web.1')).pid as number)
    await site.up()
    const load = site.load({ port })
    assert.equal((await workers()).length, 2)
    site.declare(declared(3))
    await site.up()
    const three = await workers()
    assert.equal(three.length, 3)
    await site.up()
    assert.deepEqual(await workers(), three)
    assert.deepEqual((await load.stop()).failed, [])
    await endAll(site)
  })

  for (const [title, backend, args] of servers) {
    test(`of two instances of ${title}, the death of one fails only the requests that it was answering`, async (t) => {
      const [address, target] = await addressOf(backend, null)
      const web = { BACKEND: backend, ARGS: { ...args, ...address }, READY, INSTANCES: 2, RESTART: { delay: '1s' } }
      const site = createVersioned(t, { processes: { web } })
      await site.up()
      const load = site.load(target)
      const startedMs = performance.now()
      await waitUntil(() => load.stats().requests > 30 || undefined)
      const { pid, invocation } = await site.instance('web.1')
      assert.equal(load.stats().failed, 0)
      process.kill(pid as number, 'SIGKILL')
      await waitUntil(() => site.events().some(({ type }) => type === 'backoff') || undefined)
      // Its connections are closed; that has arrived here when the next turn begins.
      await new Promise((settle) => setImmediate(settle))
      // All that was its own has gone now; the other one answers alone.
      const goneMs = performance.now() - startedMs
      const { requests } = load.stats()
      await site.waitFor('web.1', ({ state, invocation: now }) => state === 'running' && now > invocation)
      assert.ok(load.stats().requests > requests + 20)
      const { failed } = await load.stop()
      assert.ok(failed.length <= CLIENTS, JSON.stringify(failed))
      assert.deepEqual(
        failed.filter(({ kind, atMs }) => kind !== 'lost' || atMs > goneMs),
        [],
      )
      await endAll(site)
    })
  }

  for (const [title, backend, args] of servers) {
    test(`restart of ${title} refuses no connection: those that come meanwhile wait`, async (t) => {
      const [address, target] = await addressOf(backend, null)
      const site = createVersioned(t, {
        processes: { web: { BACKEND: backend, ARGS: { ...args, ...address }, READY } },
      })
      await site.up()
      const load = site.load(target)
      site.deploy(1)
      const { code, stderr } = await site.cli('restart', 'web')
      assert.equal(code, 0, stderr)
      site.serves(1)
      const { failed } = await load.stop()
      assert.deepEqual(failed, [])
      await endAll(site)
    })
  }
})
