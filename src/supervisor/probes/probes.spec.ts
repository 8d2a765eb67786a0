import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { PlannedProbe } from '../../plan/plan.ts'
import { clean, parseAnswer } from './http.ts'
import type { ProbeResult } from './probe.ts'
import { runProbe } from './probes.ts'

const never = new AbortController().signal
const env = { PATH: '/usr/bin:/bin' }
const BRIEF = 300

const ask = (
  probe: Partial<PlannedProbe>,
  address: string | null = null,
  signal = never,
  listen: readonly string[] = address === null ? [] : [address],
): Promise<ProbeResult> =>
  runProbe(
    { startMs: 60_000, intervalMs: 1000, timeoutMs: 20_000, failures: 3, ...probe },
    { address, listen, env, cwd: '/' },
    signal,
  )

/** A server that answers each connection as it is told, once the request has come. */
async function serve(
  t: TestContext,
  answer: (socket: Socket, request: string) => void,
  where: { host: string } | { path: string } = { host: '127.0.0.1' },
): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (data) => answer(socket, data.toString()))
    t.after(() => socket.destroy())
  })
  server.listen('path' in where ? where : { ...where, port: 0 })
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port ?? 0
}

const says =
  (...parts: readonly string[]) =>
  (socket: Socket): void => {
    for (const part of parts) socket.write(part)
    socket.end()
  }

const READY: ProbeResult = { ok: true }
const head = (status: string): string => `HTTP/1.1 ${status}\r\nServer: x\r\nContent-Type: text/html\r\n\r\n`

const answers: readonly (readonly [what: string, parts: readonly string[], reply: string | undefined])[] = [
  ['200', [head('200 OK'), 'hello'], undefined],
  ['a redirect', [head('301 Moved'), ''], undefined],
  ['400, of a host that is not allowed', [head('400 Bad Request'), '<h1>Bad Request</h1>'], undefined],
  ['404 without a reason, of HTTP/1.0', ['HTTP/1.0 404\r\n\r\n'], undefined],
  ['early news, then 200', ['HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', head('200 OK')], undefined],
  ['lines without carriage return', ['HTTP/1.1 200 OK\nServer: x\n\n'], undefined],
  ['500 with JSON', [head('500 No'), '{"detail": "no database"}'], '500  {"detail": "no database"}'],
  ['503 and no body', [head('503 Service Unavailable')], '503'],
  [
    '500 with markup and control characters',
    [head('500 No'), '<!doctype html><style>p{}</style><h1>Server\x1b[31m Error\x07</h1>\r\n<p>it&#x27;s &lt;bad&gt;'],
    "500  Server Error it's <bad>",
  ],
  [
    '500 in chunks',
    ['HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nno d\r\n', '6\r\natabas\r\n1\r\ne\r\n0\r\n\r\n'],
    '500  no database',
  ],
  ['500 with a body that is too long', [head('500 No'), 'x'.repeat(100_000)], `500  ${'x'.repeat(BRIEF)}…`],
  ['nothing', [], 'no answer: it closed the connection'],
  ['a head that breaks off', ['HTTP/1.1 200 OK\r\nServ'], 'the connection was closed before the answer was complete'],
  ['another protocol', ['SSH-2.0-OpenSSH_9.2\r\n'], 'the answer is not HTTP: SSH-2.0-OpenSSH_9.2'],
  ['no status', ['HTTP/1.1 OK\r\n\r\n'], 'the answer is not HTTP: HTTP/1.1 OK'],
  ['a head without end', [`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}`], 'the head of the answer has no end'],
]

for (const [what, parts, reply] of answers) {
  test(`an answer of ${what} is ${reply === undefined ? 'ready' : 'not'}`, async (t) => {
    const port = await serve(t, says(...parts))
    const result = await ask({ http: '/health/' }, `127.0.0.1:${port}`)
    assert.deepEqual(result, reply === undefined ? READY : { ok: false, reply: `GET /health/ → ${reply}` })
  })
}

test('a path is asked for as a local client does, one request a connection', async (t) => {
  const requests: string[] = []
  const port = await serve(t, (socket, request) => {
    requests.push(request)
    says(head('200 OK'))(socket)
  })
  assert.deepEqual(await ask({ http: '/a b/ż?q=1' }, `0.0.0.0:${port}`), READY)
  assert.deepEqual(await ask({ http: `http://localhost:${port}/x?y=z#f` }), READY)
  const lines = requests.map((request) => request.split('\r\n'))
  assert.deepEqual(
    lines.map(([first, host, , , connection]) => [first, host, connection]),
    [
      ['GET /a%20b/%C5%BC?q=1 HTTP/1.1', 'Host: localhost', 'Connection: close'],
      ['GET /x?y=z HTTP/1.1', `Host: localhost:${port}`, 'Connection: close'],
    ],
  )
})

test('a name and a password in a URL are sent, and not shown', async (t) => {
  const port = await serve(t, (socket, request) => {
    const login = /^Authorization: Basic (.*)$/m.exec(request)?.[1] ?? ''
    says(head('503 Service Unavailable'), Buffer.from(login, 'base64').toString())(socket)
  })
  const result = await ask({ http: `http://joe:p%40ss@127.0.0.1:${port}/x` })
  assert.deepEqual(result, { ok: false, reply: `GET http://127.0.0.1:${port}/x → 503  joe:p@ss` })
})

