import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Problem } from '../src/core/errors.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { commandLineOf } from './support/processes.ts'
import { createProject } from './support/project.ts'
import { prodserver, type Running, startProdserver, type StartOptions } from './support/running.ts'

const fixture = (name: string): string => readFileSync(join(ROOT, 'test', 'fixtures', name), 'utf8')

const declare = (processes: string): string => `PRODUCTION_PROCESSES = {${processes}}\n`

/** With the Django app of this repository, whichever is installed. */
const withPackage = (cwd: string): StartOptions => ({ cwd, env: { PYTHONPATH: join(ROOT, 'python') } })

const factsOf = async (running: Running, port: number): Promise<Readonly<Record<string, unknown>>> =>
  JSON.parse((await waitForHttp(running, { port })).body) as Record<string, unknown>

const commandOf = ({ pid }: Running): string => commandLineOf(pid).join(' ')

// Commands

test("a management command of the project's own gets its options, the command line's, and the signals", async (t) => {
  const cwd = createProject(t, {
    settings: `
INSTALLED_APPS += ["mysite"]
${declare('"mailer": {"BACKEND": "django-command", "APP": "deliver mail", "ARGS": {"batch_size": 5, "v": 2, "dry-run": True}}')}`,
    files: { 'mysite/management/commands/deliver.py': fixture('deliver.py') },
  })
  const running = startProdserver(t, ['run', 'mailer', '--limit=7'], { cwd })
  const [line] = await running.waitForOutput(/delivers .*(?=\n)/)
  assert.equal(line, `delivers ${running.pid} mail 5 True 7 2`)
  running.signal('SIGTERM')
  assert.deepEqual(await running.ended(), { code: 0, signal: null }, running.output())
  assert.match(running.stdout(), /has ended in order/)
})

test("Django's own commands run to completion, with the words of APP and with ARGS", async (t) => {
  const cwd = createProject(t, {
    settings: `
INSTALLED_APPS += ["django.contrib.staticfiles"]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "collected"
STATICFILES_DIRS = [BASE_DIR / "assets"]
${declare(`
    "migrate": {"BACKEND": "django-command", "APP": "migrate auth 0001", "ARGS": {"noinput": "True", "verbosity": 0}},
    "static": {
        "BACKEND": "prodserver.backends.django.DjangoCommand",
        "APP": "collectstatic --noinput --ignore 'a b.css'",
    },
`)}`,
    files: { 'assets/site.css': '', 'assets/a b.css': '' },
  })
  const migrated = await prodserver(t, ['run', 'migrate'], { cwd })
  assert.deepEqual([migrated.code, migrated.stdout], [0, ''], migrated.stderr)
  const again = await prodserver(t, ['run', 'migrate', '--plan', '--verbosity=1'], { cwd })
  assert.match(again.stdout, /No planned migration operations/)
  const collected = await prodserver(t, ['run', 'static'], { cwd })
  assert.equal(collected.code, 0, collected.stderr)
  assert.deepEqual(
    ['site.css', 'a b.css'].map((name) => existsSync(join(cwd, 'collected', name))),
    [true, false],
  )
})

test('a Node script is the process that was started, and gets its options as they are declared', async (t) => {
  const port = await freePort()
  const args = `{"port": ${port}, "cache_dir": "/c", "tag": ["a", "b"], "dev": False, "compress": True, "q": "x y"}`
  const cwd = createProject(t, {
    settings: declare(`"frontend": {"BACKEND": "node", "APP": "frontend/server.js", "ARGS": ${args}}`),
    files: { 'frontend/server.js': fixture('answer-with-args.cjs') },
  })
  const running = startProdserver(t, ['run', 'frontend', '--tag=c', 'word'], { cwd })
  assert.deepEqual(await factsOf(running, port), {
    pid: running.pid,
    node: process.execPath,
    cwd,
    args: [`--port=${port}`, '--cache_dir=/c', '--compress', '-q', 'x y', '--tag=c', 'word'],
  })
})

