import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Plan } from '../src/plan/plan.ts'
import { PYTHON } from './support/environment.ts'
import { createProject, writeFiles } from './support/project.ts'
import { type Finished, prodserver, run, type StartOptions } from './support/running.ts'

const GOOD = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}'

/** What `show --json` says of the project, and nothing else. */
async function shownProject(t: TestContext, args: readonly string[], options: StartOptions): Promise<Plan['project']> {
  const { stdout, stderr } = await prodserver(t, ['show', '--json', ...args], options)
  assert.equal(stderr, '')
  return (JSON.parse(stdout) as Plan).project
}

// --- Interpreters -----------------------------------------------------------------------------------------------------

/** An executable script; a folder of such is as good as an environment, and each has a path of its own. */
function writeProgram(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const writePython = (path: string): string => writeProgram(path, `exec '${PYTHON}' "$@"`)

interface Candidate {
  /** Makes it, and says what is needed to name it. */
  readonly make: (place: Place) => { path: string; args?: readonly string[]; env?: Record<string, string> }
  readonly reason: (place: Place) => string
}

interface Place {
  /** The folder around the repository. */
  readonly outside: string
  /** A repository with the project in a folder of it. */
  readonly repository: string
  readonly root: string
  /** Somewhere else. */
  readonly elsewhere: string
  /** The only folder on PATH. */
  readonly bin: string
}

const folder = (name: string, of: 'root' | 'repository' = 'root'): Candidate => ({
  make: (place) => ({ path: writePython(join(place[of], name, 'bin', 'python')) }),
  reason: ({ repository }) => (of === 'root' ? `${name} in the project` : `${name} in ${repository}`),
})

const variable = (name: string): Candidate => ({
  make: ({ elsewhere }) => {
    const path = writePython(join(elsewhere, name, 'bin', 'python'))
    return { path, env: { [name]: join(elsewhere, name) } }
  },
  reason: () => name,
})

/** A tool stands in by what it prints when it is asked in the project's folder. */
const tool = (name: string, lock: string, question: string): Candidate => ({
  make: ({ root, elsewhere, bin }) => {
    const path = writePython(join(elsewhere, name, 'bin', 'python'))
    writeFileSync(join(root, lock), '')
    writeProgram(
      join(bin, name),
      `[ "$PWD" = '${root}' ] && [ "$*" = '${question}' ] || exit 1\necho 'Courtesy notice' >&2\necho '${path}'`,
    )
    return { path }
  },
  reason: () => `${name} (${lock})`,
})

const onPath = (name: string): Candidate => ({
  make: ({ bin }) => ({ path: writePython(join(bin, name)) }),
  reason: () => `${name} on PATH`,
})

/** The first that exists is used. */
const candidates: readonly Candidate[] = [
  {
    make: ({ elsewhere }) => {
      const path = writePython(join(elsewhere, 'given', 'python'))
      return { path, args: ['--python', path] }
    },
    reason: () => '--python',
  },
  {
    make: ({ elsewhere }) => {
      const path = writePython(join(elsewhere, 'named', 'python'))
      return { path, env: { PRODSERVER_PYTHON: path } }
    },
    reason: () => 'PRODSERVER_PYTHON',
  },
  variable('VIRTUAL_ENV'),
  variable('CONDA_PREFIX'),
  variable('UV_PROJECT_ENVIRONMENT'),
  folder('.venv'),
  folder('venv'),
  folder('env'),
  folder('.env'),
  folder('virtualenv'),
  folder('.venv', 'repository'),
  folder('venv', 'repository'),
  tool('poetry', 'poetry.lock', 'env info --executable'),
  tool('pipenv', 'Pipfile.lock', '--py'),
  tool('uv', 'uv.lock', 'python find'),
  onPath('python3'),
  onPath('python'),
]

function makePlace(t: TestContext): Place {
  const outside = temporary(t)
  const repository = join(outside, 'repository')
  const root = join(repository, 'backend')
  const elsewhere = temporary(t)
  const bin = join(elsewhere, 'bin')
  for (const folder of [join(repository, '.git'), bin]) mkdirSync(folder, { recursive: true })
  writeFiles(root, {
    'manage.py': 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf")\n',
    'conf.py': GOOD,
  })
  return { outside, repository, root, elsewhere, bin }
}

function temporary(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'prodserver-test-'))
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }))
  return path
}

