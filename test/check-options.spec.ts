import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Problem } from '../src/core/errors.ts'
import { ROOT } from './support/environment.ts'
import { assertExplained, type Mistake } from './support/mistakes.ts'
import { freePort } from './support/net.ts'
import { createProject } from './support/project.ts'
import { type Finished, prodserver } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

/** Options as the installed programs judge them: what the programs themselves would say after they were started. */

const declared = (declaration: string, more = ''): string => `PRODUCTION_PROCESSES = {"web": ${declaration}}\n${more}`
const gunicorn = (args: string): string => declared(`{"BACKEND": "gunicorn", "ARGS": ${args}}`)
const uvicorn = (args: string): string =>
  declared(`{"BACKEND": "uvicorn", "ARGS": ${args}}`, 'ASGI_APPLICATION = "mysite.asgi.application"')
const granian = (args: string): string => declared(`{"BACKEND": "granian-wsgi", "ARGS": ${args}}`)
const hypercorn = (args: string): string =>
  declared(`{"BACKEND": "hypercorn", "ARGS": ${args}}`, 'ASGI_APPLICATION = "mysite.asgi.application"')
const daphne = (args: string): string =>
  declared(`{"BACKEND": "daphne", "ARGS": ${args}}`, 'ASGI_APPLICATION = "mysite.asgi.application"')
const uwsgi = (args: string): string => declared(`{"BACKEND": "uwsgi", "ARGS": ${args}}`)
const waitress = (args: string): string => declared(`{"BACKEND": "waitress", "ARGS": ${args}}`)
const celery = (args: string, kind = 'worker'): string =>
  declared(`{"BACKEND": "celery-${kind}", "APP": "mysite.celery.app", "ARGS": ${args}}`)
const flower = (args: string): string => declared(`{"BACKEND": "flower", "APP": "mysite.celery.app", "ARGS": ${args}}`)
const files = { 'mysite/celery.py': 'from celery import Celery\n\napp = Celery("mysite")\n' }
const tasks = (args: string): string =>
  declared(
    `{"BACKEND": "django-tasks", "ARGS": ${args}}`,
    'INSTALLED_APPS += ["django_tasks_db"]\nTASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}',
  )

const OWN_WORKER = {
  'mysite/workers.py': 'from uvicorn_worker import UvicornWorker\n\n\nclass Worker(UvicornWorker):\n    pass\n',
}

