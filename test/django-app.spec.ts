import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { commandLineOf, descriptorsOf } from './support/processes.ts'
import { createProject, type ProjectFiles, writeFiles } from './support/project.ts'
import { declare, HARD, recorded, recorder } from './support/recorder.ts'
import { type Finished, prodserver, run, type Running, start, waitUntil } from './support/running.ts'

const PACKAGE = join(ROOT, 'python')

/** What only the kernel can tell needs its files. */
const linux = { skip: existsSync('/proc/self/fd') ? false : 'there is no /proc' }

test(
  'manage.py prodserver becomes the server: its pid and its command line, with the interpreter in use',
  linux,
  async (t) => {
    const port = await freePort()
    const root = declareApp(t, { web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` } } })
    const running = startManage(t, root, ['prodserver', 'web'])
    const { status, body } = await waitForHttp(running, { port }, '/?env=DJANGO_SETTINGS_MODULE')
    const worker = JSON.parse(body) as { ppid: number; env: Record<string, string> }
    assert.equal(status, 200)
    assert.equal(worker.ppid, running.pid)
    assert.equal(worker.env['DJANGO_SETTINGS_MODULE'], 'mysite.settings')
    const server = [PYTHON, '-m', 'gunicorn', `--bind=127.0.0.1:${port}`, 'mysite.wsgi:application']
    assert.deepEqual(commandLineOf(running.pid), server)
    running.signal('SIGTERM')
    assert.deepEqual(await running.ended(), { code: 0, signal: null })
  },
)

test('a process started by manage.py gets what it gets from prodserver run', async (t) => {
  const root = declareApp(t, { job: recorder({ text: HARD }) })
  const env = { PYTHONPATH: PACKAGE, TZ: 'Europe/Paris', PRODSERVER_PYTHON: PYTHON }
  const [byManage, byRun] = await Promise.all([
    manage(t, root, ['prodserver', 'job', '--extra=1', ...HARD.map((value) => `--text=${value}`)], env),
    prodserver(t, ['run', 'job', '--extra=1', ...HARD.map((value) => `--text=${value}`)], { cwd: root, env }),
  ])
  const [left, right] = [recorded(byManage), recorded(byRun)]
  assert.deepEqual({ ...left, pid: 0 }, { ...right, pid: 0 })
  assert.equal(byManage.stderr, byRun.stderr)
})

test('the settings are imported once before the program starts, by the process that becomes it', async (t) => {
  const root = declareApp(
    t,
    { job: recorder() },
    {
      settings: `
import os, sys
with open(BASE_DIR / "imports.txt", "a") as file:
    print(os.getpid(), os.path.basename(sys.argv[0]), file=file)
`,
    },
  )
  const { pid } = recorded(await manage(t, root, ['prodserver', 'job']))
  assert.equal(readFileSync(join(root, 'imports.txt'), 'utf8'), `${pid} manage.py\n`)
})

test('settings that manage.py computes, and the folders it adds to the import path, are in force in the server', async (t) => {
  const port = await freePort()
  const root = createProject(t, {
    files: {
      'manage.py': `
import os
import sys

if __name__ == "__main__":
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "apps"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings_" + os.environ["STAGE"]
    os.environ["FROM_MANAGE"] = "yes"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
`,
      'mysite/settings_blue.py': `
from blog.constants import TITLE
from .settings import *

INSTALLED_APPS += ["django_prodserver", "blog"]
PRODUCTION_PROCESSES = {"web": {"BACKEND": "waitress", "ARGS": {"host": "127.0.0.1", "port": ${port}}}}
`,
      'apps/blog/__init__.py': '',
      'apps/blog/constants.py': 'TITLE = "a blog"\n',
    },
  })
  const running = startManage(t, root, ['prodserver'], { STAGE: 'blue' })
  const { status, body } = await waitForHttp(running, { port }, '/?env=DJANGO_SETTINGS_MODULE&env=FROM_MANAGE')
  assert.equal(status, 200)
  const { env } = JSON.parse(body) as { env: Record<string, string> }
  assert.deepEqual(env, { DJANGO_SETTINGS_MODULE: 'mysite.settings_blue', FROM_MANAGE: 'yes' })
})

test('no descriptor of manage.py reaches the program', linux, async (t) => {
  // More than Node looks for by itself.
  const root = declareApp(
    t,
    { sleeper: { BACKEND: 'command', APP: 'sleep 600' } },
    {
      settings: 'OPEN = [open(__file__) for _ in range(40)]',
    },
  )
  const running = startManage(t, root, ['prodserver'])
  const direct = start(t, 'sleep', ['600'])
  await waitUntil(() => commandLineOf(running.pid)[0]?.endsWith('/sleep') || undefined)
  await waitUntil(
    () => descriptorsOf(running.pid) === descriptorsOf(direct.pid) || undefined,
    5000,
    () => `It has ${descriptorsOf(running.pid)}, and ${descriptorsOf(direct.pid)} when it is started directly.`,
  )
})

// The commands

test('manage.py prodserver --list prints what prodserver list does', async (t) => {
  const root = declareApp(t, { web: { BACKEND: 'gunicorn' }, job: recorder() })
  const [byManage, byList] = await Promise.all([
    manage(t, root, ['prodserver', '--list']),
    prodserver(t, ['list'], { cwd: root, env: { PYTHONPATH: PACKAGE } }),
  ])
  assert.deepEqual(byManage, byList)
  assert.match(byManage.stdout, /^web +web +gunicorn/m)
})

test('server and worker are names of the same command, and without a name it is the first process', async (t) => {
  const root = declareApp(t, {
    web: { BACKEND: 'command', APP: 'echo web' },
    worker: { BACKEND: 'command', APP: 'echo worker' },
  })
  const stdout = async (...args: string[]): Promise<string> => (await manage(t, root, args)).stdout
  assert.equal(await stdout('server', 'web'), 'web\n')
  assert.equal(await stdout('worker', 'worker'), 'worker\n')
  assert.equal(await stdout('prodserver'), 'web\n')
})

test('extra arguments come last, and win', async (t) => {
  const root = declareApp(t, { job: recorder({ workers: 4, name: 'declared' }) })
  const argv = async (...args: string[]): Promise<readonly string[]> =>
    recorded(await manage(t, root, ['prodserver', ...args])).argv
  assert.deepEqual(await argv('job', '--workers=1', '-x', '2'), ['--name=declared', '--workers=1', '-x', '2'])
  assert.deepEqual(await argv('--workers=1', '--no-color', 'job'), ['--name=declared', '--workers=1'])
  assert.deepEqual(await argv('job', '--', '--workers=1', '--settings=x'), [
    '--name=declared',
    '--workers=1',
    '--settings=x',
  ])
  // Nothing is taken for an abbreviation of Django's own: --settings, --verbosity.
  assert.deepEqual(await argv('job', '--set=1', '--verb=2'), ['--workers=4', '--name=declared', '--set=1', '--verb=2'])
})

test('the exit code of manage.py prodserver is the program’s', async (t) => {
  const root = declareApp(t, { job: { BACKEND: 'command', APP: 'sh -c "exit 7"' } })
  assert.equal((await manage(t, root, ['prodserver'])).code, 7)
})

test('manage.py is found from anywhere, and django-admin takes the folder it is started in', async (t) => {
  const root = declareApp(t, { job: recorder() })
  const away = join(root, 'away')
  mkdirSync(away)
  const byPath = await run(t, PYTHON, [join(root, 'manage.py'), 'prodserver'], {
    cwd: away,
    env: { PYTHONPATH: PACKAGE },
  })
  const env = { PYTHONPATH: PACKAGE, DJANGO_SETTINGS_MODULE: 'mysite.settings' }
  const byModule = await run(t, PYTHON, ['-m', 'django', 'prodserver', 'job'], { cwd: root, env })
  for (const finished of [byPath, byModule]) assert.equal(recorded(finished).cwd, realpathSync(root))
})

test('devserver serves the project', async (t) => {
  const port = await freePort()
  const root = declareApp(t, {})
  const running = startManage(t, root, ['devserver', `127.0.0.1:${port}`, '--noreload', '--skip-checks'])
  const { status, headers } = await waitForHttp(running, { port })
  assert.equal(status, 200)
  assert.match(String(headers['server']), /^WSGIServer/)
})

test('devserver serves static files, as the runserver does that it stands for', async (t) => {
  const port = await freePort()
  const root = declareApp(
    t,
    {},
    {
      settings:
        'DEBUG = True\nINSTALLED_APPS += ["django.contrib.staticfiles"]\nSTATIC_URL = "/static/"\nSTATICFILES_DIRS = [BASE_DIR / "files"]',
      files: { 'files/site.css': 'body {}\n' },
    },
  )
  const running = startManage(t, root, ['devserver', `127.0.0.1:${port}`, '--noreload'])
  assert.equal((await waitForHttp(running, { port }, '/static/site.css')).body, 'body {}\n')
})

// Django's own options

/** A management command that tells its options, and a check that it does not pass. */
const TELLING: ProjectFiles = {
  settings: 'INSTALLED_APPS += ["mysite"]',
  files: {
    'mysite/management/__init__.py': '',
    'mysite/management/commands/__init__.py': '',
    'mysite/management/commands/tell.py': `
import json

from django.core.checks import Error, register
from django.core.management.base import BaseCommand


@register
def never(app_configs, **kwargs):
    return [Error("the check fails")]


class Command(BaseCommand):
    def handle(self, **options):
        print(json.dumps(options))
`,
  },
}

const passedOn: readonly (readonly [option: string, seen: Json])[] = [
  ['--skip-checks', { skip_checks: true, verbosity: 1, traceback: false, no_color: false }],
  ['--skip-checks --verbosity=3', { skip_checks: true, verbosity: 3, traceback: false, no_color: false }],
  ['--skip-checks -v 0', { skip_checks: true, verbosity: 0, traceback: false, no_color: false }],
  ['--skip-checks --traceback', { skip_checks: true, verbosity: 1, traceback: true, no_color: false }],
  ['--skip-checks --no-color', { skip_checks: true, verbosity: 1, traceback: false, no_color: true }],
]

for (const [options, seen] of passedOn) {
  test(`a process that is a Django command is given ${options}`, async (t) => {
    const root = declareApp(t, { job: { BACKEND: 'django-command', APP: 'tell' } }, TELLING)
    const { stdout, stderr } = await manage(t, root, ['prodserver', 'job', ...options.split(' ')])
    assert.notEqual(stdout, '', stderr)
    const { skip_checks, verbosity, traceback, no_color } = JSON.parse(stdout) as Record<string, Json>
    assert.deepEqual({ skip_checks, verbosity, traceback, no_color }, seen)
  })
}

test('a process that is a Django command runs the checks without --skip-checks', async (t) => {
  const root = declareApp(t, { job: { BACKEND: 'django-command', APP: 'tell' } }, TELLING)
  const { code, stdout, stderr } = await manage(t, root, ['prodserver', 'job'])
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /SystemCheckError[\s\S]*the check fails/)
})

test('--settings chooses the settings, before and after the name', async (t) => {
  const root = declareApp(t, { job: recorder() })
  writeFiles(root, { 'mysite/other.py': 'from .settings import *\n' })
  for (const args of [
    ['--settings=mysite.other', 'job'],
    ['job', '--settings', 'mysite.other'],
  ]) {
    const { env, argv } = recorded(await manage(t, root, ['prodserver', ...args]))
    assert.equal(env['DJANGO_SETTINGS_MODULE'], 'mysite.other')
    assert.deepEqual(argv, [])
  }
})

test('--pythonpath is on the import path of the settings and of the server', async (t) => {
  const port = await freePort()
  const root = declareApp(
    t,
    { web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` } } },
    {
      settings: 'import elsewhere\nINSTALLED_APPS += ["elsewhere"]',
      files: { 'lib/elsewhere/__init__.py': '' },
    },
  )
  const running = startManage(t, root, ['prodserver', '--pythonpath', 'lib', 'web'])
  const { status, body } = await waitForHttp(running, { port }, '/?env=PYTHONPATH')
  assert.equal(status, 200)
  const { env } = JSON.parse(body) as { env: Record<string, string> }
  assert.equal(env['PYTHONPATH'], [join(realpathSync(root), 'lib'), PACKAGE].join(delimiter))
})