test('any program gets the words of APP as they are, without a shell', async (t) => {
  const app = String.raw`printf '%s|' 'two words' $HOME * \\; \"a'b\"`
  const cwd = createProject(t, {
    settings: declare(`"print": {"BACKEND": "command", "APP": "${app}", "ARGS": {"key": "v w"}}`),
  })
  const { code, stdout, stderr } = await prodserver(t, ['run', 'print', '--last'], { cwd })
  assert.equal(code, 0, stderr)
  assert.deepEqual(stdout.split('|'), ['two words', '$HOME', '*', ';', "a'b", '--key=v w', '--last', ''])
})

test('the exit code of a program is the exit code of run', async (t) => {
  const cwd = createProject(t, { settings: declare(`"fail": {"BACKEND": "command", "APP": "sh -c 'exit 7'"}`) })
  assert.equal((await prodserver(t, ['run', 'fail'], { cwd })).code, 7)
})

// Python classes that change their arguments: planned here, by the names that the original gives their bases

interface Planned {
  readonly base: string
  /** `ARGS` as declared. */
  readonly args: (port: number) => string
  /** What its `prep_server_args` returns. */
  readonly returns: string
  /** The command line after `python -m`. */
  readonly command: (port: number) => string
  /** What shows that it is in effect, in the headers, the body or the log. */
  readonly shows: RegExp
}

const planned: readonly Planned[] = [
  {
    base: 'gunicorn.GunicornServer',
    args: (port) => `{"bind": "127.0.0.1:${port}", "accesslog": "-"}`,
    // As one word, as two, as a setting's name, and as a switch.
    returns: '[*super().prep_server_args(), "--env=TUNED=yes", "--workers", "1", "--loglevel=debug", "--preload"]',
    command: (port) =>
      `gunicorn --bind=127.0.0.1:${port} --access-logfile=- --env=TUNED=yes --workers 1 --log-level=debug --preload mysite.wsgi:application`,
    shows: /"TUNED": "yes"/,
  },
  {
    base: 'servers.gunicorn.GunicornServer',
    args: (port) => `{"bind": "127.0.0.1:${port}", "preload": None}`,
    returns: '["--env=TUNED=yes", *self.args]',
    command: (port) => `gunicorn --env=TUNED=yes --bind=127.0.0.1:${port} --preload mysite.wsgi:application`,
    shows: /"TUNED": "yes"/,
  },
  {
    base: 'uvicorn.UvicornServer',
    args: (port) => `{"port": ${port}, "access-log": "False"}`,
    returns: '[*super().prep_server_args(), "--header=x-tuned:yes"]',
    command: (port) => `uvicorn --port=${port} --no-access-log --header=x-tuned:yes mysite.asgi:application`,
    shows: /"x-tuned":"yes"/,
  },
  {
    base: 'servers.uvicorn.UvicornWSGIServer',
    args: (port) => `{"port": ${port}}`,
    returns: '[*super().prep_server_args(), "--header=x-tuned:yes"]',
    command: (port) => `uvicorn --interface=wsgi --port=${port} --header=x-tuned:yes mysite.wsgi:application`,
    shows: /"x-tuned":"yes"/,
  },
  {
    base: 'waitress.WaitressServer',
    args: (port) => `{"host": "127.0.0.1", "port": "${port}"}`,
    returns: '[*super().prep_server_args(), "--ident=tuned"]',
    command: (port) => `waitress --host=127.0.0.1 --port=${port} --ident=tuned mysite.wsgi:application`,
    shows: /"server":"tuned"/,
  },
  {
    base: 'granian.GranianASGIServer',
    args: (port) => `{"address": "127.0.0.1", "port": ${port}}`,
    returns: '[*super().prep_server_args(), "--log-access", "--access-log-fmt=tuned"]',
    command: (port) =>
      `granian --interface=asgi --host=127.0.0.1 --port=${port} --access-log --access-log-fmt=tuned mysite.asgi:application`,
    shows: /^tuned$/m,
  },
]