/** What is shown, but for the last line, which counts. */
const mistakes: Readonly<Record<string, Omit<Mistake, 'code' | 'args'> & { readonly isWarning?: boolean }>> = {
  'gunicorn has no such option': {
    settings: gunicorn('{"wrokers": 4}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["wrokers"]
      gunicorn <version> has no option "wrokers".
      → Did you mean "workers"?
`,
  },
  'gunicorn has nothing like that option': {
    settings: gunicorn('{"kubernetes": True}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["kubernetes"]
      gunicorn <version> has no option "kubernetes".
      → Look: <python> -m gunicorn --help mysite.wsgi:application
`,
  },
  'a letter that gunicorn does not have': {
    settings: gunicorn('{"z": 4}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["z"]
      gunicorn <version> has no option "z".
      → Look: <python> -m gunicorn --help mysite.wsgi:application
`,
  },
  'gunicorn wants a number': {
    settings: gunicorn('{"workers": "four"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["workers"]
      gunicorn <version> does not take "workers" like this: invalid int value: 'four'.
`,
  },
  'gunicorn wants a number of workers that there can be': {
    settings: gunicorn('{"workers": -1}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["workers"]
      gunicorn <version> does not take "workers" like this: Value must be positive: -1.
`,
  },
  'gunicorn has a switch, which is given a value': {
    settings: gunicorn('{"preload": "maybe"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["preload"]
      gunicorn <version> does not take "preload" like this: it takes no value, only True or False.
`,
  },
  'gunicorn has an option that wants a value, which is only switched on': {
    settings: gunicorn('{"workers": True}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["workers"]
      gunicorn <version> does not take "workers" like this: expected one argument.
`,
  },
  'gunicorn has no worker class of that name': {
    settings: gunicorn('{"worker-class": "gvent"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["worker-class"]
      gunicorn <version> does not take "worker-class" like this: class uri 'gvent' invalid or not found.
`,
  },
  'the same option twice, by its letter and by its name': {
    settings: gunicorn('{"workers": 2, "w": 4}'),
    isWarning: true,
    shows: `W304  PRODUCTION_PROCESSES["web"]["ARGS"]["w"]
      "w" and "workers" are the same option, --workers.
      → Keep one of them
`,
  },
  'every option that is wrong is named': {
    settings: gunicorn('{"wrokers": 4, "timeout": "long", "bind": "127.0.0.1:0"}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["wrokers"]
      gunicorn <version> has no option "wrokers".
      → Did you mean "workers"?

E304  PRODUCTION_PROCESSES["web"]["ARGS"]["timeout"]
      gunicorn <version> does not take "timeout" like this: invalid int value: 'long'.
`,
  },
  'uvicorn has no such option': {
    settings: uvicorn('{"prot": 8000}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["prot"]
      uvicorn <version> has no option "prot".
      → Did you mean "port"?
`,
  },
  'uvicorn has no such log level': {
    settings: uvicorn('{"log-level": "loud"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["log-level"]
      uvicorn <version> does not take "log-level" like this: 'loud' is not one of 'critical', 'error', 'warning', 'info', 'debug', 'trace'.
`,
  },
  'uvicorn needs a package for that': {
    settings: uvicorn('{"ws": "websockets"}'),
    shows: `E305  PRODUCTION_PROCESSES["web"]["ARGS"]["ws"]
      "websockets" needs websockets, which is not installed in <python>.
      → <python> -m pip install websockets
`,
  },
  'granian wants a worker': {
    settings: granian('{"workers": 0}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["workers"]
      granian <version> does not take "workers" like this: 0 is not in the range x>=1.
`,
  },
  'granian has no such option': {
    settings: granian('{"hsot": "127.0.0.1"}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["hsot"]
      granian <version> has no option "hsot".
      → Did you mean "host"?
`,
  },
  'granian needs a package for that': {
    settings: granian('{"loop": "rloop"}'),
    shows: `E305  PRODUCTION_PROCESSES["web"]["ARGS"]["loop"]
      "rloop" needs rloop, which is not installed in <python>.
      → <python> -m pip install rloop
`,
  },
  'hypercorn has no such option': {
    settings: hypercorn('{"bnid": "127.0.0.1:0"}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["bnid"]
      hypercorn <version> has no option "bnid".
      → Did you mean "bind"?
`,
  },
  'hypercorn needs a package for that': {
    settings: hypercorn('{"worker-class": "trio"}'),
    shows: `E305  PRODUCTION_PROCESSES["web"]["ARGS"]["worker-class"]
      "trio" needs trio, which is not installed in <python>.
      → <python> -m pip install trio
`,
  },
  'gunicorn is given a worker class of the project that is for ASGI': {
    settings: gunicorn('{"worker-class": "mysite.workers.Worker"}'),
    files: OWN_WORKER,
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["worker-class"]
      gunicorn <version> does not take "worker-class" like this: its worker class mysite.workers.Worker is for ASGI applications. Write "BACKEND": "gunicorn-asgi".
`,
  },
  'gunicorn has a configuration with a worker class for ASGI': {
    settings: declared('{"BACKEND": "gunicorn"}'),
    files: { 'gunicorn.conf.py': 'workers = 2\nworker_class = "uvicorn_worker.UvicornWorker"\n' },
    shows: `E304  PRODUCTION_PROCESSES["web"]
      gunicorn <version> does not start like this: its worker class uvicorn_worker.UvicornWorker is for ASGI applications. Write "BACKEND": "gunicorn-asgi".
`,
  },
  'gunicorn for ASGI is given a worker class for WSGI': {
    settings: declared('{"BACKEND": "gunicorn-asgi", "ARGS": {"k": "gthread"}}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["k"]
      gunicorn <version> does not take "k" like this: its worker class gthread is for WSGI applications. Write "BACKEND": "gunicorn".
`,
  },
  'daphne has no such option': {
    settings: daphne('{"hots": "127.0.0.1"}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["hots"]
      daphne <version> has no option "hots".
      → Did you mean "host"?
`,
  },
  'daphne wants a number': {
    settings: daphne('{"port": "http"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["port"]
      daphne <version> does not take "port" like this: invalid int value: 'http'.
`,
  },
  'daphne wants another option beside one': {
    settings: daphne('{"proxy-headers-host": "X-Real-IP"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]
      daphne <version> does not start like this: --proxy-headers has to be passed for this parameter.
`,
  },
  'uWSGI has no such option': {
    settings: uwsgi('{"procesess": 4, "master": "true"}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["procesess"]
      uWSGI <version> has no option "procesess".
      → Did you mean "processes"?
`,
  },
  'uWSGI has a switch, which is given a value': {
    settings: uwsgi('{"vacuum": "always"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["vacuum"]
      uWSGI <version> does not take "vacuum" like this: it takes no value, only True or False.
`,
  },
  'uWSGI has an option that wants a value, which is only switched on': {
    settings: uwsgi('{"processes": True}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["processes"]
      uWSGI <version> does not take "processes" like this: option '--processes' requires an argument.
`,
  },
  'uWSGI has no such configuration': {
    settings: uwsgi('{"ini": "uwsgi.ini"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["ini"]
      uWSGI <version> does not take "ini" like this: realpath() of uwsgi.ini failed: No such file or directory.
`,
  },
  'uWSGI has no application': {
    settings: 'WSGI_APPLICATION = "mysite.nothing.application"\nPRODUCTION_PROCESSES = {"web": {"BACKEND": "uwsgi"}}',
    shows: `E206  WSGI_APPLICATION
      The WSGI application cannot be imported: ModuleNotFoundError: No module named 'mysite.nothing'
      → Create <project>/mysite/nothing.py, or name the module that has it
`,
  },
  'waitress has no such option': {
    settings: waitress('{"theads": 4}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["theads"]
      waitress <version> has no option "theads".
      → Did you mean "threads"?
`,
  },
  'waitress wants a number': {
    settings: waitress('{"threads": "several"}'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["threads"]
      waitress <version> does not take "threads" like this: invalid literal for int() with base 10: 'several'.
`,
  },
  'a Celery worker has no such option': {
    settings: celery('{"queeus": "mail"}'),
    files,
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["queeus"]
      celery worker <version> has no option "queeus".
      → Did you mean "queues"?
`,
  },
  'a Celery worker wants a number': {
    settings: celery('{"concurrency": "many"}'),
    files,
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["concurrency"]
      celery worker <version> does not take "concurrency" like this: must be a non-negative integer or 'auto', got 'many'.
`,
  },
  'a Celery pool needs a package': {
    settings: celery('{"pool": "eventlet"}'),
    files,
    shows: `E305  PRODUCTION_PROCESSES["web"]["ARGS"]["pool"]
      "eventlet" needs eventlet, which is not installed in <python>.
      → <python> -m pip install eventlet
`,
  },
  'flower has no such option, which it would leave out without a word': {
    settings: flower('{"baisc_auth": "one:1", "broker": "redis://127.0.0.1"}'),
    files,
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["baisc_auth"]
      flower <version> has no option "baisc_auth".
      → Did you mean "basic-auth"?
`,
  },
  'flower wants a number': {
    settings: flower('{"port": "http"}'),
    files,
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["port"]
      flower <version> does not take "port" like this: invalid literal for int() with base 10: 'http'.
`,
  },
  'flower wants a key for its certificate': {
    settings: flower('{"certfile": "cert.pem"}'),
    files,
    shows: `E304  PRODUCTION_PROCESSES["web"]
      flower <version> does not start like this: Both 'certfile' and 'keyfile' are required to enable SSL.
`,
  },
  'Celery beat has no option of the worker': {
    settings: celery('{"concurrency": 4}', 'beat'),
    files,
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["concurrency"]
      celery beat <version> has no option "concurrency".
      → Look: <python> -m celery -A mysite.celery.app beat --help
`,
  },
  'django-tasks has no such option': {
    settings: tasks('{"intervall": 1}'),
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["intervall"]
      django-tasks <version> has no option "intervall".
      → Did you mean "interval"?
`,
  },
  'Django-Q2 has no such verbosity': {
    settings: declared('{"BACKEND": "django-q2", "ARGS": {"verbosity": 9}}', 'INSTALLED_APPS += ["django_q"]'),
    shows: `E304  PRODUCTION_PROCESSES["web"]["ARGS"]["verbosity"]
      django-q2 <version> does not take "verbosity" like this: invalid choice: 9 (choose from 0, 1, 2, 3).
`,
  },
  'django-tasks has no database backend in the settings': {
    settings: declared('{"BACKEND": "django-tasks", "ARGS": {"interval": 1}}', 'INSTALLED_APPS += ["django_tasks_db"]'),
    shows: `E304  PRODUCTION_PROCESSES["web"]
      django-tasks <version> does not start like this: Backend 'default' is not a database backend.
`,
  },
  'gunicorn is to lose an option': {
    settings: gunicorn('{"strip-header-spaces": True, "permit-obsolete-folding": True}'),
    isWarning: true,
    shows: `W307  PRODUCTION_PROCESSES["web"]["ARGS"]["strip-header-spaces"]
      gunicorn <version> takes "strip-header-spaces", and is to lose it: Deprecated; scheduled for removal in 25.0.0.
      → Look: <python> -m gunicorn --help mysite.wsgi:application
`,
  },
  'hypercorn is to lose an option': {
    settings: hypercorn('{"access-log": "-"}'),
    isWarning: true,
    shows: `W307  PRODUCTION_PROCESSES["web"]["ARGS"]["access-log"]
      hypercorn <version> takes "access-log", and is to lose it: Deprecated, see access-logfile.
      → Look: <python> -m hypercorn --help mysite.asgi:application
`,
  },
  'gunicorn is older than what is supported': {
    settings: gunicorn('{"workers": 2}'),
    files: { 'gunicorn-20.1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: gunicorn\nVersion: 20.1.0\n' },
    isWarning: true,
    shows: `W306  PRODUCTION_PROCESSES["web"]["BACKEND"]
      gunicorn 20.1.0 is older than 23.0.0, the first version that is supported.
      → <python> -m pip install -U gunicorn
`,
  },

  'gunicorn is killed before it has let requests be finished': {
    settings: gunicorn('{"graceful-timeout": 120}'),
    isWarning: true,
    shows: `W403  PRODUCTION_PROCESSES["web"]["ARGS"]["graceful-timeout"]
      It lets work be finished for up to 2m, and is killed 35s after it was asked to stop.
      → Set "STOP": {"timeout": "2m 5s"}, or lower "graceful-timeout"
`,
  },
  'a STOP is shorter than what gunicorn was told': {
    settings: declared('{"BACKEND": "gunicorn", "ARGS": {"graceful_timeout": "30"}, "STOP": {"timeout": "10s"}}'),
    isWarning: true,
    shows: `W403  PRODUCTION_PROCESSES["web"]["STOP"]
      It lets work be finished for up to 30s, and is killed 10s after it was asked to stop.
      → Set "STOP": {"timeout": "35s"}, or lower "graceful_timeout"
`,
  },
  'several workers have a scheduler inside': {
    settings: declared('{"BACKEND": "celery-worker", "APP": "mysite.celery.app", "INSTANCES": 2, "ARGS": {"B": True}}'),
    files,
    shows: `E402  PRODUCTION_PROCESSES["web"]["INSTANCES"]
      A scheduler runs once: several instances of celery worker with "B" would each run every job.
      → Declare the scheduler by itself, once: "BACKEND": "celery-beat"
`,
  },
  'a scheduler and a worker with one inside are of one application': {
    settings:
      'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app", "ARGS": {"beat": True}}, ' +
      '"beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app"}}',
    files,
    shows: `E402  PRODUCTION_PROCESSES["beat"]
      It schedules the jobs of mysite.celery.app, and so does "worker": every job would run twice.
      → Keep one of them
`,
  },

  'limits that do not exist, or are none': {
    settings: declared(
      '{"BACKEND": "gunicorn", "LIMITS": {"nofiles": 1024, "core": "many", "nproc": "200:100", "nofile": "1024:", "CPU": ":unlimited"}}',
    ),
    shows: `E107  PRODUCTION_PROCESSES["web"]["LIMITS"]["nofiles"]
      There is no limit "nofiles".
      → Did you mean nofile?

E107  PRODUCTION_PROCESSES["web"]["LIMITS"]["core"]
      The limit core must be a number, "unlimited", or two of them as in "1024:4096", the larger one last; not "many".

E107  PRODUCTION_PROCESSES["web"]["LIMITS"]["nproc"]
      The limit nproc must be a number, "unlimited", or two of them as in "1024:4096", the larger one last; not "200:100".
`,
  },

  // --- Files
  'a certificate is not there': {
    options: ['--here'],
    settings: gunicorn('{"certfile": "tls/cert.pem", "keyfile": "manage.py"}'),
    shows: `E306  PRODUCTION_PROCESSES["web"]["ARGS"]["certfile"]
      gunicorn cannot read <project>/tls/cert.pem: it does not exist.
      → Look: ls -l <project>/tls/cert.pem
`,
  },
  'a configuration is a folder': {
    options: ['--here'],
    settings: gunicorn('{"c": "mysite"}'),
    shows: `E306  PRODUCTION_PROCESSES["web"]["ARGS"]["c"]
      gunicorn cannot read <project>/mysite: it is a folder.
      → Look: ls -l <project>/mysite
`,
  },
  'a log file has no folder': {
    options: ['--here'],
    settings: gunicorn('{"access-logfile": "logs/access.log", "error-logfile": "-"}'),
    shows: `E307  PRODUCTION_PROCESSES["web"]["ARGS"]["access-logfile"]
      gunicorn cannot write <project>/logs/access.log: there is no folder <project>/logs.
      → Look: ls -ld <project>/logs
`,
  },
  'a socket lies below a file': {
    options: ['--here'],
    settings: uvicorn('{"uds": "manage.py/web.sock"}'),
    shows: `E307  PRODUCTION_PROCESSES["web"]["ARGS"]["uds"]
      uvicorn cannot write <project>/manage.py/web.sock: <project>/manage.py is no folder.
      → Look: ls -ld <project>/manage.py
`,
  },
  'a pid file for several instances': {
    settings: declared(
      '{"BACKEND": "celery-worker", "APP": "mysite.celery.app", "INSTANCES": 2, "ARGS": {"pidfile": "worker.pid"}}',
    ),
    files,
    shows: `E403  PRODUCTION_PROCESSES["web"]["ARGS"]["pidfile"]
      Each instance would write <project>/worker.pid, and take it for its own.
      → Leave the option out, or the INSTANCES
`,
  },
  'one log file for two processes': {
    settings:
      'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"accesslog": "logs/a.log", "errorlog": "logs/a.log", "bind": ":8001"}}, ' +
      '"api": {"BACKEND": "gunicorn", "ARGS": {"access-logfile": "./logs/a.log", "error-logfile": "/dev/stderr", "bind": ":8002"}},' +
      '"admin": {"BACKEND": "gunicorn", "ARGS": {"error-logfile": "/dev/stderr", "bind": ":8003"}}}',
    isWarning: true,
    shows: `W402  PRODUCTION_PROCESSES["api"]["ARGS"]["access-logfile"]
      It writes <project>/logs/a.log, and so does "web".
      → Give each process a file of its own
`,
  },
  'a pid file that is also a log': {
    settings:
      'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"pid": "web.log", "bind": ":8001"}}, ' +
      '"api": {"BACKEND": "gunicorn", "ARGS": {"accesslog": "web.log", "bind": ":8002"}}}',
    shows: `E403  PRODUCTION_PROCESSES["api"]["ARGS"]["accesslog"]
      It writes <project>/web.log, and so does "web".
      → Give each process a file of its own
`,
  },
  'a class of the project prepares what its program does not have': {
    settings: declared('{"BACKEND": "mysite.servers.Ours", "ARGS": {"wrokers": 2, "timeout": "long"}}'),
    files: {
      'mysite/servers.py': `from django_prodserver.backends.gunicorn import GunicornServer


class Ours(GunicornServer):
    def prep_server_args(self):
        return [*super().prep_server_args(), "--loud", "1", "--threads", "4", "--preload", "--bind", "127.0.0.1:0"]
`,
    },
    env: { PYTHONPATH: join(ROOT, 'python') },
    shows: `E303  PRODUCTION_PROCESSES["web"]["ARGS"]["wrokers"]
      gunicorn <version> has no option "wrokers".
      → Did you mean "workers"?

E304  PRODUCTION_PROCESSES["web"]["ARGS"]["timeout"]
      gunicorn <version> does not take "timeout" like this: invalid int value: 'long'.

E303  PRODUCTION_PROCESSES["web"]["BACKEND"]
      gunicorn <version> has no option "loud".
      → Look: <python> -m gunicorn --help mysite.wsgi:application
`,
  },
  'one pid file for two processes': {
    settings:
      'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"pid": "run.pid", "bind": ":8001"}}, ' +
      '"api": {"BACKEND": "gunicorn", "ARGS": {"p": "./run.pid", "bind": ":8002"}}}',
    shows: `E403  PRODUCTION_PROCESSES["api"]["ARGS"]["p"]
      It writes <project>/run.pid, and so does "web".
      → Give each process a file of its own
`,
  },
}

for (const [what, { isWarning = false, shows, ...mistake }] of Object.entries(mistakes)) {
  const count = shows.split(/^[EW]\d{3} /m).length - 1
  const counted = `\n${count} ${isWarning ? 'warning' : 'error'}${count === 1 ? '' : 's'} in <project>/mysite/settings.py.\n`
  test(`check says that ${what}`, (t) =>
    assertExplained(t, { ...mistake, args: ['check'], code: isWarning ? 0 : 4, shows: shows + counted }))
}

const problemsOf = ({ stdout }: Finished): readonly Problem[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Problem)

test('check says that Django cannot be set up, with the frames that led there', async (t) => {
  const settings = `${tasks('{"interval": 1}')}\nINSTALLED_APPS += ["mysite.broken"]`
  const files = { 'mysite/broken/__init__.py': 'raise RuntimeError("not finished")\n' }
  const finished = await prodserver(t, ['check', '--json'], { cwd: createProject(t, { settings, files }) })
  const [problem, ...others] = problemsOf(finished)
  assert.deepEqual([finished.code, others], [4, []])
  assert.equal(problem?.id, 'E210')
  assert.equal(problem.message, 'Django cannot be set up: RuntimeError: not finished')
  assert.match(problem.details ?? '', /mysite\/broken\/__init__\.py", line 1, in <module>/)
})

test("on this machine a taken port is named with who has it, and elsewhere it is nobody's business", async (t) => {
  const port = await freePort()
  const settings = gunicorn(`{"bind": "127.0.0.1:${port}"}`)
  const cwd = createProject(t, { settings })
  assert.equal((await prodserver(t, ['check', '--here'], { cwd })).code, 0)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const finished = await prodserver(t, ['check', '--here', '--json'], { cwd })
  assert.equal(finished.code, 4)
  const [problem, ...others] = problemsOf(finished)
  assert.deepEqual(others, [])
  assert.equal(problem?.id, 'E507')
  assert.ok(problem.message.startsWith(`gunicorn cannot listen on 127.0.0.1:${port}: `), problem.message)
  assert.ok(problem.message.endsWith(` (pid ${process.pid}) listens there.`), problem.message)
  assert.equal(problem.hint, `Look: ps -fp ${process.pid}`)
  assert.equal((await prodserver(t, ['check'], { cwd })).code, 0)
})

test("what the project's own supervisor runs does not take its port away", async (t) => {
  const port = await freePort()
  const web = { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` } }
  const site = createSupervised(t, { processes: { web } })
  await site.up()
  const own = await site.cli('check', '--here')
  assert.deepEqual([own.code, own.stdout], [0, 'No problems in 1 process: web.\n'])
  const other = createSupervised(t, { processes: { web } })
  assert.match((await other.cli('check', '--here')).stdout, /^E507 /)
})
