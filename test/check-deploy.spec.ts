import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Problem } from '../src/core/errors.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { FIT } from './support/fit.ts'
import { assertExplained, type Mistake, recordInterpreters } from './support/mistakes.ts'
import { createProject, type ProjectFiles } from './support/project.ts'
import { prodserver, run } from './support/running.ts'

const CELERY = {
  'mysite/celery.py':
    'from celery import Celery\n\napp = Celery("mysite", broker="redis://:hunter2@127.0.0.1:1/0")\napp.conf.broker_connection_timeout = 1\n',
}

const celery = (lines: string): Readonly<Record<string, string>> => ({
  'mysite/celery.py': `from celery import Celery\n\napp = Celery("mysite", broker="memory://")\n${lines}\n`,
})

const mistakes: Readonly<Record<string, Omit<Mistake, 'code' | 'args'>>> = {
  'DEBUG is on': {
    settings: 'DEBUG = True',
    shows: `E701  DEBUG
      DEBUG is on in mysite.settings: errors show the settings and the code to everybody, and memory grows.
      → Set DEBUG = False, or name the settings for production: --settings mysite.production
`,
  },
  'ALLOWED_HOSTS is empty': {
    settings: 'ALLOWED_HOSTS = []',
    shows: `E702  ALLOWED_HOSTS
      ALLOWED_HOSTS is empty: every request is answered with 400.
      → Set ALLOWED_HOSTS = ["example.com"]
`,
  },
  'the database does not answer': {
    settings:
      'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": 1, "NAME": "shop", "USER": "shop", "PASSWORD": "hunter2"}}',
    shows: `E703  DATABASES["default"]
      The database cannot be reached: connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused
      → See it alone: python manage.py migrate --check
`,
  },
  'the file of SQLite is not there': {
    settings: 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "nowhere.sqlite3"}}',
    shows: `E703  DATABASES["default"]
      The database cannot be reached: there is no file <project>/nowhere.sqlite3
      → See it alone: python manage.py migrate --check
`,
  },
  'migrations are not applied': {
    settings: `INSTALLED_APPS = ["django.contrib.contenttypes"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}`,
    shows: `E705  DATABASES["default"]
      2 migrations are not applied: contenttypes.0001_initial, contenttypes.0002_remove_content_type_name.
      → python manage.py migrate; or declare it: {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"}
`,
  },
  'several processes share a file of SQLite': {
    settings: `DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
PRODUCTION_PROCESSES["web"]["INSTANCES"] = 2`,
    shows: `W702  DATABASES["default"]
      2 processes share a file of SQLite: one that writes keeps the others waiting, until "database is locked".
      → Use PostgreSQL, or set OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20}
`,
  },
  'the workers of one server share a file of SQLite': {
    settings: `DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
PRODUCTION_PROCESSES["web"]["ARGS"] = {"workers": 4}`,
    shows: `W702  DATABASES["default"]
      4 processes share a file of SQLite: one that writes keeps the others waiting, until "database is locked".
      → Use PostgreSQL, or set OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20}
`,
  },
  'the server is that for development': {
    settings:
      'PRODUCTION_PROCESSES = {"web": {"BACKEND": "django-command", "APP": "runserver 0.0.0.0:8000"}, "api": {"BACKEND": "command", "APP": "python manage.py runserver"}}',
    shows: `W705  PRODUCTION_PROCESSES["web"]["APP"]
      runserver is for development: it is neither fast nor secure, and ends what is running when a file changes.
      → Declare a server: {"BACKEND": "gunicorn"}

W705  PRODUCTION_PROCESSES["api"]["APP"]
      runserver is for development: it is neither fast nor secure, and ends what is running when a file changes.
      → Declare a server: {"BACKEND": "gunicorn"}
`,
  },
  'the log says everything': {
    settings: 'PRODUCTION_PROCESSES["web"]["ARGS"] = {"log-level": "debug"}',
    shows: `W705  PRODUCTION_PROCESSES["web"]["ARGS"]["log-level"]
      The level "debug" is for development: it fills the disk, and writes down what people send.
      → Set it to "info"
`,
  },
  'no place for static files': {
    settings: 'INSTALLED_APPS = ["django.contrib.staticfiles"]\nSTATIC_URL = "static/"',
    shows: `W703  STATIC_ROOT
      STATIC_ROOT is not set: there is no place for static files to be collected in.
      → Set STATIC_ROOT = BASE_DIR / "static"
`,
  },
  'static files are not collected': {
    settings:
      'INSTALLED_APPS = ["django.contrib.staticfiles"]\nSTATIC_URL = "static/"\nSTATIC_ROOT = BASE_DIR / "static"',
    shows: `W703  STATIC_ROOT
      No static files are collected: <project>/static is empty, or not there.
      → python manage.py collectstatic --noinput
`,
  },
  'Django itself has a warning': {
    settings: 'SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False\nINSTALLED_APPS = []',
    shows: `W704  security.W016
      You have 'django.middleware.csrf.CsrfViewMiddleware' in your MIDDLEWARE, but you have not set CSRF_COOKIE_SECURE to True. Using a secure-only CSRF cookie makes it more difficult for network traffic sniffers to steal the CSRF token.
`,
  },
  'Django itself has an error': {
    settings: 'LANGUAGE_CODE = "tlh"',
    shows: `E706  translation.E004
      You have provided a value for the LANGUAGE_CODE setting that is not in the LANGUAGES setting.
`,
  },
  'the broker does not answer': {
    settings: 'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app"}}',
    files: CELERY,
    shows: `E704  PRODUCTION_PROCESSES["worker"]["APP"]
      Its broker cannot be reached: Error 111 connecting to 127.0.0.1:1. Connection refused.
      → Start the broker, or correct where it is: CELERY_BROKER_URL
`,
  },
  'nothing starts what Celery has scheduled': {
    settings:
      'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app"}, "mail": {"BACKEND": "celery-worker", "APP": "mysite.celery.app"}}',
    files: celery('app.conf.beat_schedule = {"report": {"task": "report", "schedule": 60}}'),
    shows: `W707  PRODUCTION_PROCESSES["worker"]["APP"]
      report is scheduled, and nothing is declared that starts what is scheduled.
      → Declare it: {"BACKEND": "celery-beat", "APP": "mysite.celery.app"}
`,
  },
  'nobody takes what is routed to a queue': {
    settings:
      'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app", "ARGS": {"queues": ["default", "images"]}}}',
    files: celery('app.conf.task_routes = {"mail.*": {"queue": "mail"}, "images.*": "images"}'),
    shows: `W708  PRODUCTION_PROCESSES["worker"]["APP"]
      mail.* goes to the queue "mail", and no worker takes from it.
      → Add it to the "queues" of a worker; taken are: default, images
`,
  },
  'an option is for development': {
    settings: 'PRODUCTION_PROCESSES["web"]["ARGS"] = {"reload": True}',
    shows: `W705  PRODUCTION_PROCESSES["web"]["ARGS"]["reload"]
      "reload" is for development: it watches files, and ends what is running when one changes.
      → Leave it out; new code comes in with: prodserver reload
`,
  },
  'a secret is written into the settings': {
    settings:
      'import os\nPRODUCTION_PROCESSES["web"]["ENV"] = {"API_TOKEN": "hunter2", "DB_PASSWORD": os.environ.get("HOME"), "URL": "redis://:hunter2@cache"}',
    shows: `W706  PRODUCTION_PROCESSES["web"]["ENV"]["API_TOKEN"]
      "API_TOKEN" is written into the settings, and so into the history of the project.
      → Take it from the environment: os.environ["API_TOKEN"]

W706  PRODUCTION_PROCESSES["web"]["ENV"]["URL"]
      "URL" is written into the settings, and so into the history of the project.
      → Take it from the environment: os.environ["URL"]
`,
  },
}