test('--traceback shows where an error comes from', async (t) => {
  const root = declareApp(t, { job: { BACKEND: 'no-such-backend' } })
  const { stderr } = await manage(t, root, ['prodserver', 'job'])
  assert.doesNotMatch(stderr, /\n +at /)
  assert.match((await manage(t, root, ['prodserver', 'job', '--traceback'])).stderr, /E202[\s\S]*\n +at /)
})

// Version 3 of the original

test('settings written for version 3 of the original work: its import paths, and None for a switch', async (t) => {
  const port = await freePort()
  const root = declareApp(
    t,
    {},
    {
      settings: `
PRODUCTION_PROCESSES = {
    "web": {
        "BACKEND": "django_prodserver.backends.servers.gunicorn.GunicornServer",
        "ARGS": {"bind": "127.0.0.1:${port}", "preload": None},
    },
    "worker": {
        "BACKEND": "django_prodserver.backends.workers.celery.CeleryWorker",
        "APP": "mysite.celery.app",
        "ARGS": {"loglevel": "info", "without-gossip": None},
    },
}
`,
      files: { 'mysite/celery.py': 'from celery import Celery\n\napp = Celery("mysite", broker="memory://")\n' },
    },
  )
  const web = startManage(t, root, ['server', 'web'])
  const worker = startManage(t, root, ['worker', 'worker'])
  assert.equal((await waitForHttp(web, { port })).status, 200)
  assert.ok(commandLineOf(web.pid).includes('--preload'))
  await worker.waitForOutput(/ready\./)
  assert.deepEqual(commandLineOf(worker.pid).slice(2), [
    'celery',
    '-A',
    'mysite.celery.app',
    'worker',
    '--loglevel=info',
    '--without-gossip',
  ])
})