for (const { base, args, returns, command, shows } of planned) {
  test(`a class derived from ${base} with arguments of its own is that server with these`, async (t) => {
    const port = await freePort()
    const cwd = createProject(t, {
      settings: declare(`"web": {"BACKEND": "mysite.backends.Tuned", "ARGS": ${args(port)}}`),
      files: { 'mysite/backends.py': derived(base, returns) },
    })
    const running = startProdserver(t, ['run', 'web'], withPackage(cwd))
    const { headers, body } = await waitForHttp(running, { port }, '/?env=TUNED')
    assert.match(running.stderr(), /mysite\.backends\.Tuned is \S+ with arguments of its own/)
    assert.equal(commandOf(running), `${PYTHON} -m ${command(port)}`)
    if (!shows.test(JSON.stringify(headers) + body)) await running.waitForOutput(shows)
  })
}

test('what the command line adds replaces what a class prepared, and comes last', async (t) => {
  const port = await freePort()
  const cwd = createProject(t, {
    settings: declare('"web": {"BACKEND": "mysite.backends.Tuned", "ARGS": {"bind": "127.0.0.1:1", "workers": 2}}'),
    files: {
      'mysite/backends.py': derived(
        'gunicorn.GunicornServer',
        '[*super().prep_server_args(), "--max-requests", "1000", "--timeout=5"]',
      ),
    },
  })
  const running = startProdserver(t, ['run', 'web', `--bind=127.0.0.1:${port}`, '--timeout=6'], withPackage(cwd))
  await waitForHttp(running, { port })
  assert.equal(
    commandOf(running),
    `${PYTHON} -m gunicorn --workers=2 --max-requests 1000 --bind=127.0.0.1:${port} --timeout=6 mysite.wsgi:application`,
  )
})

test('a class derived from CeleryWorker with arguments of its own is that worker with these', async (t) => {
  const cwd = createProject(t, {
    settings: declare(
      '"worker": {"BACKEND": "mysite.backends.Tuned", "APP": "mysite.queue.app", "ARGS": {"queues": "a,b"}}',
    ),
    files: {
      'mysite/backends.py': derived(
        'celery.CeleryWorker',
        '[*super().prep_server_args(), "--loglevel=info", "--pool=solo", "--quiet"]',
      ),
      'mysite/queue.py': 'from celery import Celery\n\napp = Celery("mysite", broker="memory://")\n',
    },
  })
  const running = startProdserver(t, ['run', 'worker'], withPackage(cwd))
  await running.waitForOutput(/ ready\./)
  assert.equal(
    commandOf(running),
    `${PYTHON} -m celery -A mysite.queue.app --quiet worker --queues=a,b --loglevel=info --pool=solo`,
  )
})

// Python classes that start by themselves: run inside Python

const starters: Readonly<Record<string, string>> = {
  'derives from the base class': `
from django_prodserver.backends.base import BaseServerBackend

class Own(BaseServerBackend):
    def start_server(self, *args):
        serve(args)
`,
  'derives from a server': `
from django_prodserver.backends.servers.gunicorn import GunicornServer

class Own(GunicornServer):
    def start_server(self, *args):
        serve(args)
`,
  'derives from nothing': `
class Own:
    def __init__(self, **declaration):
        self.declaration = declaration

    def prep_server_args(self):
        return ["--%s=%s" % item for item in self.declaration["ARGS"].items()]

    def start_server(self, *args):
        serve(args)
`,
}

for (const [what, code] of Object.entries(starters)) {
  test(`a class with a start_server of its own that ${what} runs in the process that was started`, async (t) => {
    const port = await freePort()
    const cwd = createProject(t, {
      settings: `
PORT = ${port}
PRODUCTION_PROCESS_DEFAULTS = {"ARGS": {"greeting": "hello there"}}
${declare('"web": {"BACKEND": "mysite.backends.Own"}')}`,
      files: {
        'mysite/backends.py': `from mysite.serve_facts import serve\n${code}`,
        'mysite/serve_facts.py': fixture('serve_facts.py'),
      },
    })
    const running = startProdserver(t, ['run', 'web', '--extra=1'], withPackage(cwd))
    assert.deepEqual(await factsOf(running, port), {
      pid: running.pid,
      args: ['--greeting=hello there', '--extra=1'],
      argv: [join(cwd, 'manage.py'), 'prodserver', 'web'],
      cwd,
      ready: true,
    })
    assert.match(running.stderr(), /mysite\.backends\.Own has a start_server of its own, so it runs inside Python/)
  })
}