for (const [what, { shows, settings, ...mistake }] of Object.entries(mistakes)) {
  const [errors, warnings] = ['E', 'W'].map((letter) => shows.split(new RegExp(`^${letter}\\d{3} `, 'm')).length - 1)
  const counted = [
    ...(errors ? [`${errors} error${errors === 1 ? '' : 's'}`] : []),
    ...(warnings ? [`${warnings} warning${warnings === 1 ? '' : 's'}`] : []),
  ].join(', ')
  test(`check --deploy says that ${what}`, (t) =>
    assertExplained(t, {
      ...mistake,
      settings: `${FIT}${settings}`,
      args: ['check'],
      options: ['--deploy'],
      code: errors ? 4 : 0,
      shows: `${shows}\n${counted} in <project>/mysite/settings.py.\n`,
    }))
}

const check = async (
  t: Parameters<typeof createProject>[0],
  files: ProjectFiles,
  ...args: readonly string[]
): Promise<readonly Problem[]> => {
  const cwd = createProject(t, files)
  const { stdout, stderr } = await prodserver(t, ['check', '--json', ...args], { cwd })
  assert.equal(stderr, '')
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Problem)
}

test('a project that is fit has no problem, and only --deploy looks at what is running', async (t) => {
  assert.deepEqual(await check(t, { settings: FIT }, '--deploy'), [])
  assert.deepEqual(await check(t, { settings: `${FIT}DEBUG = True` }), [])
})

