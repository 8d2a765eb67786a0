import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type ListenOptions } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { freePort, httpGet } from './support/net.ts'
import { createSupervised } from './support/supervised.ts'

async function listen(t: TestContext, options: ListenOptions): Promise<AddressInfo | string> {
  const server = createServer().listen(options)
  await once(server, 'listening')
  t.after(() => server.close())
  return server.address() as AddressInfo | string
}

const US = new RegExp(`node.* \\(pid ${process.pid}\\) listens there`)

for (const kind of ['port', 'path'] as const) {
  test(`up fails at once where another program has the ${kind}, and names it`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'prodserver-taken-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const address = await listen(
      t,
      kind === 'port' ? { host: '127.0.0.1', port: 0 } : { path: join(folder, 'web.sock') },
    )
    const bind = typeof address === 'string' ? `unix:${address}` : `127.0.0.1:${address.port}`
    const site = createSupervised(t, { processes: { web: { BACKEND: 'gunicorn', ARGS: { bind } } } })
    const { stderr } = await site.up(1)
    assert.match(stderr, US)
    assert.ok(stderr.includes(bind), stderr)
    const { state, restarts, reason } = await site.instance('web.1')
    assert.deepEqual({ state, restarts }, { state: 'failed', restarts: 0 })
    assert.match(reason ?? '', US)
    await site.cli('down')
  })
}

test('who would share a port with a stranger does not pass for ready because that one answers', async (t) => {
  const { port } = (await listen(t, { host: '127.0.0.1', port: 0 })) as AddressInfo
  const web = {
    BACKEND: 'gunicorn',
    ARGS: { bind: `127.0.0.1:${port}`, 'reuse-port': true },
    READY: { tcp: String(port) },
  }
  const site = createSupervised(t, { processes: { web } })
  assert.match((await site.up(1)).stderr, US)
  assert.equal((await site.instance('web.1')).state, 'failed')
  const own = await freePort()
  const shared = { ...web, INSTANCES: 2, ARGS: { ...web.ARGS, bind: `127.0.0.1:${own}` }, READY: { tcp: String(own) } }
  site.declare({ web: shared })
  await site.up()
  assert.equal((await site.instance('web.2')).state, 'running')
  await site.cli('down')
})

test('a reload to an address that is taken is refused, and the old one goes on where it was', async (t) => {
  const port = await freePort()
  const { port: taken } = (await listen(t, { host: '127.0.0.1', port: 0 })) as AddressInfo
  const declared = (on: number) => ({ web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${on}` } } })
  const site = createSupervised(t, { processes: declared(port) })
  await site.up()
  const { pid } = await site.instance('web.1')
  site.declare(declared(taken))
  const { stderr } = await site.up(4)
  assert.match(stderr, US)
  assert.equal((await site.instance('web.1')).pid, pid)
  assert.equal((await httpGet({ port })).status, 200)
  // And once the address is a good one again, it is taken.
  site.declare(declared(port))
  const again = await site.cli('reload', 'web')
  assert.equal(again.code, 0, again.stderr)
  assert.equal((await httpGet({ port })).status, 200)
  await site.cli('down')
})
