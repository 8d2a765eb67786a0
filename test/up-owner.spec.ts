import assert from 'node:assert/strict'
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createSpec } from './support/specs.ts'
import type { Json } from '../src/core/types.ts'
import { BIN, PYTHON } from './support/environment.ts'
import { freePort } from './support/net.ts'
import { run, waitUntil } from './support/running.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'

const SLEEPER: Json = { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } }

/** Every path below a folder, relative to it. */
const pathsIn = (folder: string): readonly string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' })

test('nobody but the owner can read or write anything of it', async (t) => {
  const port = await freePort()
  const site = createSupervised(t, {
    processes: { sleeper: SLEEPER, web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` } } },
  })
  rmSync(site.stateDir, { recursive: true })
  // Whatever the user's own files are like.
  const { code } = await run(t, 'sh', ['-c', 'umask 000; exec "$0" "$@"', process.execPath, BIN, 'up', '-d'], {
    cwd: site.root,
    env: { PRODSERVER_PYTHON: PYTHON, ...site.env },
  })
  assert.equal(code, 0)
  await site.cli('restart', 'sleeper')
  const open = ['', ...pathsIn(site.stateDir)].filter(
    (path) => (statSync(join(site.stateDir, path)).mode & 0o077) !== 0,
  )
  // Programs make these themselves, as they please; nobody else gets there.
  assert.deepEqual(
    open.filter((path) => !path.startsWith('pycache')),
    [],
  )
  assert.equal(statSync(site.stateDir).mode & 0o777, 0o700)
  assert.equal(statSync(join(site.stateDir, 'control.sock')).mode & 0o777, 0o600)
})

const PLACES: readonly (readonly [name: string, make: (stateDir: string, elsewhere: string) => void])[] = [
  ['a symbolic link', (stateDir, elsewhere) => symlinkSync(elsewhere, stateDir)],
  ["another user's folder", (stateDir) => (mkdirSync(stateDir), chownSync(stateDir, 12_345, 12_345))],
]

for (const [name, make] of PLACES) {
  test(`${name} is refused as a state directory, and nothing is started or told`, async (t) => {
    if (name.startsWith('another') && process.getuid?.() !== 0)
      return t.skip('giving a folder away takes the superuser')
    const site = createSupervised(t, { processes: { sleeper: SLEEPER } })
    const elsewhere = join(site.root, 'elsewhere')
    mkdirSync(elsewhere)
    rmSync(site.stateDir, { recursive: true })
    make(site.stateDir, elsewhere)
    // Whoever waits there for a declaration.
    let visits = 0
    const trap = createServer((socket) => {
      visits++
      socket.destroy()
    }).listen(join(site.stateDir, 'control.sock'))
    t.after(() => trap.close())
    for (const args of [['up', '-d'], ['up']]) {
      const { code, stderr } = await site.cli(...args)
      assert.equal(code, 6, stderr)
      assert.match(stderr, /state directory cannot be used/)
    }
    assert.equal(visits, 0)
    assert.deepEqual(site.alive(), [])
  })
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** A request; status 0 where the connection ended without an answer. */
function ask(site: Supervised, method: string, path: string, body?: string | Buffer): Promise<Answer> {
  return new Promise((settle) => {
    const none = (): void => settle({ status: 0, text: '' })
    const sent = request(
      { socketPath: join(site.stateDir, 'control.sock'), method, path, agent: false, timeout: 20_000 },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('end', () => settle({ status: response.statusCode ?? 0, text })).on('error', none)
      },
    )
    sent.on('error', none).on('timeout', () => sent.destroy())
    sent.end(body)
  })
}

/** A connection that sends some bytes as they are. */
function send(t: TestContext, site: Supervised, text: string): Socket {
  const socket = connect(join(site.stateDir, 'control.sock'))
  socket.on('error', () => {}).write(text)
  t.after(() => socket.destroy())
  return socket
}

const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const spec = (more: object = {}): object => ({ ...createSpec(), ...more })

const application = (more: object = {}): object => ({
  project: {
    root: '/',
    settings: { module: '', reason: '' },
    python: { path: '/usr/bin/python3', version: '', reason: '' },
    config: null,
  },
  specs: [spec()],
  only: null,
  release: '1',
  reload: false,
  ...more,
})

const odd = (key: string, value: unknown): unknown => application({ specs: [spec({ [key]: value })] })

/** What is JSON, and no declaration. */
const WRONG: readonly unknown[] = [
  null,
  [],
  'text',
  7,
  {},
  application({ specs: null }),
  application({ specs: [null] }),
  application({ specs: {} }),
  application({ specs: [{}] }),
  application({ specs: [spec(), spec()] }),
  application({ project: {} }),
  application({ only: 'web' }),
  application({ only: [1] }),
  application({ release: 1 }),
  application({ reload: 'yes' }),
  odd('name', '../../etc'),
  odd('name', ''),
  odd('argv', []),
  odd('argv', 'sleep 600'),
  odd('argv', ['sleep', 600]),
  odd('argv', ['sleep\0', '600']),
  odd('env', { 'A=B': 'c' }),
  odd('env', { A: 1 }),
  odd('cwd', 'relative'),
  odd('listen', ['nonsense']),
  odd('instances', -1),
  odd('instances', 1.5),
  odd('instances', 1e9),
  odd('run', 'sometimes'),
  odd('dependsOn', { other: 'soon' }),
  odd('ready', null),
  odd('ready', { exec: [] }),
  odd('alive', {}),
  odd('restart', { policy: 'maybe' }),
  odd('stop', { signal: 'NOTHING', timeoutMs: 1 }),
  odd('stop', { signal: 'TERM', timeoutMs: -1 }),
  odd('stop', { signal: 'TERM', timeoutMs: 1e300 }),
  odd('schedule', { cron: 'never', tz: 'UTC' }),
  odd('umask', '999'),
  odd('nice', 1000),
  odd('limits', { nofile: 1 }),
  odd('log', { maxSizeBytes: 0, keep: 1, compress: true }),
  odd('log', null),
]

const ACTIONS: readonly unknown[] = [
  null,
  [],
  { verb: 'explode' },
  { verb: 'stop', targets: 'sleeper' },
  { verb: 'stop', targets: [{}] },
  { verb: 'stop', targets: ['nobody'] },
  { verb: 'scale', counts: [] },
  { verb: 'scale', counts: { sleeper: {} } },
  { verb: 'scale', counts: { sleeper: '1e99' } },
  { verb: 'scale', counts: { __proto__: 1, constructor: '2' } },
]

test('no request, however odd, changes anything, and the supervisor keeps answering', async (t) => {
  const site = createSupervised(t, { processes: { sleeper: SLEEPER } })
  await site.up()
  const { pid } = await site.supervisor()
  const look = async (): Promise<unknown> => (await site.ps()).map((status) => ({ ...status, usage: undefined }))
  const before = await look()
  const check = async (after: string): Promise<void> => {
    assert.deepEqual(await look(), before, after)
    assert.equal((await site.supervisor()).pid, pid, after)
  }
  // The smallest that is right, so that what is wrong below is wrong for the one reason.
  for (const body of WRONG) {
    const { status, text } = await ask(site, 'POST', '/v1/apply', JSON.stringify(body))
    assert.equal(status, 400, `${JSON.stringify(body)}: ${text}`)
  }
  for (const body of ACTIONS) {
    const { status, text } = await ask(site, 'POST', '/v1/actions', JSON.stringify(body))
    assert.ok(status >= 400 && status < 500, `${JSON.stringify(body)}: ${status} ${text}`)
  }
  await check('wrong types')
  for (const body of ['', '{', 'null,', '\xff', '[1'.repeat(100_000)])
    for (const path of ['/v1/apply', '/v1/actions'])
      assert.equal((await ask(site, 'POST', path, body)).status, 400, body.slice(0, 9))
  for (const path of [
    '/',
    '//',
    '/v2',
    '/v1/processes/%zz/why',
    '/v1/processes/..%2f/why',
    '/v1/../etc/passwd',
    `/${'x'.repeat(10_000)}`,
    '/v1/processes//why',
  ])
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      const { status } = await ask(site, method, path)
      assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`)
    }
  await check('malformed')
  const small = residentMb(pid)
  const huge = Buffer.alloc(40 << 20, ' ')
  await Promise.all(Array.from({ length: 8 }, () => ask(site, 'POST', '/v1/apply', huge)))
  await check('huge bodies')
  for (const text of [
    'GET /v1 HTTP/1.1\r\n',
    'POST /v1/apply HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{',
    '\r\n'.repeat(1000),
    '\x16\x03\x01',
  ])
    for (let count = 0; count < 200; count++) send(t, site, text)
  const endless = send(t, site, 'GET /v1 HTTP/1.1\r\n')
  const more = setInterval(() => endless.write(`X-More: ${'x'.repeat(1000)}\r\n`), 1)
  t.after(() => clearInterval(more))
  for (let count = 0; count < 50; count++) send(t, site, 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n').end()
  await check('slow and half-closed connections')
  const many = Array.from({ length: 2000 }, () => send(t, site, ''))
  await check('thousands of connections')
  await waitUntil(() => endless.destroyed || undefined, 20_000)
  for (const socket of many) socket.destroy()
  await check('all of them')
  const grown = residentMb(pid) - small
  assert.ok(grown < 150, `grew by ${grown} MB`)
})

test('who says nothing is let go', async (t) => {
  const site = createSupervised(t, { processes: { sleeper: SLEEPER } })
  await site.up()
  const silent = send(t, site, 'GET /v1 HT')
  const started = performance.now()
  await waitUntil(() => silent.destroyed || undefined, 20_000)
  assert.ok(performance.now() - started > 5000, 'a slow one has its time')
})

test('a secret is in no file of the state directory, in no answer and in no event', async (t) => {
  const secrets = ['hunter2-in-argv', 'hunter2-in-env', 'hunter2-in-file']
  const [inArgv = '', inEnv = '', inFile = ''] = secrets
  const failing = `${PYTHON} -c "raise SystemExit(3)" --password=${inArgv}`
  const port = await freePort()
  const site = createSupervised(t, {
    files: { '.secrets': `FROM_FILE=${inFile}\n` },
    processes: {
      sleeper: {
        ...(SLEEPER as object),
        APP: `${PYTHON} -c "import time; time.sleep(600)" --password=${inArgv}`,
        ENV: { PASSWORD: inEnv },
      },
      failing: { BACKEND: 'command', APP: failing, RESTART: 'never', ENV: { PASSWORD: inEnv } },
      web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` }, ENV: { PASSWORD: inEnv } },
    },
    env: { FROM_ENVIRONMENT: inFile },
  })
  await site.cli('up', '-d', '--timeout', '5s')
  await site.waitFor('failing.1', ({ state }) => state === 'failed')
  const { pid, shimPid } = await site.supervisor()
  process.kill(pid, 'SIGKILL')
  await site.cli('up', '-d', '--timeout', '2s')
  process.kill(shimPid, 'SIGKILL')
  await site.waitFor('sleeper.1', ({ state }) => state === 'running')
  await site.cli('reload', 'sleeper')
  const answers = await Promise.all(
    ['/v1', '/v1/processes?usage=1', '/v1/processes/failing.1/why', '/v1/processes/sleeper.1/why'].map(
      async (path) => [path, (await ask(site, 'GET', path)).text] as const,
    ),
  )
  const files = pathsIn(site.stateDir)
    .filter((path) => statSync(join(site.stateDir, path)).isFile())
    .map((path) => [path, readFileSync(join(site.stateDir, path), 'latin1')] as const)
  assert.ok(files.some(([path]) => path === 'state.json') && files.some(([path]) => path === 'events.jsonl'))
  for (const [place, text] of [...answers, ...files])
    for (const secret of secrets) assert.equal(text.includes(secret), false, `${secret} is in ${place}: ${text}`)
})
