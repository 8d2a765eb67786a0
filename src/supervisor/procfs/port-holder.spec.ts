import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type ListenOptions } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { freePort } from '../../../test/support/net.ts'
import { describeHolder, holderOf } from './port-holder.ts'

async function listen(t: TestContext, options: ListenOptions): Promise<number> {
  const server = createServer().listen(options)
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

for (const [bound, wanted] of [
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '0.0.0.0'],
  ['127.0.0.1', 'localhost'],
  ['0.0.0.0', '127.0.0.1'],
  ['::', '127.0.0.1'],
  ['::', '[::1]'],
  ['::1', '[::1]'],
  ['::1', '[0:0:0:0:0:0:0:1]'],
  ['::1', 'localhost'],
  ['::1', '[::]'],
  ['127.0.0.1', '[::]'],
] as const) {
  test(`who listens on ${bound} is in the way of ${wanted}`, async (t) => {
    const port = await listen(t, { host: bound, port: 0 })
    const holder = holderOf(`${wanted}:${port}`)
    assert.equal(holder?.pid, process.pid)
    assert.match(describeHolder(holder), new RegExp(`node.* \\(pid ${process.pid}\\) listens there$`))
  })
}

for (const [bound, wanted] of [
  ['127.0.0.1', '[::1]'],
  ['0.0.0.0', '[::1]'],
  ['::1', '127.0.0.1'],
  ['::1', '0.0.0.0'],
  ['127.0.0.1', 'mysite.internal'],
] as const) {
  test(`who listens on ${bound} leaves ${wanted} free, as far as is known`, async (t) => {
    const port = await listen(t, { host: bound, port: 0, ipv6Only: true })
    assert.equal(holderOf(`${wanted}:${port}`), null)
  })
}

test('who listens on another address of the machine is not', async (t) => {
  const port = await listen(t, { host: '127.0.0.2', port: 0 })
  assert.equal(holderOf(`127.0.0.1:${port}`), null)
  assert.equal(holderOf(`127.0.0.2:${port}`)?.pid, process.pid)
})

test('where nobody listens there is no holder', async () => {
  assert.equal(holderOf(`127.0.0.1:${await freePort()}`), null)
  assert.equal(holderOf('unix:/nowhere/web.sock'), null)
})

test('a Unix socket has a holder as well, whatever its path', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver holder-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'web.sock')
  await listen(t, { path })
  assert.equal(holderOf(`unix:${path}`)?.pid, process.pid)
})

test('a holder that cannot be looked into is told as that', () => {
  assert.match(describeHolder({ pid: null, program: '' }), /another program/)
})