test('a class that does something before it starts its server becomes that server', async (t) => {
  const port = await freePort()
  const cwd = createProject(t, {
    settings: declare(`"web": {"BACKEND": "mysite.backends.Own", "ARGS": {"bind": "127.0.0.1:${port}"}}`),
    files: {
      'mysite/backends.py': `
from django.core.management import call_command
from django_prodserver.backends.gunicorn import GunicornServer


class Own(GunicornServer):
    def start_server(self, *args):
        call_command("migrate", verbosity=0)
        super().start_server(*args)
`,
    },
  })
  const running = startProdserver(t, ['run', 'web'], withPackage(cwd))
  await waitForHttp(running, { port })
  assert.ok(existsSync(join(cwd, 'db.sqlite3')))
  assert.equal(commandOf(running), `${PYTHON} -m gunicorn --bind=127.0.0.1:${port} mysite.wsgi:application`)
})

test('a class that starts by itself and fails ends with a traceback and exit code 1', async (t) => {
  const cwd = createProject(t, {
    settings: declare('"web": {"BACKEND": "mysite.backends.Own"}'),
    files: {
      'mysite/backends.py': `
from django_prodserver.backends.base import BaseServerBackend


class Own(BaseServerBackend):
    def __init__(self, **declaration):
        raise LookupError("no such region")

    def start_server(self, *args):
        pass
`,
    },
  })
  const { code, stderr } = await prodserver(t, ['run', 'web'], withPackage(cwd))
  assert.equal(code, 1)
  assert.match(stderr, /mysite\/backends\.py", line 7, in __init__\n.*\n(?: +[~^]+\n)?LookupError: no such region\n$/)
})

interface Mistake {
  readonly id: 'E202' | 'E203' | 'E208' | 'E209'
  /** The whole message, or how it begins where it goes on in somebody else's words. */
  readonly message: string
  readonly code?: string
  readonly backend?: string
  /** Evidence: the user's own frames. Default none. */
  readonly details?: RegExp
}

const classMistakes: Readonly<Record<string, Mistake>> = {
  'raises when it is constructed': {
    code: `
from django_prodserver.backends.gunicorn import GunicornServer

class Own(GunicornServer):
    def __init__(self, **declaration):
        raise LookupError("no such region")
`,
    id: 'E209',
    message: 'The backend class mysite.backends.Own raises LookupError: no such region',
    details: /^ {2}File "\S+mysite\/backends\.py", line 6, in __init__\n.*\n(?: +[~^]+\n)?LookupError: no such region$/,
  },
  'raises when its arguments are asked for': {
    code: `
from django_prodserver.backends.gunicorn import GunicornServer

class Own(GunicornServer):
    def prep_server_args(self):
        return self.missing
`,
    id: 'E209',
    message: "The backend class mysite.backends.Own raises AttributeError: 'Own' object has no attribute 'missing'",
    details: /mysite\/backends\.py", line 6, in prep_server_args/,
  },
  'is not in its module': {
    code: '',
    id: 'E202',
    message: `Cannot import BACKEND "mysite.backends.Own": module 'mysite.backends' has no attribute 'Own'.`,
  },
  'is in a module that does not exist': {
    backend: 'mysite.engines.Own',
    id: 'E202',
    message: `Cannot import BACKEND "mysite.engines.Own": No module named 'mysite.engines'.`,
  },
  'is in a module that raises': {
    code: 'REGIONS = {}["eu"]',
    id: 'E209',
    message: "The backend class mysite.backends.Own raises KeyError: 'eu'",
    details: /^ {2}File "\S+mysite\/backends\.py", line 1, in <module>/,
  },
  'is in a module that imports what is not installed': {
    code: 'import no_such_package',
    id: 'E202',
    message: `Cannot import BACKEND "mysite.backends.Own": No module named 'no_such_package'.`,
    details: /^ {2}File "\S+mysite\/backends\.py", line 1, in <module>/,
  },
  'has no start_server': {
    code: 'class Own:\n    def prep_server_args(self):\n        return []',
    id: 'E209',
    message: 'mysite.backends.Own is not a backend: it has no method start_server.',
  },
  'only inherits the start_server that every backend must define': {
    code: 'from django_prodserver.backends.base import BaseServerBackend\n\nclass Own(BaseServerBackend): pass',
    id: 'E209',
    message: 'mysite.backends.Own is not a backend: it has no method start_server.',
  },
  'is a dictionary': {
    code: 'Own = {}',
    id: 'E209',
    message: 'mysite.backends.Own is not a backend: it is not a class.',
  },
}

for (const [what, { backend = 'mysite.backends.Own', code = '', ...expected }] of Object.entries(classMistakes)) {
  test(`a Python class that ${what} is an error before anything starts`, async (t) => {
    const cwd = createProject(t, {
      settings: declare(`"web": {"BACKEND": "${backend}"}`),
      files: { 'mysite/backends.py': code },
    })
    await assertRefused(t, withPackage(cwd), expected)
  })
}

// Modules

const members = `
  name: 'thing',
  title: 'Thing',
  summary: 'Answers.',
  kind: 'web',
  app: 'script',
  options: {
    switches: ['verbose'],
    pairs: ['color'],
    separators: { tags: '+' },
    short: { p: 'port', t: 'tags' },
    aliases: { loud: 'verbose' },
    missing: { threads: 'Declare INSTANCES' },
  },
  listen: ({ values }) => values('port').map((port) => '127.0.0.1:' + port),`

const modules: Readonly<Record<string, string>> = {
  './backends/thing.ts': `
import type { Backend, CommandInput } from 'prodserver'

const words = ({ app, options, extra }: CommandInput): string[] => [
  ...app, ...options.flatMap(({ tokens }) => tokens), ...extra,
]

export default { ${members}
  command: (input) => ({ program: 'node', args: words(input) }),
} satisfies Backend
`,
  './backends/thing.mjs': `
export const backend = { ${members}
  command: ({ app, options, extra }) => ({
    program: 'node', args: [...app, ...options.flatMap(({ tokens }) => tokens), ...extra],
  }),
}
`,
  'backends/thing.js': `
import { words } from './words.js'

export default { ${members}
  command: (input) => ({ program: 'node', args: words(input) }),
}
`,
  './backends/thing.cjs': `
module.exports = { ${members}
  command: ({ app, options, extra }) => ({
    program: 'node', args: [...app, ...options.flatMap(({ tokens }) => tokens), ...extra],
  }),
}
`,
}

for (const [path, code] of Object.entries(modules)) {
  test(`a backend of the project's own in ${path} is planned and run as the built-in ones are`, async (t) => {
    const port = await freePort()
    const cwd = createProject(t, {
      settings: declare(`"thing": {"BACKEND": "${path}", "APP": "server.js", "ARGS": {
        "p": 1, "loud": "True", "color": "off", "tags": ["a", "b"], "t": ["c"], "threads": 4, "any_thing": "x"}}`),
      files: {
        [path]: code,
        'backends/words.js':
          'export const words = ({ app, options, extra }) => [...app, ...options.flatMap(({ tokens }) => tokens), ...extra]',
        'server.js': fixture('answer-with-args.cjs'),
      },
    })
    const running = startProdserver(t, ['run', 'thing', `--port=${port}`], { cwd })
    const { args } = await factsOf(running, port)
    assert.deepEqual(args, ['--verbose', '--no-color', '--tags=a+b', '-t', 'c', '--any-thing=x', `--port=${port}`])
    // Nothing but what prodserver says itself: no warning of Node's about the module.
    assert.equal(
      running.stderr(),
      `thing: Thing on http://127.0.0.1:${port}
  W301 PRODUCTION_PROCESSES["thing"]["ARGS"]["threads"]: Thing has no option "threads"; it is left out. Declare INSTANCES.
`,
    )
  })
}

const moduleMistakes: Readonly<Record<string, Mistake>> = {
  'does not exist': {
    backend: './missing.ts',
    id: 'E202',
    message: 'Cannot import BACKEND "./missing.ts": there is no file ',
  },
  throws: {
    code: '\nthrow new Error("no such region")\n',
    id: 'E202',
    message: 'Cannot import BACKEND "./thing.ts": no such region',
    details: /^ +at .*thing\.ts:2:7\)?$/,
  },
  'throws what is no error': {
    code: 'throw "no such region"\n',
    id: 'E202',
    message: 'Cannot import BACKEND "./thing.ts": no such region',
  },
  'cannot be parsed': {
    code: 'export default {\n',
    id: 'E202',
    message: 'Cannot import BACKEND "./thing.ts": ',
    details: /thing\.ts:1/,
  },
  'imports what does not exist': {
    code: 'import "./nothing.ts"\n',
    id: 'E202',
    message: 'Cannot import BACKEND "./thing.ts": Cannot find module ',
    details: /thing\.ts/,
  },
  'exports nothing': {
    code: 'export {}\n',
    id: 'E208',
    message: './thing.ts does not export a backend: there is no default export.',
  },
  'exports something else': {
    code: 'export default { name: "thing", title: "Thing", kind: "server", command: "thing" }\n',
    id: 'E208',
    message:
      './thing.ts does not export a backend: summary is missing; kind must be one of "web", "worker", "scheduler", "task", not "server"; command must be a function, not "thing".',
  },
  'throws when it is asked for the command': {
    code: 'export default { name: "t", title: "T", summary: "", kind: "web", command: () => { throw new Error("no region") } }\n',
    id: 'E209',
    message: 'The backend ./thing.ts throws Error: no region',
    details: /thing\.ts:1:\d+\)?$/,
  },
  'throws when it is asked how it takes open sockets': {
    code: `export default { name: "t", title: "T", summary: "", kind: "web", command: () => ({ program: "t", args: [] }),
  listen: () => ["127.0.0.1:1"], inherit: () => { throw new Error("no region") } }\n`,
    id: 'E209',
    message: 'The backend ./thing.ts throws Error: no region',
    details: /thing\.ts:2:\d+\)?$/,
  },
  'is for another Python': {
    code: `export default { name: "t", title: "T", summary: "", kind: "web", command: () => ({ program: "python", args: [] }),
  python: { module: "no_such_module", package: "no-such-package" } }\n`,
    id: 'E203',
    message: 'no-such-package is not installed in ',
  },
  'makes no command line': {
    code: 'export default { name: "t", title: "T", summary: "", kind: "web", command: () => ["caddy", "run"] }\n',
    id: 'E209',
    message: './thing.ts is not a backend: command() must return { program, args }, and listen() a list of addresses.',
  },
}

