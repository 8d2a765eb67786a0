import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { quoteWord } from '../src/core/shell-words.ts'
import { BIN, cleanEnv, PYTHON } from './support/environment.ts'
import { freePort, httpGet, waitForHttp } from './support/net.ts'
import { commandLineOf, descriptorsOf, groupOf, parentOf } from './support/processes.ts'
import { createProject, writeFiles } from './support/project.ts'
import { declare, HARD, type Recorded, recorded, recorder } from './support/recorder.ts'
import {
  type Ended,
  type Finished,
  prodserver,
  run,
  type Running,
  start,
  startProdserver,
  waitUntil,
} from './support/running.ts'

/** What only the kernel can tell needs its files. */
const linux = { skip: existsSync('/proc/self/fdinfo') ? false : 'there is no /proc' }

// The same process

test('run becomes the server: its pid, its program, its command line, and no other process', linux, async (t) => {
  const port = await freePort()
  const root = declare(t, { web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` } } })
  const running = startProdserver(t, ['run', 'web'], { cwd: root })
  const { body } = await waitForHttp(running, { port }, '/?env=DJANGO_SETTINGS_MODULE')
  const worker = JSON.parse(body) as { pid: number; ppid: number; env: Record<string, string> }
  assert.equal(worker.ppid, running.pid)
  assert.equal(readlinkSync(`/proc/${running.pid}/exe`), realpathSync(PYTHON))
  assert.deepEqual(commandLineOf(running.pid), [
    PYTHON,
    '-m',
    'gunicorn',
    `--bind=127.0.0.1:${port}`,
    'mysite.wsgi:application',
  ])
  assert.deepEqual(relatives(running.pid), [running.pid, worker.pid])
  assert.equal(worker.env['DJANGO_SETTINGS_MODULE'], 'mysite.settings')
})

test('the standard streams reach the program as they were, and no other descriptor does', linux, async (t) => {
  const root = declare(t, { echo: { BACKEND: 'command', APP: 'cat' } })
  const pipes = ['stdin', 'stdout', 'stderr'].map((name) => join(root, name))
  execFileSync('mkfifo', pipes)
  const open = pipes.map((path) => openSync(path, 'r+'))
  t.after(() => open.forEach((fd) => closeSync(fd)))
  // There before anything reads: not a byte of it may be taken by prodserver.
  writeSync(open[0] as number, 'hello\n')
  const launch = (command: string, args: readonly string[]): number => {
    const child = spawn(command, args, { cwd: root, stdio: open, env: environment() })
    t.after(() => void child.kill('SIGKILL'))
    return child.pid as number
  }
  const pid = launch(process.execPath, [BIN, 'run', 'echo'])
  assert.equal(await waitForText(pipes[1] as string, /\n/), 'hello\n')
  assert.match(commandLineOf(pid)[0] ?? '', /\/cat$/)
  assert.deepEqual(
    ['0', '1', '2'].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
    pipes,
  )
  // Whoever runs the tests may pass on more than these three, and does so to any program.
  const direct = launch('sleep', ['600'])
  await waitUntil(
    () => descriptorsOf(pid) === descriptorsOf(direct) || undefined,
    5000,
    () => `It has ${descriptorsOf(pid)}, and ${descriptorsOf(direct)} when it is started directly.`,
  )
  for (const fd of ['0', '1', '2']) {
    const flags = Number.parseInt(
      /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '',
      8,
    )
    assert.equal(flags & constants.O_NONBLOCK, 0, `descriptor ${fd} is blocking`)
  }
  assert.equal(await waitForText(pipes[2] as string, /\n/), 'echo: command\n')
})

test('no signal is blocked or ignored for the program, as if it were started directly', linux, async (t) => {
  const root = declare(t, { status: { BACKEND: 'command', APP: 'cat /proc/self/status' } })
  const direct = signalMasks(await run(t, 'cat', ['/proc/self/status']))
  assert.equal(direct.length, 2)
  assert.deepEqual(signalMasks(await prodserver(t, ['run', 'status'], { cwd: root })), direct)
})

// Its end

const ends: readonly (readonly [backend: string, signal: NodeJS.Signals, ended: Ended])[] = [
  ['gunicorn', 'SIGTERM', { code: 0, signal: null }],
  ['gunicorn', 'SIGINT', { code: 0, signal: null }],
  ['waitress', 'SIGTERM', { code: null, signal: 'SIGTERM' }],
  ['waitress', 'SIGINT', { code: 0, signal: null }],
  ['uvicorn', 'SIGTERM', { code: null, signal: 'SIGTERM' }],
  ['granian-asgi', 'SIGTERM', { code: 0, signal: null }],
]

for (const [backend, signal, ended] of ends) {
  test(`${backend} ends on ${signal} as it does by itself: ${ended.signal ?? `exit code ${ended.code}`}`, async (t) => {
    const port = await freePort()
    const args = backend === 'gunicorn' ? { bind: `127.0.0.1:${port}` } : { host: '127.0.0.1', port }
    const root = declare(t, { web: { BACKEND: backend, ARGS: args } })
    const running = startProdserver(t, ['run', 'web'], { cwd: root })
    await waitForHttp(running, { port })
    running.signal(signal)
    assert.deepEqual(await running.ended(), ended, running.output())
  })
}

test('the exit code of run is the program’s', async (t) => {
  const root = declare(t, { job: { BACKEND: 'command', APP: 'sh -c "exit 7"' } })
  assert.equal((await prodserver(t, ['run', 'job'], { cwd: root })).code, 7)
})

// What it says

test('run says one line, on stderr, and with -q none', async (t) => {
  const root = declare(t, { job: { BACKEND: 'command', APP: 'true' } })
  assert.deepEqual(await prodserver(t, ['run', 'job'], { cwd: root }), {
    code: 0,
    stdout: '',
    stderr: 'job: command\n',
  })
  for (const quiet of ['-q', '--quiet'])
    assert.deepEqual(await prodserver(t, ['run', quiet, 'job'], { cwd: root }), { code: 0, stdout: '', stderr: '' })
})

// Extra arguments

/** Tells what gunicorn was configured to do, instead of doing it. */
const TELL = `
import json

def on_starting(server):
    print(json.dumps({"bind": server.cfg.bind, "workers": server.cfg.workers}), flush=True)
    raise SystemExit(0)
`

const overrides: Readonly<Record<string, { readonly bind?: readonly string[]; readonly workers?: number }>> = {
  '--workers=1': { workers: 1 },
  '--workers 1': { workers: 1 },
  '-w 1': { workers: 1 },
  '-w1': { workers: 1 },
  '-- --workers=1': { workers: 1 },
  '--bind=127.0.0.1:2': { bind: ['127.0.0.1:2'] },
  '-b 127.0.0.1:2': { bind: ['127.0.0.1:2'] },
  '-b127.0.0.1:2': { bind: ['127.0.0.1:2'] },
  '--bind=127.0.0.1:2 --bind=127.0.0.1:3': { bind: ['127.0.0.1:2', '127.0.0.1:3'] },
  '--timeout=5': {},
}

for (const [given, expected] of Object.entries(overrides)) {
  test(`${given} after the name ${Object.keys(expected).length > 0 ? `replaces the declared ${Object.keys(expected)[0]}` : 'leaves the declared options'}`, async (t) => {
    const root = declare(t, { web: { BACKEND: 'gunicorn', ARGS: { bind: '127.0.0.1:1', workers: 4 } } })
    writeFiles(root, { 'gunicorn.conf.py': TELL })
    const { stdout, stderr } = await prodserver(t, ['run', 'web', ...given.split(' ')], { cwd: root })
    assert.deepEqual(JSON.parse(stdout || stderr), { bind: ['127.0.0.1:1'], workers: 4, ...expected })
  })
}

test('an address on the command line is the only one that is listened on', async (t) => {
  const [declared, given] = [await freePort(), await freePort()]
  const root = declare(t, { web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${declared}` } } })
  const running = startProdserver(t, ['run', 'web', `--bind=127.0.0.1:${given}`], { cwd: root })
  assert.equal((await waitForHttp(running, { port: given })).status, 200)
  assert.match(running.stderr(), new RegExp(`^web: gunicorn on http://127.0.0.1:${given}$`, 'm'))
  await assert.rejects(httpGet({ port: declared }), { code: 'ECONNREFUSED' })
})