test('a check of the project that raises is a warning with its frames, and the rest is told', async (t) => {
  const files = {
    'mysite/checks/__init__.py': '',
    'mysite/checks/apps.py': `from django.apps import AppConfig
from django.core.checks import register

class ChecksConfig(AppConfig):
    name = "mysite.checks"

    def ready(self):
        register(look)

def look(app_configs, **kwargs):
    raise RuntimeError("not finished")
`,
  }
  const settings = `${FIT}INSTALLED_APPS = ["mysite.checks"]\nPRODUCTION_PROCESSES["web"]["ARGS"] = {"wrokers": 4}`
  const [first, second, ...others] = await check(t, { settings, files }, '--deploy')
  assert.deepEqual([first?.id, second?.id, others], ['W701', 'E303', []])
  assert.equal(first?.message, 'The project was not looked at: RuntimeError: not finished')
  assert.match(first.details ?? '', /mysite\/checks\/apps\.py", line 11, in look/)
})

test('what is declared to apply migrations and to collect static files is enough', async (t) => {
  const settings = `${FIT}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.staticfiles"]
STATIC_URL, STATIC_ROOT = "static/", BASE_DIR / "static"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "new.sqlite3"}}
PRODUCTION_PROCESSES["migrate"] = {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"}
PRODUCTION_PROCESSES["collectstatic"] = {"BACKEND": "django-command", "APP": "collectstatic --noinput", "RUN": "release"}
`
  assert.deepEqual(await check(t, { settings }, '--deploy'), [])
})

test('a problem that the project has silenced is not told, and one without which nothing can be planned is', async (t) => {
  const silenced = 'SILENCED_SYSTEM_CHECKS = ["prodserver.E303", "prodserver.E701", "prodserver.E201"]'
  const settings = `${FIT}DEBUG = True\n${silenced}\nPRODUCTION_PROCESSES["web"]["ARGS"] = {"wrokers": 4}\nPRODUCTION_PROCESSES["api"] = {}`
  const problems = await check(t, { settings }, '--deploy')
  assert.deepEqual(
    problems.map(({ id }) => id),
    ['E201'],
  )
})

test('each problem has the file and the line that it stands in', async (t) => {
  const files = {
    'mysite/base.py': `PRODUCTION_PROCESSES = {
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": dict(
            bind="127.0.0.1:0",
            wrokers=4,
        ),
    },
    "worker": {"BACKEND": "celery-worker"},
}
`,
  }
  const settings = 'from mysite.base import *\nPRODUCTION_PROCESSES["api"] = {\n    "BACKEND": "uvicron",\n}'
  const cwd = createProject(t, { settings, files })
  const lines = async (...args: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await prodserver(t, ['check', ...args], { cwd })
    return stdout.replaceAll(`${cwd}/`, '').split('\n')
  }
  const written = (await lines('--json')).filter(Boolean).map((line) => {
    const { id, at } = JSON.parse(line) as Problem
    return [id, at?.replace(/(settings\.py):\d+/, '$1')]
  })
  assert.deepEqual(written, [
    ['E303', 'mysite/base.py:6'],
    ['E205', 'mysite/base.py:9'],
    ['E202', 'mysite/settings.py'],
  ])
  assert.equal((await lines())[0], 'E303  PRODUCTION_PROCESSES["web"]["ARGS"]["wrokers"]  mysite/base.py:6')
  assert.match(
    (await lines('--format=github'))[0] ?? '',
    /^::error file=mysite\/base\.py,line=6,title=E303::PRODUCTION_PROCESSES\["web"\]\["ARGS"\]\["wrokers"\]: gunicorn .* has no option "wrokers"\. → Did you mean "workers"\?$/,
  )
})

test('SARIF is what its schema says', async (t) => {
  const cwd = createProject(t, { settings: `${FIT}PRODUCTION_PROCESSES["web"]["ARGS"] = {"wrokers": 4}` })
  const { stdout, code } = await prodserver(t, ['check', '--format=sarif'], { cwd })
  assert.equal(code, 4)
  const [{ tool, results }] = (JSON.parse(stdout) as { runs: [{ tool: object; results: object[] }] }).runs
  assert.equal((tool as { driver: { name: string } }).driver.name, 'prodserver')
  assert.equal(results.length, 1)
  assert.partialDeepStrictEqual(results[0], {
    ruleId: 'E303',
    ruleIndex: 0,
    level: 'error',
    locations: [{ physicalLocation: { artifactLocation: { uri: 'mysite/settings.py' } } }],
  })
  const { code: usage, stderr } = await prodserver(t, ['check', '--format=xml'], { cwd })
  assert.equal(usage, 2)
  assert.match(stderr, /--format takes text, json, github or sarif, not "xml"\./)
})

test('looking changes nothing: no database is made, no file written', async (t) => {
  const settings = `${FIT}DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "new.sqlite3"}}`
  const cwd = createProject(t, { settings })
  mkdirSync(join(cwd, 'empty'))
  writeFileSync(join(cwd, 'kept'), '')
  const list = async (): Promise<string> =>
    (await run(t, 'find', ['.', '-newer', 'kept', '-type', 'f'], { cwd })).stdout
  const before = await list()
  await prodserver(t, ['check', '--deploy', '--here'], { cwd, env: { PRODSERVER_PYTHON: PYTHON } })
  assert.equal(await list(), before)
})

test('warnings fail where that is asked for, as those of manage.py check do', async (t) => {
  const settings = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"workers": 2, "w": 4}}}'
  const cwd = createProject(t, { settings })
  const code = async (...args: readonly string[]): Promise<number | null> =>
    (await prodserver(t, ['check', ...args], { cwd })).code
  assert.equal(await code(), 0)
  assert.equal(await code('--fail-level=WARNING'), 4)
  assert.equal(await code('--fail-level', 'error'), 0)
  const silenced = createProject(t, { settings: `${settings}\nSILENCED_SYSTEM_CHECKS = ["prodserver.W304"]` })
  assert.equal((await prodserver(t, ['check', '--fail-level=WARNING'], { cwd: silenced })).code, 0)
  const { code: usage, stderr } = await prodserver(t, ['check', '--fail-level=INFO'], { cwd })
  assert.equal(usage, 2)
  assert.match(stderr, /--fail-level takes ERROR or WARNING, not INFO\./)
})

