import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Json } from '../src/types.ts'
import type { LoadTarget } from './support/load.ts'
import { freePort } from './support/net.ts'
import { createVersioned, type Versioned } from './support/versioned.ts'

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

/** Everything that runs but the supervisor and its keeper. */
async function served(site: Versioned): Promise<ReadonlySet<number>> {
  const { pid, keeperPid } = await site.supervisor()
  return new Set(site.alive().filter((each) => each !== pid && each !== keeperPid))
}

describe('reload', { concurrency: 2 }, () => {
  for (const [title, backend, args] of servers) {
    test(`${RELOADS} reloads of ${title} under load drop no request`, async (t) => {
      const [address, target] = await addressOf(backend, null)
      const site = createVersioned(t, { processes: { web: { BACKEND: backend, ARGS: { ...args, ...address }, READY } } })
      await site.up()
      const load = site.load(target)
      const t0 = Date.now()
      for (let version = 1; version <= RELOADS; version += 1) {
        const before = await served(site)
        site.deploy(version)
        const { code, stderr } = await site.cli('reload', 'web')
        assert.equal(code, 0, stderr)
        site.serves(version)
        const now = await served(site)
        assert.deepEqual([...now].filter((pid) => before.has(pid)), [])
      }
      const { requests, failed, maxMs } = await load.stop()
      console.log(title, (Date.now() - t0) / 1000 / RELOADS, requests, failed.length, maxMs)
      assert.deepEqual(failed, [])
      assert.equal((await site.cli('down')).code, 0)
      assert.deepEqual(site.alive(), [])
    })
  }
})