test('options of prodserver are taken before and after the name, and after -- they are the program’s', async (t) => {
  const root = declare(t, { job: recorder() })
  writeFiles(root, { 'mysite/other.py': 'from .settings import *\n' })
  const settings = async (...args: string[]): Promise<Recorded> => recorded(await prodserver(t, args, { cwd: root }))
  for (const args of [
    ['run', '--settings', 'mysite.other', 'job'],
    ['run', 'job', '--settings=mysite.other'],
    ['--settings=mysite.other', 'job'],
  ])
    assert.equal((await settings(...args)).env['DJANGO_SETTINGS_MODULE'], 'mysite.other')
  const passed = await settings('run', 'job', '--', '--settings=mysite.other', '-q', '--', '-h')
  assert.equal(passed.env['DJANGO_SETTINGS_MODULE'], 'mysite.settings')
  assert.deepEqual(passed.argv, ['--settings=mysite.other', '-q', '--', '-h'])
})

// Which process

test('run without a name is the first process that is declared and enabled', async (t) => {
  const root = createProject(t, {
    settings: `
PRODUCTION_PROCESSES = {
    "off": {"BACKEND": "command", "APP": "echo off", "ENABLED": False},
    "zebra": {"BACKEND": "command", "APP": "echo zebra"},
    "1": {"BACKEND": "command", "APP": "echo 1"},
    "ant": {"BACKEND": "command", "APP": "echo ant"},
}
`,
  })
  assert.equal((await prodserver(t, ['run'], { cwd: root })).stdout, 'zebra\n')
})