for (const [what, { backend = './thing.ts', code = '', ...expected }] of Object.entries(moduleMistakes)) {
  test(`a backend module that ${what} is an error before anything starts`, async (t) => {
    const cwd = createProject(t, {
      settings: declare(`"web": {"BACKEND": "${backend}"}`),
      files: { 'thing.ts': code },
    })
    await assertRefused(t, { cwd }, expected)
  })
}

/** Asserts that there is this one problem with the backend, and that `run` refuses to start. */
async function assertRefused(
  t: TestContext,
  options: StartOptions,
  { id, message, details }: Omit<Mistake, 'code' | 'backend'>,
): Promise<void> {
  const [checked, run] = await Promise.all([
    prodserver(t, ['check', '--json'], options),
    prodserver(t, ['run', 'web'], options),
  ])
  assert.deepEqual([checked.code, checked.stderr, run.code, run.stdout], [4, '', 4, ''], run.stderr)
  const [problem, ...others] = checked.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Problem)
  assert.deepEqual(others, [])
  assert.deepEqual([problem?.id, problem?.place], [id, 'PRODUCTION_PROCESSES["web"]["BACKEND"]'])
  if (/[: ]$/.test(message)) assert.ok(problem?.message.startsWith(message), problem?.message)
  else assert.equal(problem?.message, message)
  if (details) assert.match(problem?.details ?? '', details)
  else assert.equal(problem?.details, undefined)
  for (const line of (problem?.message ?? '').split('\n')) assert.ok(run.stderr.includes(line), run.stderr)
}

/** A module with a class that only changes its arguments. */
function derived(base: string, returns: string): string {
  const [, module, name] = /^(.*)\.(\w+)$/.exec(base) ?? []
  return `
from django_prodserver.backends.${module} import ${name}


class Tuned(${name}):
    def prep_server_args(self):
        return ${returns}
`
}
