import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { BIN } from './support/environment.ts'
import {
  createInstance,
  createProcess,
  createSnapshot,
  type FakeSupervisor,
  startFakeSupervisor,
} from './support/fake-supervisor.ts'
import { createLog, createStateDir } from './support/logs.ts'
import { createProject } from './support/project.ts'
import { type Finished, prodserver, run, startProdserver } from './support/running.ts'
import { openTerminal, type Terminal } from './support/terminal.ts'

const WEB = createProcess('web', [createInstance('web.1'), createInstance('web.2', { pid: 4122 })], { kind: 'web' })
const WORKER = createProcess('worker', [
  createInstance('worker.1', { state: 'failed', pid: null, reason: 'No broker' }),
])

interface Supervised {
  readonly fake: FakeSupervisor
  readonly stateDir: string
  readonly run: (...args: readonly string[]) => Promise<Finished>
  readonly top: (...args: readonly string[]) => Terminal
}

async function supervised(t: TestContext, processes = [WEB, WORKER]): Promise<Supervised> {
  const stateDir = createStateDir(t)
  const fake = await startFakeSupervisor(stateDir, createSnapshot(processes))
  t.after(() => fake.close())
  const env = { PRODSERVER_STATE_DIR: stateDir }
  return {
    fake,
    stateDir,
    run: (...args) => prodserver(t, args, { cwd: stateDir, env }),
    top: (...args) => openTerminal(t, ['top', ...args], { env }),
  }
}

test('ps lists what runs, and its exit code says whether all of it is ready', async (t) => {
  const { run } = await supervised(t)
  const all = await run('ps')
  assert.match(all.stdout, /^NAME +STATE.*\nweb\.1 +running.*\nweb\.2.*\nworker\.1 +failed +no .*No broker\n$/)
  assert.equal(all.code, 1)
  const web = await run('ps', 'web', '--json')
  assert.deepEqual(
    web.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { instance: string; kind: string })
      .map(({ instance, kind }) => [instance, kind]),
    [
      ['web.1', 'web'],
      ['web.2', 'web'],
    ],
  )
  assert.equal(web.code, 0)
  const wrong = await run('ps', 'wbe')
  assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
  assert.match(wrong.stderr, /There is no process or instance "wbe"\. Did you mean web\?/)
})

test('ps lists what is declared where nothing runs', async (t) => {
  const settings = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}, "worker": {"BACKEND": "celery"}}'
  const cwd = createProject(t, { settings })
  const env = { PRODSERVER_STATE_DIR: createStateDir(t) }
  const { code, stdout, stderr } = await prodserver(t, ['ps'], { cwd, env })
  assert.equal(stdout, 'NAME    STATE\nweb     -\nworker  -\n')
  assert.equal(stderr, 'Nothing is running. Start with: prodserver up -d\n')
  assert.equal(code, 3)
})

test('commands that need a supervisor, logs or events say that there are none', async (t) => {
  const env = { PRODSERVER_STATE_DIR: createStateDir(t) }
  for (const [args, words] of [
    [['why', 'web'], 'Nothing is running'],
    [['logs'], 'There are no logs'],
    [['events'], 'There are no events'],
    [['top', '--once'], 'Nothing is running'],
  ] as const) {
    const { code, stderr } = await prodserver(t, args, { cwd: createProject(t), env })
    assert.match(stderr, new RegExp(words), args.join(' '))
    assert.equal(code, 3)
  }
})

test('why tells of the instance that is not well', async (t) => {
  const { run, fake } = await supervised(t)
  fake.why = {
    status: WORKER.instances[0] as (typeof WORKER.instances)[number],
    wanted: 'running',
    attempt: null,
    recentExits: [],
    lastLines: ['ConnectionError'],
    hint: 'prodserver logs worker.1',
  }
  const { stdout, code } = await run('why', 'worker')
  assert.match(
    stdout,
    /^worker\.1 failed 1h ago, and is not started again\. No broker\.\n[\s\S]*\n {4}ConnectionError\nNext: /,
  )
  assert.equal(code, 0)
  assert.equal((JSON.parse((await run('why', 'worker.1', '--json')).stdout) as { wanted: string }).wanted, 'running')
})