test('the name alone is enough, where it is not the name of a command', async (t) => {
  const root = declare(t, {
    first: { BACKEND: 'command', APP: 'echo first' },
    second: { BACKEND: 'command', APP: 'echo second' },
    list: { BACKEND: 'command', APP: 'echo a process' },
  })
  const stdout = async (...args: string[]): Promise<string> => (await prodserver(t, args, { cwd: root })).stdout
  assert.equal(await stdout('second'), 'second\n')
  assert.equal(await stdout('second', '--and', 'more'), 'second --and more\n')
  assert.equal(await stdout('run', 'list'), 'a process\n')
  assert.match(await stdout('list'), /^NAME +KIND/)
})

// What reaches the program

test('every value arrives byte for byte: declared, in APP, and from the command line', async (t) => {
  const args = Object.fromEntries(HARD.map((value, index) => [`option-${index}`, value]))
  const inApp = HARD.map((value) => `'${value.replaceAll("'", `'"'"'`)}'`).join(' ')
  const root = declare(t, { job: recorder(args, inApp) })
  const { argv } = recorded(await prodserver(t, ['run', 'job', '--', ...HARD], { cwd: root }))
  assert.deepEqual(argv, [...HARD, ...HARD.map((value, index) => `--option-${index}=${value}`), ...HARD])
})

test('a list repeats an option, and True is an option without a value', async (t) => {
  const root = declare(t, {
    job: recorder({ tag: ['a', 'b c'], force: true, off: false, none: null, number: 4.5, v: 'x y' }),
  })
  const { argv } = recorded(await prodserver(t, ['run', 'job'], { cwd: root }))
  assert.deepEqual(argv, ['--tag=a', '--tag=b c', '--force', '--number=4.5', '-v', 'x y'])
})

test('the environment is the inherited one, with files, then what is declared, and without what is None', async (t) => {
  const root = declare(
    t,
    {
      job: {
        ...recorder(),
        ENV: {
          DECLARED: 'declared',
          BOTH: 'declared',
          INHERITED_BOTH: 'declared',
          REMOVED: null,
          HARD: HARD.join(),
          NUMBER: 1,
          TRUE: true,
        },
        ENV_FILE: ['first.env', 'second.env'],
      },
    },
    {
      files: {
        'first.env': 'BOTH=first\nIN_FILES=first\nQUOTED="two words # no comment"\nREMOVED=first\n',
        'second.env': 'IN_FILES=second\nONLY_SECOND=second\nINHERITED=second\n',
      },
    },
  )
  const env = { INHERITED: 'inherited', INHERITED_BOTH: 'inherited', REMOVED: 'inherited', 'odd.name': 'inherited' }
  const { env: seen } = recorded(await prodserver(t, ['run', 'job'], { cwd: root, env }))
  assert.deepEqual(
    pick(seen, [
      ...Object.keys(env),
      'DECLARED',
      'BOTH',
      'IN_FILES',
      'ONLY_SECOND',
      'QUOTED',
      'HARD',
      'NUMBER',
      'TRUE',
    ]),
    {
      INHERITED: 'inherited',
      INHERITED_BOTH: 'declared',
      REMOVED: undefined,
      'odd.name': 'inherited',
      DECLARED: 'declared',
      BOTH: 'declared',
      IN_FILES: 'first',
      ONLY_SECOND: 'second',
      QUOTED: 'two words # no comment',
      HARD: HARD.join(),
      NUMBER: '1',
      TRUE: 'True',
    },
  )
  assert.equal(seen['DJANGO_SETTINGS_MODULE'], 'mysite.settings')
})

test('nothing but what is declared is added to the environment', async (t) => {
  const root = declare(t, { job: recorder() })
  const { env } = recorded(await prodserver(t, ['run', 'job'], { cwd: root }))
  const given = environment()
  const added = Object.keys(env).filter((name) => given[name] !== env[name])
  // The interpreter that runs the recorder may set the last.
  assert.deepEqual(
    added.filter((name) => name !== 'LC_CTYPE'),
    ['DJANGO_SETTINGS_MODULE'],
  )
  assert.deepEqual(
    Object.keys(given).filter((name) => env[name] === undefined),
    [],
  )
})

test('CWD is where the program starts, and the project is still on its import path', async (t) => {
  const port = await freePort()
  const root = declare(t, { web: { BACKEND: 'uvicorn', CWD: 'var/run', ARGS: { host: '127.0.0.1', port } } })
  mkdirSync(join(root, 'var', 'run'), { recursive: true })
  const running = startProdserver(t, ['run', 'web'], { cwd: join(root, 'mysite'), env: { PYTHONPATH: '/nowhere' } })
  const { body } = await waitForHttp(running, { port }, '/?env=PYTHONPATH&env=PWD')
  const facts = JSON.parse(body) as { cwd: string; env: Record<string, string> }
  assert.equal(facts.cwd, join(realpathSync(root), 'var', 'run'))
  assert.equal(facts.env['PYTHONPATH'], `${root}:/nowhere`)
})

test('without CWD the program starts in the project, from wherever prodserver was started', async (t) => {
  const root = declare(t, { job: recorder() })
  const { cwd } = recorded(await prodserver(t, ['run', 'job'], { cwd: join(root, 'mysite') }))
  assert.equal(cwd, realpathSync(root))
})

// What cannot be started

interface Refusal {
  readonly app: string
  readonly files?: Readonly<Record<string, string>>
  readonly executable?: readonly string[]
  readonly args?: Json
  readonly code: number
  readonly id: string
}

const refusals: Readonly<Record<string, Refusal>> = {
  'that does not exist': { app: 'no-such-program', code: 127, id: 'E501' },
  'whose path does not exist': { app: './no/such/program', code: 127, id: 'E501' },
  'that is not executable': { app: './tool', files: { tool: '#!/bin/sh\n' }, code: 126, id: 'E502' },
  'that is a folder': { app: './mysite', code: 126, id: 'E502' },
  'that names no interpreter': {
    app: './tool',
    files: { tool: 'echo\n' },
    executable: ['tool'],
    code: 126,
    id: 'E502',
  },
  'whose interpreter does not exist': {
    app: './tool',
    files: { tool: '#!/no/such/interpreter -u\n' },
    executable: ['tool'],
    code: 127,
    id: 'E501',
  },
  'with more arguments than the system takes': {
    app: 'echo',
    args: { text: Array.from({ length: 20 }, () => 'x'.repeat(100_000)) },
    code: 1,
    id: 'E504',
  },
  'with an argument that is too long': { app: 'echo', args: { text: 'x'.repeat(140_000) }, code: 1, id: 'E504' },
}

for (const [what, { app, files = {}, executable = [], args = {}, code, id }] of Object.entries(refusals)) {
  test(`a program ${what} is refused with exit code ${code}`, async (t) => {
    const root = declare(t, { job: { BACKEND: 'command', APP: app, ARGS: args } }, { files })
    for (const path of executable) chmodSync(join(root, path), 0o755)
    const refused = await prodserver(t, ['run', 'job'], { cwd: root })
    assert.deepEqual([refused.code, refused.stdout], [code, ''])
    assert.match(refused.stderr, new RegExp(`^${id}  PRODUCTION_PROCESSES\\["job"\\]`))
    assert.ok(refused.stderr.length < 1000, refused.stderr)
  })
}

test('a working directory that does not exist is refused', async (t) => {
  const root = declare(t, { job: { BACKEND: 'command', APP: 'echo started', CWD: 'missing' } })
  const { code, stdout, stderr } = await prodserver(t, ['run', 'job'], { cwd: root })
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^E503 {2}PRODUCTION_PROCESSES\["job"\]\["CWD"\]/)
})

