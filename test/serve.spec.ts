import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Backend } from '../src/backends/backend.ts'
import { findBackend } from '../src/backends/index.ts'
import { cleanEnv, PYTHON, ROOT } from './support/environment.ts'
import { startLoad } from './support/load.ts'
import { freePort, httpGet } from './support/net.ts'
import { run, waitUntil } from './support/running.ts'

const SERVE = join(ROOT, 'src', 'servers', 'prodserver_runner', '__main__.py')
const FIXTURES = join(ROOT, 'test', 'fixtures')

/** What uWSGI is given by default. */
const GRACEFUL = '--hook-master-start=unix_signal:15 gracefully_kill_them_all'

const servers: readonly (readonly [title: string, backend: string, ...args: readonly string[]])[] = [
  ['gunicorn with sync workers', 'gunicorn', '--workers=4'],
  ['gunicorn with threads', 'gunicorn', '--workers=2', '--threads=8'],
  ['uvicorn', 'uvicorn', '--no-access-log'],
  ['uvicorn with h11 and asyncio', 'uvicorn', '--http=h11', '--loop=asyncio'],
  ['uvicorn with two workers', 'uvicorn', '--workers=2'],
  ['uvicorn for WSGI', 'uvicorn-wsgi'],
  ['hypercorn', 'hypercorn'],
  ['hypercorn with two workers', 'hypercorn', '--workers=2'],
  ['hypercorn in one process', 'hypercorn', '--workers=0'],
  ['daphne', 'daphne', '--access-log=/dev/null'],
  ['uWSGI', 'uwsgi', '--processes=2', '--threads=4', '--disable-logging', '--master', GRACEFUL],
  ['granian for WSGI', 'granian-wsgi', '--workers=2', '--blocking-threads=4'],
  ['granian for ASGI', 'granian-asgi'],
  ['waitress', 'waitress', '--threads=16'],
]

for (const [title, name, ...args] of servers) {
  for (const [kind, reloads] of [
    // `reload` itself, and many times, is tested elsewhere.
    ['TCP', 2],
    ['a Unix socket', 2],
  ] as const) {
    test(`${title} on ${kind} is replaced under load without a failed request`, async (t) => {
      const site = await hold(t, backendOf(name), args, kind === 'TCP')
      let old = await site.start(0)
      const load = startLoad({
        ...site.target,
        fresh: 6,
        // It closes each connection after its answer, at any time and without having said so.
        keepAlive: name === 'uwsgi' ? 0 : 6,
        paths: ['/', '/', '/', '/', '/', '/', '/slow'],
        pauseMs: 15,
      })
      for (let generation = 1; generation <= reloads; generation += 1) {
        const next = await site.start(generation)
        await site.stop(old)
        old = next
        assert.equal(await site.generation(site.target), generation)
      }
      const { requests, failed } = await load.stop()
      assert.deepEqual(failed, [], site.output())
      assert.ok(requests > 50, `${requests} requests`)
      await site.stop(old)
      assert.doesNotMatch(site.output(), /Traceback|panicked/)
    })
  }
}