// What goes wrong

test('a process that is not declared ends with exit code 2 and names what is', async (t) => {
  const root = declareApp(t, { web: { BACKEND: 'gunicorn' } })
  const { code, stdout, stderr } = await manage(t, root, ['prodserver', 'wbe'])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /Process 'wbe' not found in PRODUCTION_PROCESSES\.\n.*Did you mean web\?/)
})

test('without the app in INSTALLED_APPS Django does not know the command', async (t) => {
  const root = declare(t, { web: { BACKEND: 'gunicorn' } })
  const { code, stderr } = await manage(t, root, ['prodserver', 'web'])
  assert.equal(code, 1)
  assert.match(stderr, /Unknown command: 'prodserver'/)
})

test('where the npm package is not found, the error says how to install it', async (t) => {
  const root = declareApp(t, { job: recorder() })
  const alone = aloneOnDisk(root)
  const missing = await manage(t, root, ['prodserver', 'job'], { PYTHONPATH: alone, PATH: '/nowhere' })
  assert.deepEqual(missing, {
    code: 1,
    stdout: '',
    stderr: 'CommandError: Cannot find prodserver.\nInstall it in the project: npm install prodserver\n',
  })
  const named = await manage(t, root, ['prodserver', 'job'], { PRODSERVER_PACKAGE: join(root, 'nowhere') })
  assert.equal(named.code, 1)
  assert.match(named.stderr, new RegExp(`^CommandError: Cannot find prodserver in ${join(root, 'nowhere')}\\.$`, 'm'))
})

