import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort, httpGet, waitForHttp } from './support/net.ts'
import { project, run, serve } from './support/site.ts'
import { createVersioned } from './support/versioned.ts'
import { endAll } from './support/supervised.ts'
import { assertNoneFailed } from './support/load.ts'

const DAPHNE = 'prodserver.backends.daphne.DaphneServer'

test('daphne serves ASGI in one process, believes a proxy, and takes its options by every name', async (t) => {
  const site = await serve(t, DAPHNE, ({ port, root }) => ({
    host: '127.0.0.1',
    p: port,
    'proxy-headers': 'True',
    'server-name': false,
    'websocket-timeout': 60,
    websocket_connect_timeout: 9,
    'access-log': join(root, 'access.log'),
  }))
  const { headers } = await site.get('/')
  assert.equal(headers['server'], undefined)
  await site.meetInEventLoop()
  const {
    pid,
    interface: kind,
    client,
  } = await site.facts({
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '203.0.113.7',
  })
  assert.deepEqual([pid, kind, client], [site.running.pid, 'asgi', '203.0.113.7'])
  assert.match(readFileSync(join(site.root, 'access.log'), 'utf8'), /^203\.0\.113\.7:0 .*"GET \/" 200/m)
  site.running.signal('SIGTERM')
  assert.deepEqual(await site.running.ended(), { code: 0, signal: null })
})

test('daphne listens on everything that it is given', async (t) => {
  const root = project(t)
  const port = await freePort()
  const socketPath = join(root, 'web.sock')
  const running = run(t, root, DAPHNE, { 'unix-socket': socketPath, endpoint: [`tcp:${port}:interface=127.0.0.1`] })
  assert.equal((await waitForHttp(running, { port })).status, 200)
  assert.equal((await httpGet({ socketPath })).status, 200)
})

test('reloads of daphne under load drop no request on any of its sockets, and close WebSockets in order', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-socket-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const socketPath = join(folder, 'web.sock')
  const port = await freePort()
  const web = {
    BACKEND: 'daphne',
    ARGS: { port, u: socketPath, v: 0 },
    READY: { http: '/', interval: '50ms', failures: 400 },
  }
  const site = createVersioned(t, {
    processes: { web },
    settings: 'ASGI_APPLICATION = "sockets.application"',
    files: { 'sockets.py': SOCKETS },
  })
  await site.up()
  const loads = [site.load({ port }), site.load({ socketPath }, { fresh: 2, keepAlive: 2 })]
  for (let version = 1; version <= 3; version += 1) {
    const socket = await openWebSocket(t.signal, port)
    await site.reloadTo(version)
    assert.deepEqual(await socket.closed, CLOSED_NORMALLY)
  }
  site.deploy(3, 'raise RuntimeError("nobody wrote this part")')
  const refused = await site.cli('reload', 'web')
  assert.equal(refused.code, 4)
  assert.match(refused.stderr, /REFUSED {2}web\.1/)
  site.deploy(4)
  assert.equal((await site.cli('restart', 'web')).code, 0)
  site.serves(4)
  for (const load of loads) {
    await assertNoneFailed(load, 50)
  }
  // The application was told each time.
  assert.equal((await site.cli('logs', 'web', '--raw')).stdout.match(/^websocket\.disconnect$/gm)?.length, 3)
  assert.ok(existsSync(socketPath))
  await endAll(site)
  assert.ok(!existsSync(socketPath))
})

/** The frame of a close with the code 1000. */
const CLOSED_NORMALLY = [0x88, 2, 0x03, 0xe8]

/** A WebSocket whose `closed` is all that the server has sent through it, once it is closed. */
async function openWebSocket(signal: AbortSignal, port: number): Promise<{ readonly closed: Promise<number[]> }> {
  const socket: Socket = connect({ port, host: '127.0.0.1', signal })
  const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13'
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${fields}\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 101 [^]*\r\n\r\n$/)
  const received: number[] = []
  socket.on('data', (bytes: Buffer) => {
    received.push(...bytes)
    // It answers with a close of its own, masked as what clients send must be.
    socket.end(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]))
  })
  // Once both have said that they close, it resets the connection.
  socket.on('error', () => {})
  return { closed: new Promise((settle) => void socket.on('close', () => settle(received))) }
}

const SOCKETS = `
import site_app


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return await site_app.asgi(scope, receive, send)
    await receive()
    await send({"type": "websocket.accept"})
    print((await receive())["type"], flush=True)
`