for (const [what, kind, answer] of [
  ['closes the connection', 'lost', ''],
  ['ends in the middle', 'lost', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf'],
  ['ends between chunks', 'lost', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ['has another status', 'response', 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'],
  ['is complete', undefined, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n'],
] as const) {
  test(`the load counts an answer that ${what} as ${kind ?? 'good'}`, async (t) => {
    const server = createServer((socket) => socket.once('data', () => socket.end(answer))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const load = startLoad({ port: (server.address() as AddressInfo).port, fresh: 1, keepAlive: 1 })
    await waitUntil(() => load.stats().requests > 4 || undefined)
    const { requests, failed } = await load.stop()
    assert.ok(requests > 4)
    assert.deepEqual([...new Set(failed.map((failure) => failure.kind))], kind ? [kind] : [])
    assert.equal(failed.length, kind ? requests : 0)
  })
}

test('the load counts a refused connection', async () => {
  const load = startLoad({ port: await freePort(), fresh: 1 })
  await waitUntil(() => load.stats().failed > 1 || undefined)
  assert.equal((await load.stop()).failed[0]?.kind, 'connect')
})

test('the runner runs a module as Python itself does', async (t) => {
  const root = folder(t)
  writeFileSync(
    join(root, 'shown.py'),
    'import sys, os\nprint(__name__, __spec__.name, sys.argv, sys.path[0], sys.modules["__main__"].__dict__ is globals())\n' +
      'print([n for n in os.environ if n.endswith("_FD") or n.endswith("_FDS")])\n',
  )
  const itself = await run(t, PYTHON, ['-m', 'shown', 'a', '-b'], { cwd: root })
  const ran = await run(t, PYTHON, [SERVE, 'shown', 'a', '-b'], { cwd: root })
  assert.deepEqual(ran, itself)
  assert.match(ran.stdout, /^__main__ shown /)
})

for (const [what, module] of [
  ['has not got what the runner changes', 'server = object()\n'],
  ['lacks a module', ''],
] as const) {
  test(`a version of a server that ${what} runs as it is, and the runner says so`, async (t) => {
    const root = fakeUvicorn(t, module)
    const { code, stdout, stderr } = await run(t, PYTHON, [SERVE, 'uvicorn', 'x'], { cwd: root })
    assert.equal(code, 0)
    assert.equal(stdout, "runs ['x']\n")
    assert.match(stderr, /^prodserver: cannot change uvicorn: .*; a reload may lose requests\.\n$/)
  })
}

test('a version that is not changed still answers on the probe socket', async (t) => {
  const root = fakeUvicorn(t, '')
  const server = `import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
server = http.server.HTTPServer(("", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(sys.argv[1][5:]))
server.serve_forever()
`
  writeFileSync(join(root, 'uvicorn', '__main__.py'), server)
  const probe = join(root, 'probe')
  const held = holder(t, root, '127.0.0.1:0')
  held.order({ argv: [PYTHON, SERVE, 'uvicorn', '--fd=3'], env: { PRODSERVER_PROBE_FD: '4' }, probe })
  const reply = await waitUntil(() => httpGet({ socketPath: probe }).catch(() => undefined))
  assert.deepEqual([reply.status, reply.body], [200, 'ok'])
})

test('a version that cannot be given its sockets ends, for it would listen somewhere else', async (t) => {
  const root = fakeUvicorn(t, '')
  const held = await run(
    t,
    PYTHON,
    [
      '-c',
      'import os, socket, sys\ns = socket.socket()\nos.set_inheritable(s.fileno(), True)\nos.environ["PRODSERVER_LISTEN_FDS"] = str(s.fileno())\nos.execv(sys.executable, [sys.executable, *sys.argv[1:]])',
      SERVE,
      'uvicorn',
    ],
    { cwd: root },
  )
  assert.equal(held.code, 1)
  assert.match(held.stderr, /prodserver: this version of uvicorn cannot be given open sockets\.\n$/)
})

function fakeUvicorn(t: TestContext, server: string): string {
  const root = folder(t)
  mkdirSync(join(root, 'uvicorn'))
  writeFileSync(join(root, 'uvicorn', '__init__.py'), '')
  if (server !== '') writeFileSync(join(root, 'uvicorn', 'server.py'), server)
  writeFileSync(join(root, 'uvicorn', '__main__.py'), 'import sys\nprint("runs", sys.argv[1:])\n')
  return root
}

interface Site {
  readonly target: { readonly port: number } | { readonly socketPath: string }
  /** The pid of a new copy that answers on its own probe socket. */
  readonly start: (generation: number) => Promise<number>
  readonly stop: (pid: number) => Promise<void>
  /** Which copy answers there. */
  readonly generation: (target: Site['target']) => Promise<number>
  readonly output: () => string
}

/** A server's sockets, held by a program that starts copies of it. */
async function hold(t: TestContext, backend: Backend, args: readonly string[], isTcp: boolean): Promise<Site> {
  const root = folder(t)
  const socketPath = join(root, 'web.sock')
  const { order, line, lines, output } = holder(t, FIXTURES, isTcp ? '127.0.0.1:0' : `unix:${socketPath}`)
  const [, port] = await line(/^listening ?(\d*)$/m)
  const target = isTcp ? { port: Number(port) } : { socketPath }
  const generation = async (target: Site['target']): Promise<number> => {
    const { status, body } = await httpGet(target)
    assert.equal(status, 200)
    return Number((JSON.parse(body) as { generation: string }).generation)
  }
  return {
    target,
    generation,
    output,
    start: async (number) => {
      const probe = join(root, `probe-${number}`)
      const { argv, env } = commandOf(backend, args)
      order({ argv, env: { ...env, GENERATION: String(number) }, probe })
      const [, pid] = await line(new RegExp(`(?:^started (\\d+)$[^]*?){${number + 1}}`, 'm'))
      await waitUntil(
        () => {
          if (lines().includes(`ended ${pid} `)) throw new Error(`It ended.\n${output()}`)
          return generation({ socketPath: probe }).then(
            () => true,
            () => undefined,
          )
        },
        60_000,
        output,
      )
      for (let times = 0; times < 3; times += 1) assert.equal(await generation({ socketPath: probe }), number)
      return Number(pid)
    },
    stop: async (pid) => {
      process.kill(pid, `SIG${backend.stop?.signal ?? 'TERM'}`)
      await line(new RegExp(`^ended ${pid} `, 'm'))
    },
  }
}

interface Holder {
  /** Starts a program with the sockets. */
  readonly order: (start: { readonly argv: readonly string[]; readonly env: object; readonly probe: string }) => void
  readonly lines: () => string
  /** Waits for a line of its own. */
  readonly line: (pattern: RegExp) => Promise<RegExpExecArray>
  /** Everything that it and the programs wrote. */
  readonly output: () => string
}

function holder(t: TestContext, cwd: string, address: string): Holder {
  const parent = spawn(PYTHON, [join(FIXTURES, 'hold_sockets.py'), address], {
    cwd,
    env: { ...cleanEnv(), PYTHONDONTWRITEBYTECODE: '1', XDG_RUNTIME_DIR: folder(t) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.after(async () => {
    // It then kills what it has started.
    parent.stdin.end()
    await waitUntil(() => parent.exitCode !== null || undefined)
  })
  let [lines, errors] = ['', '']
  parent.stdout.on('data', (text: Buffer) => (lines += text))
  parent.stderr.on('data', (text: Buffer) => (errors += text))
  const output = (): string => `${lines}\n${errors}`
  return {
    order: (start) => void parent.stdin.write(`${JSON.stringify(start)}\n`),
    lines: () => lines,
    line: (pattern) => waitUntil(() => pattern.exec(lines) ?? undefined, 60_000, output),
    output,
  }
}

/** The command line for sockets as descriptors 3 and 4. */
function commandOf(backend: Backend, args: readonly string[]) {
  const options = args.map((token) => ({ name: token.slice(2).split('=')[0] as string, tokens: [token] }))
  const app = [`serve_app:${backend.app}`]
  const inherited = backend.inherit?.(
    { app, options, extra: [], django: [] },
    { addresses: ['a:1'], listen: [3], probe: 4 },
  )
  if (inherited === undefined) throw new Error(`${backend.name} does not inherit`)
  const { command, env = {}, runner = false } = inherited
  const program = command.beside ? join(dirname(PYTHON), command.program) : PYTHON
  return { argv: [program, ...command.args.map((word) => (runner && word === '-m' ? SERVE : word))], env }
}

const backendOf = (name: string): Backend => findBackend(name) ?? assert.fail(name)

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'prodserver-serve-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  return root
}