test('the npm package is found where it is named, on PATH, and in node_modules of the project or above', async (t) => {
  const root = declareApp(t, { job: { BACKEND: 'command', APP: 'echo found' } })
  const site = aloneOnDisk(root)
  const inside = join(root, 'inside')
  mkdirSync(inside)
  cpSync(join(root, 'manage.py'), join(inside, 'manage.py'))
  const env = {
    PYTHONPATH: [site, root].join(delimiter),
    PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
  }
  const stdout = async (cwd: string, more: Readonly<Record<string, string>> = {}): Promise<string> =>
    (await manage(t, cwd, ['prodserver', 'job'], { ...env, ...more })).stdout
  assert.equal(await stdout(root), '')
  assert.equal(await stdout(root, { PRODSERVER_PACKAGE: ROOT }), 'found\n')
  mkdirSync(join(root, 'bin'))
  symlinkSync(join(ROOT, 'dist', 'bin.js'), join(root, 'bin', 'prodserver'))
  assert.equal(await stdout(root, { PATH: [join(root, 'bin'), env.PATH].join(delimiter) }), 'found\n')
  mkdirSync(join(root, 'node_modules'))
  symlinkSync(ROOT, join(root, 'node_modules', 'prodserver'))
  assert.equal(await stdout(root), 'found\n')
  assert.equal(await stdout(inside), 'found\n')
})