const T0 = Date.UTC(2026, 0, 10, 12)

/** Logs of two instances, and the end of a life between their lines. */
function writeLogs(t: TestContext): string {
  const stateDir = createStateDir(t)
  const [web, worker] = [createLog(stateDir, 'web.1'), createLog(stateDir, 'worker.1')]
  web.write(T0, 1, 'GET / 200\n')
  worker.write(T0 + 1000, 1, 'Timeout\n  a traceback\n')
  web.write(T0 + 3000, 1, 'GET /a 200\n')
  worker.write(T0 + 4000, 2, 'ready\n')
  const event = {
    id: 1,
    time: new Date(T0 + 2000).toISOString(),
    type: 'exited',
    process: 'worker',
    instance: 'worker.1',
    invocation: 1,
    pid: 7,
    exit: { code: 1, signal: null },
    ms: 8000,
    message: 'It ended.',
  }
  appendFileSync(join(stateDir, 'events.jsonl'), `${JSON.stringify(event)}\n`)
  return stateDir
}

const logs: readonly (readonly [args: readonly string[], expected: string])[] = [
  [
    [],
    `-- 2026-01-10 --
12:00:00.000 web.1    │ GET / 200
12:00:01.000 worker.1 │ Timeout
12:00:01.000 worker.1 │   a traceback
-- worker.1 exited 1 after 8s --
12:00:03.000 web.1    │ GET /a 200
12:00:04.000 worker.1 │ ready
`,
  ],
  [['web', '--prefix=none'], 'GET / 200\nGET /a 200\n'],
  [['-n', '1', '--prefix=none'], 'GET /a 200\nready\n'],
  [['--run=1', 'worker', '--raw'], 'Timeout\n  a traceback\n'],
  [['--grep', '^GET|out', '--raw'], 'GET / 200\nTimeout\nGET /a 200\n'],
  [['--grep', 'GET', '-v', '--raw', '--until', '2026-01-10T12:00:01Z'], 'Timeout\n  a traceback\n'],
  [['--since', '2026-01-10T12:00:04Z', '--raw'], 'ready\n'],
  [
    ['--json', 'web', '-n1'],
    '{"time":"2026-01-10T12:00:03.000Z","process":"web","instance":"web.1","invocation":1,"line":"GET /a 200"}\n',
  ],
]

for (const [args, expected] of logs) {
  test(`logs ${args.join(' ')}`, async (t) => {
    const env = { PRODSERVER_STATE_DIR: writeLogs(t) }
    const { stdout, code, stderr } = await prodserver(t, ['logs', '--utc', ...args], { env })
    assert.equal(stdout, expected)
    assert.deepEqual([code, stderr], [0, ''])
  })
}

test('logs are followed: new lines, new instances, the ends of lives', async (t) => {
  const stateDir = writeLogs(t)
  const following = startProdserver(t, ['logs', '-f'], { env: { PRODSERVER_STATE_DIR: stateDir } })
  await following.waitForOutput(/worker\.1 │ ready\n/)
  createLog(stateDir, 'beat.1').write(T0 + 5000, 1, 'tick\nlast words')
  await following.waitForOutput(/beat\.1 +│ tick\n/)
  const event = {
    id: 2,
    time: new Date(T0 + 6000).toISOString(),
    type: 'exited',
    process: 'beat',
    instance: 'beat.1',
    invocation: 1,
    exit: { code: null, signal: 'SIGKILL' },
    message: 'It ended.',
  }
  appendFileSync(join(stateDir, 'events.jsonl'), `${JSON.stringify(event)}\n`)
  await following.waitForOutput(/beat\.1 +│ last words\n-- beat\.1 was killed by SIGKILL --\n/)
  following.signal('SIGINT')
  assert.equal((await following.ended()).signal, 'SIGINT')
})

test('logs end when nobody reads them any more, and wait for who reads slowly', async (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, `${'x'.repeat(99)}\n`.repeat(20_000))
  const env = { PRODSERVER_STATE_DIR: stateDir }
  const logs = `'${process.execPath}' '${BIN}' logs -n all --raw`
  const first = await run(t, 'bash', ['-c', `${logs} -f | head -1 | wc -c`], { env, cwd: stateDir })
  assert.equal(first.stdout.trim(), '100')
  const all = await run(t, 'bash', ['-c', `${logs} | (read -r line; wc -l)`], { env, cwd: stateDir })
  assert.equal(all.stdout.trim(), '19999')
})