test('what cannot be asked is not ready', async () => {
  for (const probe of [{ tcp: '127.0.0.1:99999' }, { tcp: 'nonsense' }, { exec: [] }, { http: 'http://[::1' }]) {
    const result = await ask(probe)
    assert.ok(!result.ok && /^It cannot be asked: |neither a path nor a URL/.test(result.reply))
  }
})

test('a Unix socket is asked as well', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'web.sock')
  const absent = await ask({ http: '/' }, `unix:${path}`)
  assert.deepEqual(absent, { ok: false, reply: 'GET / → the socket does not exist' })
  await serve(t, says(head('204 No Content')), { path })
  assert.deepEqual(await ask({ http: '/' }, `unix:${path}`), READY)
  assert.deepEqual(await ask({ tcp: `unix:${path}` }), READY)
})

test('an answer is taken before its end when that does not come', async (t) => {
  for (const [status, ok] of [
    ['200 OK', true],
    ['500 No', false],
  ] as const) {
    const port = await serve(t, (socket) => void socket.write(`${head(status)}begun`))
    const result = await ask({ http: '/' }, `127.0.0.1:${port}`)
    assert.deepEqual(result, ok ? READY : { ok, reply: 'GET / → 500  begun' })
  }
})

test('an answer without end is not read to its end', async (t) => {
  const port = await serve(t, (socket) => {
    const more = (): void => void socket.write('x'.repeat(10_000), (error) => error ?? more())
    socket.write(head('200 OK'), more)
  })
  assert.deepEqual(await ask({ http: '/' }, `127.0.0.1:${port}`), READY)
})

test('who does not answer in time is not ready', async (t) => {
  const port = await serve(t, (socket) => void socket.write('HTTP/1.1 2'))
  assert.deepEqual(await ask({ http: '/', timeoutMs: 50 }, `127.0.0.1:${port}`), {
    ok: false,
    reply: 'GET / → no answer within 0.05s',
  })
})

test('a probe can be called off', async (t) => {
  const asked = Promise.withResolvers<void>()
  const port = await serve(t, () => asked.resolve())
  const life = new AbortController()
  const result = ask({ http: '/' }, `127.0.0.1:${port}`, life.signal)
  await asked.promise
  life.abort()
  assert.deepEqual(await result, { ok: false, reply: 'GET / → called off' })
  assert.equal((await ask({ http: '/' }, `127.0.0.1:${port}`, life.signal)).ok, false)
})

test('where nothing listens, the reply says so', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const words = 'nothing listens there (connection refused)'
  assert.deepEqual(await ask({ tcp: String(port) }, '0.0.0.0:1'), READY)
  server.close()
  await once(server, 'close')
  const address = `127.0.0.1:${port}`
  assert.deepEqual(await ask({ http: '/' }, address), { ok: false, reply: `GET / → ${words}` })
  assert.deepEqual(await ask({ tcp: address }), { ok: false, reply: `connect to ${address} → ${words}` })
  const url = `https://${address}/x`
  assert.deepEqual(await ask({ http: url }), { ok: false, reply: `GET ${url} → ${words}` })
  const nowhere = await ask({ http: '/' }, null)
  assert.deepEqual(nowhere, { ok: false, reply: 'GET / cannot be asked: the process listens on no address.' })
})

test('a program says with its exit code whether all is well, and with its last lines why not', async () => {
  assert.deepEqual(await ask({ exec: ['true'] }), READY)
  assert.deepEqual(await ask({ exec: ['sh', '-c', 'echo one; echo two >&2; exit 3'] }), {
    ok: false,
    reply: 'sh → exit 3  one / two',
  })
  assert.deepEqual(await ask({ exec: ['false'] }), { ok: false, reply: 'false → exit 1' })
  assert.deepEqual(await ask({ exec: ['sh', '-c', 'kill -9 $$'] }), { ok: false, reply: 'sh → killed by SIGKILL' })
  const absent = await ask({ exec: ['/nowhere/program'] })
  assert.deepEqual(absent, { ok: false, reply: '/nowhere/program → it was not found, or its folder was not' })
})

test('a program that takes too long is killed with all that it started', async () => {
  const started = performance.now()
  const result = await ask({ exec: ['sh', '-c', 'echo begun; sleep 60 & sleep 60'], timeoutMs: 300 })
  assert.deepEqual(result, { ok: false, reply: 'sh → not finished within 0.3s  begun' })
  assert.ok(performance.now() - started < 20_000)
})

test('a program that leaves something running is over when it ends itself', async () => {
  assert.deepEqual(await ask({ exec: ['sh', '-c', 'sleep 60 &'] }), READY)
})

test('a TCP probe of a port asks the declared host when requests go to a private socket', async (t) => {
  const port = await serve(t, () => {}, { host: '127.0.0.2' })
  const result = await ask({ tcp: String(port) }, 'unix:/run/web.1-3.probe', never, [`127.0.0.2:${port + 1}`])
  assert.deepEqual(result, READY)
})

test('an answer is read from any number of bytes on', () => {
  const whole = 'HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
  const all = Buffer.from(whole)
  for (let length = 0; length < all.length; length++) {
    const answer = parseAnswer(all.subarray(0, length))
    if (length < whole.indexOf('\r\n\r\n') + 4) assert.equal(answer, 'incomplete', String(length))
    else assert.ok(typeof answer === 'object' && 'abc'.startsWith(answer.body.toString()), String(length))
  }
})

test('text from outside is cleaned', () => {
  assert.equal(clean('<title>a < b</title>\n\n<script>x()</script>c \u202e d'), 'a < b c d')
  assert.equal(clean('1 <script>never closed'), '1')
})