test('what cannot be looked at on PATH is passed over, as a shell does', async (t) => {
  const place = makePlace(t)
  const { path } = onPath('python3').make(place)
  const folder = join(place.elsewhere, 'private')
  mkdirSync(folder)
  // Root may look everywhere; nobody can where a link names itself.
  symlinkSync('python3', join(folder, 'python3'))
  const env = { PATH: `${folder}:${place.bin}`, PRODSERVER_PYTHON: undefined }
  assert.equal((await shownProject(t, [], { cwd: place.root, env })).python?.path, path)
})

for (const [index, { reason }] of candidates.entries()) {
  const name = reason({ outside: '', repository: 'the repository', root: '', elsewhere: '', bin: '' })
  test(`the interpreter is that of ${name} where nothing before it in the list exists`, async (t) => {
    const place = makePlace(t)
    const made = candidates.slice(index).map((candidate) => candidate.make(place))
    const python = await shownProject(t, made[0]?.args ?? [], {
      cwd: place.root,
      env: { PATH: place.bin, PRODSERVER_PYTHON: undefined, ...Object.assign({}, ...made.map(({ env }) => env)) },
    })
    assert.deepEqual(
      { path: python.python?.path, reason: python.python?.reason },
      { path: made[0]?.path, reason: reason(place) },
    )
  })
}

test("an environment outside the repository is not the project's", async (t) => {
  const place = makePlace(t)
  writePython(join(place.outside, 'venv', 'bin', 'python'))
  const { path } = onPath('python3').make(place)
  const { python } = await shownProject(t, [], {
    cwd: place.root,
    env: { PATH: place.bin, PRODSERVER_PYTHON: undefined },
  })
  assert.equal(python?.path, path)
})

for (const [given, expected] of [
  ['environment', 'environment/bin/python'],
  ['environment/bin/python', 'environment/bin/python'],
  ['./link', 'link'],
  ['python-of-the-project', 'bin/python-of-the-project'],
  ['link-on-path', 'bin/link-on-path'],
] as const) {
  test(`--python ${given} is ${expected}, with its symbolic links as they are`, async (t) => {
    const cwd = createProject(t, { settings: GOOD })
    writePython(join(cwd, 'environment', 'bin', 'python'))
    writePython(join(cwd, 'bin', 'python-of-the-project'))
    symlinkSync(join(cwd, 'environment', 'bin', 'python'), join(cwd, 'link'))
    symlinkSync(join(cwd, 'link'), join(cwd, 'bin', 'link-on-path'))
    const { python } = await shownProject(t, ['--python', given], { cwd, env: { PATH: join(cwd, 'bin') } })
    assert.deepEqual({ path: python?.path, reason: python?.reason }, { path: join(cwd, expected), reason: '--python' })
  })
}

test('a process is started with the interpreter by its own path, so that it finds its environment', async (t) => {
  const cwd = createProject(t, { settings: GOOD })
  symlinkSync(dirname(dirname(PYTHON)), join(cwd, '.venv'))
  writeFiles(cwd, {
    'gunicorn.conf.py': 'import sys\n\n\ndef on_starting(server):\n    print(sys.prefix)\n    raise SystemExit(0)\n',
  })
  const { stdout } = await prodserver(t, ['run'], { cwd, env: { PRODSERVER_PYTHON: undefined } })
  assert.equal(stdout, `${cwd}/.venv\n`)
})

// --- Settings ---------------------------------------------------------------------------------------------------------

const settingsChoices: readonly { args: string[]; env: Record<string, string>; module: string; reason: string }[] = [
  { args: [], env: {}, module: 'mysite.settings', reason: 'manage.py' },
  { args: [], env: { DJANGO_SETTINGS_MODULE: 'mysite.one' }, module: 'mysite.one', reason: 'DJANGO_SETTINGS_MODULE' },
  {
    args: ['--settings=mysite.two'],
    env: { DJANGO_SETTINGS_MODULE: 'mysite.one' },
    module: 'mysite.two',
    reason: '--settings',
  },
]

