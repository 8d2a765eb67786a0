import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import type { LoadTarget } from './support/load.ts'
import { freePort } from './support/net.ts'
import { waitUntil } from './support/running.ts'
import { createVersioned } from './support/versioned.ts'
import { endAll } from './support/supervised.ts'

const servers: readonly (readonly [backend: string, args: Readonly<Record<string, Json>>, path: string])[] = [
  ['gunicorn', { workers: 2 }, 'bind'],
  ['uvicorn', { workers: 2 }, 'uds'],
  ['granian-asgi', {}, 'uds'],
  ['hypercorn', {}, 'bind'],
  ['waitress', { threads: 16 }, 'unix-socket'],
]

for (const [backend, args, option] of servers) {
  for (const kind of ['port', 'Unix socket'] as const) {
    test(`after its shim was killed, ${backend} on a ${kind} is reloaded without a failed request`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'prodserver-socket-'))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      const socketPath = join(folder, 'web.sock')
      const port = await freePort()
      const [address, target]: [Readonly<Record<string, Json>>, LoadTarget] =
        kind === 'port'
          ? [option === 'bind' ? { bind: `127.0.0.1:${port}` } : { host: '127.0.0.1', port }, { port }]
          : [{ [option]: option === 'bind' ? `unix:${socketPath}` : socketPath }, { socketPath }]
      const READY = { http: '/', interval: '50ms', failures: 400 }
      const site = createVersioned(t, {
        processes: { web: { BACKEND: backend, ARGS: { ...args, ...address }, READY } },
      })
      await site.up()
      const load = site.load(target)
      const { shimPid } = await site.supervisor()
      process.kill(shimPid, 'SIGKILL')
      await waitUntil(() => site.events().some(({ message }) => message.includes('the shim has gone')) || undefined)
      for (const version of [1, 2]) {
        site.deploy(version)
        const { code, stdout, stderr } = await site.cli('reload', 'web')
        assert.equal(code, 0, stdout + stderr)
        site.serves(version)
      }
      assert.deepEqual((await load.stop()).failed, [])
      await endAll(site)
    })
  }
}