// Where a process cannot be replaced

const LISTENER = `
import signal
import sys

signals = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2]
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
print("ready", flush=True)
print("got", signal.Signals(signal.sigwait(signals)).name)
sys.exit(5)
`

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const) {
  test(`where a process cannot be replaced, the program gets ${signal}, and its exit code is ours`, async (t) => {
    const root = declare(
      t,
      { job: { BACKEND: 'command', APP: `${quoteWord(PYTHON)} listener.py` } },
      { files: { 'listener.py': LISTENER } },
    )
    const running = startWithoutExecve(t, root)
    await running.waitForOutput(/^ready$/m)
    running.signal(signal)
    assert.deepEqual(await running.ended(), { code: 5, signal: null })
    assert.equal(running.stdout(), `ready\ngot ${signal}\n`)
  })
}

for (const [app, code] of [
  ['sh -c "exit 7"', 7],
  ['sh -c "kill -KILL $$"', 137],
  ['sh -c "kill -TERM $$"', 143],
] as const) {
  test(`where a process cannot be replaced, ${app} makes the exit code ${code}`, async (t) => {
    const root = declare(t, { job: { BACKEND: 'command', APP: app } })
    assert.deepEqual(await startWithoutExecve(t, root).ended(), { code, signal: null })
  })
}