for (const { args, env, module, reason } of settingsChoices) {
  test(`the settings are those of ${reason} where nothing stronger names any, for the process as well`, async (t) => {
    const print = (name: string): string =>
      `PRODUCTION_PROCESSES = {"${name}": {"BACKEND": "command", "APP": "printenv DJANGO_SETTINGS_MODULE"}}\n`
    const cwd = createProject(t, {
      settings: print('mysite.settings'),
      files: { 'mysite/one.py': print('mysite.one'), 'mysite/two.py': print('mysite.two') },
    })
    const { settings } = await shownProject(t, args, { cwd, env })
    assert.deepEqual(settings, { module, reason })
    const { stdout } = await prodserver(t, ['run', '-q', ...args], { cwd, env })
    assert.equal(stdout, `${module}\n`)
    assert.equal((await prodserver(t, ['list', '--names', ...args], { cwd, env })).stdout, `${module}\n`)
  })
}

test('changed settings are seen by the next command', async (t) => {
  const cwd = createProject(t)
  const settings = join(cwd, 'mysite', 'settings.py')
  for (const name of ['first', 'second', 'third']) {
    writeFileSync(settings, `PRODUCTION_PROCESSES = {"${name}": {"BACKEND": "gunicorn"}}\n`)
    assert.equal((await prodserver(t, ['list', '--names'], { cwd })).stdout, `${name}\n`)
  }
})

test('changed settings are seen although the file is as old and as long as before', async (t) => {
  const cwd = createProject(t)
  const settings = join(cwd, 'mysite', 'settings.py')
  for (const name of ['one', 'two', 'six']) {
    writeFileSync(settings, `PRODUCTION_PROCESSES = {"${name}": {"BACKEND": "gunicorn"}}\n`)
    utimesSync(settings, 1_700_000_000, 1_700_000_000)
    assert.equal((await prodserver(t, ['list', '--names'], { cwd })).stdout, `${name}\n`)
  }
})

// --- Secrets ----------------------------------------------------------------------------------------------------------

const SECRET = 'hunter2'

/** Says whether it was given what was declared. */
const RECEIVE = `[ "$DB_PASSWORD" = ${SECRET} ] && [ "$API_TOKEN" = ${SECRET} ] && [ "$1" = --basic-auth=me:${SECRET} ] && echo received`

const FILES = {
  '.env': `API_TOKEN=${SECRET}\n`,
  'receive.sh': RECEIVE,
  'mysite/celery.py': 'from celery import Celery\n\napp = Celery("mysite")\n',
}

const SECRETS = `PRODUCTION_PROCESSES = {
    "metrics": {
        "BACKEND": "command",
        "APP": "sh receive.sh",
        "ARGS": {"basic-auth": "me:${SECRET}"},
        "ENV": {"DB_PASSWORD": "${SECRET}", "PLAIN": "shown"},
        "ENV_FILE": ".env",
    },
    "worker": {
        "BACKEND": "celery-worker",
        "APP": "mysite.celery.app",
        "ARGS": {"broker": "redis://:${SECRET}@localhost", "hostname": "w@%h"},
        "ENV": {"DATABASE_URL": "postgres://shop:${SECRET}@db/shop"},
    },
}
`

test('no command shows a secret, and the process has it', async (t) => {
  const cwd = createProject(t, { settings: SECRETS, files: FILES })
  const commands = [['show'], ['show', '--json'], ['list'], ['list', '--json'], ['check'], ['check', '--json']]
  for (const { code, stdout, stderr } of await Promise.all(commands.map((args) => prodserver(t, args, { cwd })))) {
    assert.equal(code, 0, stderr)
    assert.ok(!`${stdout}${stderr}`.includes(SECRET), `${stdout}${stderr}`)
  }
  const shown = (await prodserver(t, ['show'], { cwd })).stdout
  for (const expected of [
    '--basic-auth=•••• ',
    'DB_PASSWORD=•••• ',
    'API_TOKEN=•••• ',
    'PLAIN=shown ',
    '--broker=redis://:••••@localhost ',
    '--hostname=w@%h ',
    'DATABASE_URL=postgres://shop:••••@db/shop ',
  ])
    assert.ok(shown.includes(expected), `${expected}\n${shown}`)

  const { stdout, stderr } = await prodserver(t, ['run', 'metrics'], { cwd })
  assert.deepEqual({ stdout, stderr }, { stdout: 'received\n', stderr: 'metrics: command\n' })
})