test('manage.py check says what prodserver check says, and Django silences it', async (t) => {
  const web = { BACKEND: 'gunicorn', ARGS: { wrokers: 4, certfile: 'nowhere.pem' } }
  const root = declareApp(t, { web })
  const { code, stderr } = await manage(t, root, ['check'])
  assert.equal(code, 1)
  assert.match(
    stderr,
    /ERRORS:\n\S*settings\.py:\d+: \(prodserver\.E303\) PRODUCTION_PROCESSES\["web"\]\["ARGS"\]\["wrokers"\]\n\s*gunicorn \S+ has no option "wrokers"\.\n\s*HINT: Did you mean "workers"\?\n/,
  )
  assert.match(stderr, /System check identified 1 issue \(0 silenced\)\./)
  assert.doesNotMatch((await manage(t, root, ['check', '--deploy'])).stderr, /E706|W704/)
  assert.doesNotMatch((await manage(t, root, ['check', 'contenttypes'])).stderr, /prodserver/)
  const silent = declareApp(t, { web }, { settings: 'SILENCED_SYSTEM_CHECKS = ["prodserver.E303"]' })
  assert.deepEqual(await manage(t, silent, ['check']), {
    code: 0,
    stdout: 'System check identified no issues (0 silenced).\n',
    stderr: '',
  })
})

test('manage.py check without the npm package says that it cannot tell, and other commands do not ask', async (t) => {
  const root = declareApp(t, { web: { BACKEND: 'gunicorn', ARGS: { wrokers: 4 } } })
  const env = { PYTHONPATH: aloneOnDisk(root), PATH: '/usr/bin:/bin' }
  const { code, stderr } = await manage(t, root, ['check'], env)
  assert.equal(code, 0)
  assert.match(stderr, /WARNINGS:\n\?: The production processes were not checked\. Cannot find prodserver\./)
  const other = await manage(t, root, ['migrate', '--plan'], env)
  assert.deepEqual([other.code, other.stderr], [0, ''])
})

/** The Django app as pip would have installed it, with nothing of the npm package around it. */
function aloneOnDisk(root: string): string {
  const folder = join(root, 'site')
  cpSync(join(PACKAGE, 'django_prodserver'), join(folder, 'django_prodserver'), { recursive: true })
  return folder
}

/** A project with the Django app that declares these processes. */
const declareApp = (
  t: TestContext,
  processes: Readonly<Record<string, Json>>,
  { settings = '', files = {} }: ProjectFiles = {},
): string => declare(t, processes, { settings: `INSTALLED_APPS += ["django_prodserver"]\n${settings}`, files })

const startManage = (
  t: TestContext,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running => start(t, PYTHON, ['manage.py', ...args], { cwd, env: { PYTHONPATH: PACKAGE, ...env } })

const manage = (
  t: TestContext,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> => run(t, PYTHON, ['manage.py', ...args], { cwd, env: { PYTHONPATH: PACKAGE, ...env } })