test('events are listed, and as JSON they are what was written', async (t) => {
  const env = { PRODSERVER_STATE_DIR: writeLogs(t) }
  const text = await prodserver(t, ['events', '--utc'], { env })
  assert.equal(text.stdout, '12:00:02.000  worker.1  exited          It ended.\n')
  const json = await prodserver(t, ['events', 'worker', '--json'], { env })
  assert.equal((JSON.parse(json.stdout) as { ms: number }).ms, 8000)
  assert.equal((await prodserver(t, ['events', 'nothing'], { env })).code, 2)
})

test('top shows what runs and the log of what is selected, and its keys act after a question', async (t) => {
  const { top, fake, stateDir } = await supervised(t)
  const log = createLog(stateDir, 'web.2')
  log.write(Date.now(), 1, 'the log of web.2\n')
  fake.answer = [
    { result: { exitCode: 0, changes: [{ process: 'web', did: 'stopped', message: 'web.2 stopped in 0.4s.' }] } },
  ]
  const terminal = top()
  await terminal.shows(/> web\.1 +running[\s\S]*── web\.1 log/)
  terminal.press('j')
  await terminal.shows(/> web\.2 +running[\s\S]*the log of web\.2/)
  log.write(Date.now(), 1, 'more of it\n')
  await terminal.shows(/more of it/)
  terminal.press('s')
  await terminal.shows(/prodserver stop web\.2 .*\? y\/N/)
  assert.deepEqual(fake.actions, [])
  terminal.press('y')
  await terminal.shows(/web\.2 stopped in 0\.4s\./)
  assert.deepEqual(fake.actions, [{ verb: 'stop', targets: ['web.2'] }])
  terminal.resize(12, 40)
  await terminal.shows(/^(?:.*\n){11}.*$/)
  terminal.press('q')
  assert.deepEqual(await terminal.ended(), { code: 0, isRestored: true })
  assert.ok(terminal.written().endsWith('\x1b[?1049l'))
})

test('top shows a change at once, and that nobody answers any more', async (t) => {
  const { top, fake } = await supervised(t)
  const terminal = top()
  await terminal.shows(/> web\.1 +running/)
  const stopping = createInstance('web.1', { state: 'stopping' })
  fake.snapshot = createSnapshot([createProcess('web', [stopping])])
  const time = new Date().toISOString()
  fake.tell({
    id: 1,
    time,
    type: 'stopping',
    process: 'web',
    instance: 'web.1',
    invocation: 1,
    pid: 1,
    message: 'It stops.',
  })
  await terminal.shows(/> web\.1 +stopping/)
  await fake.close()
  await terminal.shows(/disconnected/)
  terminal.press('q')
  assert.equal((await terminal.ended()).code, 0)
})

for (const [name, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  test(`top gives the terminal back on ${name}`, async (t) => {
    const { top } = await supervised(t)
    const terminal = top()
    await terminal.shows(/> web\.1/)
    terminal.signal(number)
    assert.deepEqual(await terminal.ended(), { code: 130, isRestored: true })
    assert.ok(terminal.written().endsWith('\x1b[?1049l'))
  })
}

test('top without colours has none, and without a terminal it says what to write', async (t) => {
  const { stateDir, run } = await supervised(t)
  const terminal = openTerminal(t, ['top'], { env: { PRODSERVER_STATE_DIR: stateDir, NO_COLOR: '1' } })
  await terminal.shows(/> web\.1/)
  terminal.press('q')
  await terminal.ended()
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
  assert.doesNotMatch(terminal.written(), /\x1b\[[1-9]\d*m/)
  const piped = await run('top')
  assert.match(piped.stderr, /top needs a terminal\. Write: prodserver top --once/)
  assert.equal(piped.code, 2)
  const once = await run('top', '--once', '--json', 'web.1')
  assert.equal((JSON.parse(once.stdout) as { instance: string }).instance, 'web.1')
})