const secretMistakes: Readonly<Record<string, string>> = {
  'an option that cannot be one': `"ARGS": {"password": b"${SECRET}"}`,
  'an option with a list': `"ARGS": {"auth": ["me:${SECRET}", b"me:${SECRET}"]}`,
  'an option with a NUL byte': `"ARGS": {"password": "${SECRET}\\0"}`,
  'an option in a key': `"ARGS": {"--password=${SECRET}": True}`,
  'a URL in a key': `"ARGS": {"broker=redis://:${SECRET}@localhost": True}`,
  'a variable that cannot be one': `"ENV": {"API_TOKEN": b"${SECRET}"}`,
  'a variable with a NUL byte': `"ENV": {"API_TOKEN": "${SECRET}\\0"}`,
  'a variable that is too long': `"ENV": {"API_TOKEN": "${SECRET}" * 30_000}`,
  'an option that is too long': `"ARGS": {"password": "${SECRET}" * 30_000}`,
}

for (const [what, keys] of Object.entries(secretMistakes)) {
  test(`a secret in ${what} is not shown by the error`, async (t) => {
    const settings = `PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", ${keys}}}`
    const cwd = createProject(t, { settings })
    const commands = [['check'], ['check', '--json'], ['show'], ['run', '--traceback', 'web']]
    const [check, ...others] = await Promise.all(commands.map((args) => prodserver(t, args, { cwd })))
    assert.equal(check?.code, 4)
    for (const { stdout, stderr } of [check, ...others])
      assert.ok(!`${stdout}${stderr}`.includes(SECRET), `${stdout}${stderr}`)
  })
}

// --- What is shown is what runs ---------------------------------------------------------------------------------------

/** Prints everything that a program is given. */
const REPORT =
  'console.log(JSON.stringify({ argv: process.argv, execPath: process.execPath, env: process.env, cwd: process.cwd() }))'

test('the command line that show prints does in a shell what run does', async (t) => {
  const cwd = createProject(t, {
    settings: String.raw`PRODUCTION_PROCESSES = {"report": {
    "BACKEND": "node",
    "APP": "report.js",
    "CWD": "it's a \"söng\" $HOME",
    "ARGS": {
        "quotes": "a 'b' \"c\" \\d\\",
        "expansions": "$HOME $(id) ${'`id`'} ~ *.py {a,b} !! #",
        "operators": "a; b & c | d > e < f",
        "newline": "two\nlines",
        "letters": "żółw 🐢",
        "empty": "",
        "percent": "%h %%",
        "several": ["a b", "-c", "--"],
    },
    "ENV": {"HARD": "it's \"$HOME\" \n\\ 🐢", "EMPTY": "", "REMOVED": None, "ALSO_REMOVED": None},
}}`,
    files: { 'it\'s a "söng" $HOME/keep': '', 'report.js': REPORT },
  })
  const options: StartOptions = { cwd, env: { REMOVED: 'a', ALSO_REMOVED: 'b' } }
  const ran = await prodserver(t, ['run', '-q', 'report'], options)
  const shown = await prodserver(t, ['show', 'report'], options)
  const line = /^ {2}(cd [\s\S]*?)\n {2}from {2,}/m.exec(shown.stdout)?.[1] ?? ''
  const pasted = await run(t, 'sh', ['-c', line], { ...options, cwd: '/', env: { ...options.env } })
  assert.equal(pasted.stderr, '')
  assert.deepEqual(reported(pasted), reported(ran))
  assert.equal(reported(ran).argv.length, 12)
  assert.equal(reported(ran).env['HARD'], `it's "$HOME" \n\\ 🐢`)
  assert.equal('REMOVED' in reported(ran).env, false)
})

interface Report {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Without what a shell leaves behind of itself, and what is there for prodserver. */
function reported({ stdout }: Finished): Report {
  const { env, ...report } = JSON.parse(stdout) as Report
  const own = ['PWD', 'OLDPWD', '_', 'SHLVL', 'PRODSERVER_PYTHON']
  return { ...report, env: Object.fromEntries(Object.entries(env).filter(([name]) => !own.includes(name))) }
}