test('the quick check asks nobody: it finds what the settings say, and starts one interpreter', async (t) => {
  const settings =
    'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"wrokers": 2}}, "api": {"BACKEND": "gunicron"}}'
  const recorder = recordInterpreters(t)
  const cwd = createProject(t, { settings })
  const { stdout } = await prodserver(t, ['check', '--quick', '--json'], { cwd, env: recorder.env })
  assert.deepEqual(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as Problem).id),
    ['E202'],
  )
  assert.equal(recorder.started().length, 1)
})

test('what is silenced is silent for every command, and an error that is silenced keeps nothing from starting', async (t) => {
  const settings = (silenced: string): string => `
INSTALLED_APPS += ["django_prodserver"]
SILENCED_SYSTEM_CHECKS = [${silenced}]
PRODUCTION_PROCESSES = {
    "off": {"BACKEND": "command", "APP": "true", "ENABLED": False},
    "first": {"BACKEND": "command", "APP": "true", "RUN": "once", "DEPENDS_ON": "off", "ENABLED": False},
    "job": {"BACKEND": "command", "APP": "true", "RUN": "once"},
    "beat": {"BACKEND": "celery-beat", "APP": "mysite.celery.app", "INSTANCES": 2, "ENABLED": False},
}`
  const env = { PYTHONPATH: join(ROOT, 'python') }
  const told = async (silenced: string): Promise<readonly (readonly [boolean, number | null])[]> => {
    const cwd = createProject(t, { settings: settings(silenced), files: celery('') })
    const PRODSERVER_STATE_DIR = join(cwd, 'state')
    const all = [
      await prodserver(t, ['run', 'beat', '--help'], { cwd, env }),
      await prodserver(t, ['up', '-d', 'job'], { cwd, env: { ...env, PRODSERVER_STATE_DIR } }),
      await run(t, PYTHON, ['manage.py', 'check'], { cwd, env }),
    ]
    await prodserver(t, ['down'], { cwd, env: { ...env, PRODSERVER_STATE_DIR } })
    return all.map(({ code, stdout, stderr }) => [/W305|E402/.test(stdout + stderr), code])
  }
  assert.deepEqual(await told(''), [
    [true, 4],
    [true, 4],
    [true, 1],
  ])
  assert.deepEqual(await told('"prodserver.W305", "prodserver.E402"'), [
    [false, 0],
    [false, 0],
    [false, 0],
  ])
})