/** As on a system that has no such call. */
const startWithoutExecve = (t: TestContext, root: string): Running =>
  start(t, process.execPath, ['--import', 'data:text/javascript,process.execve=undefined', BIN, 'run', 'job'], {
    cwd: root,
    env: { PRODSERVER_PYTHON: PYTHON },
  })

const environment = (): Record<string, string> => cleanEnv({ PRODSERVER_PYTHON: PYTHON })

const pick = (values: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string | undefined> =>
  Object.fromEntries(names.map((name) => [name, values[name]]))

/** Every process of the group, and every child: zombies too. */
function relatives(pid: number): readonly number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  return all.filter((other) => {
    try {
      return groupOf(other) === pid || parentOf(other) === pid
    } catch {
      // It ended meanwhile.
      return false
    }
  })
}

const signalMasks = ({ stdout }: Finished): readonly string[] => [...(stdout.match(/^Sig(Blk|Ign):.*$/gm) ?? [])]

/** What arrives in a pipe; read through a description of its own, so that ours changes nothing for the program. */
async function waitForText(path: string, pattern: RegExp): Promise<string> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  let text = ''
  const buffer = Buffer.alloc(4096)
  try {
    return await waitUntil(() => {
      try {
        text += buffer.toString('utf8', 0, readSync(fd, buffer))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      }
      return pattern.test(text) ? text : undefined
    })
  } finally {
    closeSync(fd)
  }
}
