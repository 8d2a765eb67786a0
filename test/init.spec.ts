import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findCelery, readOtherTools } from '../src/init/index.ts'
import { PYTHON } from './support/environment.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { createProject, writeFiles } from './support/project.ts'
import { prodserver, startProdserver } from './support/running.ts'
import { openTerminal } from './support/terminal.ts'

const CELERY = 'from celery import Celery\n\napp = Celery("mysite")\napp.autodiscover_tasks()\n'

test('a project that nothing starts yet gets what its packages and files tell', async (t) => {
  const settings = 'STATIC_ROOT = BASE_DIR / "static"\nCELERY_BEAT_SCHEDULE = {}\nINSTALLED_APPS += ["django_q"]'
  const cwd = createProject(t, { settings, files: { 'mysite/celery.py': CELERY } })
  const { code, stdout, stderr } = await prodserver(t, ['init'], { cwd })
  assert.equal(
    stdout,
    `PRODUCTION_PROCESSES = {
    # once for each release, before everything else
    "migrate": {
        "BACKEND": "django-command",
        "APP": "migrate --noinput",
        "RUN": "release",
    },
    # STATIC_ROOT is set
    "collectstatic": {
        "BACKEND": "django-command",
        "APP": "collectstatic --noinput",
        "RUN": "release",
    },
    # gunicorn is installed
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"bind": "127.0.0.1:8000", "workers": 2},
    },
    # mysite.celery.app is a Celery application
    "worker": {
        "BACKEND": "celery-worker",
        "APP": "mysite.celery.app",
        "ARGS": {"loglevel": "info"},
    },
    # django_q is in INSTALLED_APPS
    "worker-2": {
        "BACKEND": "django-q2",
    },
    # Celery has scheduled jobs
    "beat": {
        "BACKEND": "celery-beat",
        "APP": "mysite.celery.app",
        "ARGS": {"loglevel": "info"},
    },
}
`,
  )
  assert.deepEqual([code, stderr], [0, ''])
})

const OTHERS = {
  'mysite/celery.py': CELERY,
  Procfile: `release: python manage.py migrate
web: gunicorn mysite.wsgi --bind 127.0.0.1:$PORT --workers 2
worker: celery -A mysite worker -l INFO -D
`,
  'compose.yml': `
services:
  web:
    build: .
    command: python manage.py runserver 0.0.0.0:8000
  mail:
    build: .
    command: celery -A mysite worker -Q mail
    environment: {MAIL_TOKEN: abc, LEVEL: high}
  redis: {image: redis, command: redis-server}
`,
  'deploy/stats.service': '[Service]\nUser=shop\nExecStart=/bin/sh -c "python manage.py stats | logger"\n',
  'ecosystem.config.js': 'console.log("noise")\nthrow new Error("no such thing")\n',
}

test('what other tools start becomes a declaration, and what it leaves out is said', async (t) => {
  const cwd = createProject(t, { files: OTHERS })
  const { code, stdout, stderr } = await prodserver(t, ['init'], { cwd })
  assert.equal(
    stdout,
    `import os

PRODUCTION_PROCESSES = {
    # Procfile:1
    "release": {
        "BACKEND": "django-command",
        "APP": "migrate",
        "RUN": "release",
    },
    # Procfile:2
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"bind": f"127.0.0.1:{os.environ.get('PORT', '8000')}", "workers": 2},
    },
    # deploy/stats.service:1
    # It ran as the user shop: where \`up\` runs as root, add "USER".
    "stats": {
        "BACKEND": "command",
        "APP": "/bin/sh -c 'python manage.py stats | logger'",
    },
    # Procfile:3
    # detach is left out: what is supervised stays in the foreground.
    "worker": {
        "BACKEND": "celery-worker",
        "APP": "mysite",
        "ARGS": {"loglevel": "INFO"},
    },
    # compose.yml (mail)
    # MAIL_TOKEN has a value there that may be a secret: set it in the environment, or an ENV_FILE.
    "mail": {
        "BACKEND": "celery-worker",
        "APP": "mysite",
        "ARGS": {"queues": "mail"},
        "ENV": {"LEVEL": "high"},
    },
}
`,
  )
  assert.equal(
    stderr,
    `  deploy/stats.service: stats
  ecosystem.config.js cannot be read: Error: no such thing
  Procfile: release, web, worker
  compose.yml: web, mail, redis
  compose.yml (web) is left out: it starts Django's development server, which is not for production
  compose.yml (redis) is left out: its image is not built from the project
`,
  )
  assert.equal(code, 0)
})

test('what is written is what was proposed, is checked without a problem, and serves', async (t) => {
  const cwd = createProject(t, { files: { Procfile: OTHERS.Procfile, 'mysite/celery.py': CELERY } })
  const file = join(cwd, 'mysite/settings.py')
  const before = readFileSync(file, 'utf8')
  const { stdout: proposed } = await prodserver(t, ['init'], { cwd })
  const { code, stdout } = await prodserver(t, ['init', '--write'], { cwd })
  assert.deepEqual([code, stdout.split('\n')[0]], [0, 'Added to mysite/settings.py: release, web, worker.'])
  assert.equal(readFileSync(file, 'utf8'), `${before}\n${proposed}`.replace(/\n\n\n/g, '\n\n'))
  const port = String(await freePort())
  const checked = await prodserver(t, ['check'], { cwd, env: { PORT: port } })
  assert.deepEqual([checked.code, checked.stdout], [0, 'No problems in 3 processes: release, web, worker.\n'])
  await waitForHttp(startProdserver(t, ['run', 'web'], { cwd, env: { PORT: port } }), { port: Number(port) })
})

test('a project that has a declaration keeps it', async (t) => {
  const cwd = createProject(t, { settings: 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn"}}', files: OTHERS })
  const before = readFileSync(join(cwd, 'mysite/settings.py'), 'utf8')
  const { code, stdout, stderr } = await prodserver(t, ['init', '--write'], { cwd })
  assert.match(stderr, /^Processes are declared already, in mysite\/settings.py:\d+: web.\n→ /)
  assert.deepEqual([code, stdout, readFileSync(join(cwd, 'mysite/settings.py'), 'utf8')], [0, '', before])
})

test('settings that cannot be read with the declaration are as they were', async (t) => {
  const settings = 'assert "PRODUCTION" + "_PROCESSES" not in open(__file__).read(), "it is too long"'
  const cwd = createProject(t, { settings, files: OTHERS })
  const file = join(cwd, 'mysite/settings.py')
  const before = readFileSync(file, 'utf8')
  const { code, stderr } = await prodserver(t, ['init', '--write'], { cwd })
  assert.match(stderr, /E007 .*\n.*it is too long/)
  assert.deepEqual([code, readFileSync(file, 'utf8')], [1, before])
})

test('on a terminal it asks, and only yes changes a file', async (t) => {
  const cwd = createProject(t)
  const file = join(cwd, 'mysite/settings.py')
  const before = readFileSync(file, 'utf8')
  const args = ['init', '--project', cwd, '--python', PYTHON]
  const no = openTerminal(t, args, { env: {}, rows: 40 })
  await no.shows(/Add this to .*settings\.py\? \[y\/N\]/)
  no.press('\r')
  assert.equal((await no.ended()).code, 0)
  assert.equal(readFileSync(file, 'utf8'), before)
  const yes = openTerminal(t, args, { env: {}, rows: 40 })
  await yes.shows(/\[y\/N\]/)
  yes.press('y\r')
  assert.equal((await yes.ended()).code, 0)
  assert.match(readFileSync(file, 'utf8'), /PRODUCTION_PROCESSES = \{/)
})

test('one file that is named, and JSON', async (t) => {
  const cwd = createProject(t, {
    files: { 'deploy/web.service': '[Service]\nExecStart=uvicorn mysite.asgi:application\n' },
  })
  const { stdout } = await prodserver(t, ['init', '--from', 'deploy/web.service', '--json'], { cwd })
  const { processes, files } = JSON.parse(stdout) as { processes: { name: string; backend: string }[]; files: unknown }
  assert.deepEqual(
    processes.map(({ name, backend }) => [name, backend]),
    [
      ['migrate', 'django-command'],
      ['web', 'uvicorn'],
    ],
  )
  assert.deepEqual(files, [{ file: 'deploy/web.service', processes: ['web'] }])
  const refused = await prodserver(t, ['init', '--from', 'manage.py'], { cwd })
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /^prodserver: --from manage\.py: its name is not one of a Procfile/)

  // Nothing else is declared in the place of what was asked for.
  writeFiles(cwd, { Procfile: '' })
  for (const [file, why] of [
    ['gone.service', /^prodserver: --from gone\.service: it cannot be read: ENOENT/],
    ['Procfile', /^prodserver: --from Procfile: nothing that could be declared stands in it\.$/m],
  ] as const) {
    const { code, stdout, stderr } = await prodserver(t, ['init', '--write', '--from', file], { cwd })
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, why)
  }
})

test('units of this machine are read where they name the project, and others and our own are not', async (t) => {
  const root = createProject(t)
  const system = createProject(t)
  writeFiles(system, {
    'shop.service': `[Service]\nWorkingDirectory=${root}\nExecStart=gunicorn mysite.wsgi\n`,
    'own.service': `# Written by \`prodserver export systemd\` for shop; change the declaration and run it again.\n[Service]\nWorkingDirectory=${root}\nExecStart=gunicorn mysite.wsgi\n`,
    'other.service': `[Service]\nWorkingDirectory=${root}-other\nExecStart=gunicorn mysite.wsgi\n`,
  })
  const found = await readOtherTools(root, () => Promise.resolve(null), [system])
  const files = found.map(({ file }) => file)
  assert.deepEqual(files, [join(system, 'shop.service')])
})

test('the Celery application is found by its file, in the variable that it has', (t: TestContext) => {
  const root = createProject(t, { files: { 'config/tasks.py': 'import celery\nqueue: X = celery.Celery("x")\n' } })
  assert.deepEqual(findCelery(root, null), { app: 'config.tasks.queue', hasSchedule: false })
})

test('a project without Django gets a config file, which is read as it is', async (t) => {
  const cwd = createProject(t, {
    files: {
      'manage.py': null,
      'package.json': '{"scripts": {"start": "node server.js"}}',
      Procfile: "web: HOST='127.0.0.1' node server.js --port $PORT --title \"it's\"\nworker: node worker.js\n",
      'server.js': '',
      'worker.js': '',
    },
  })
  const { code, stdout } = await prodserver(t, ['init', '--write'], { cwd })
  assert.deepEqual([code, stdout.split('\n')[0]], [0, 'Added to prodserver.config.ts: web, worker.'])
  assert.equal(
    readFileSync(join(cwd, 'prodserver.config.ts'), 'utf8'),
    `import { defineConfig } from "prodserver"

export default defineConfig({
  processes: {
    // Procfile:1
    web: {
      backend: "node",
      app: "server.js",
      args: { port: process.env["PORT"] ?? "8000", title: "it's" },
      env: { HOST: "127.0.0.1" },
    },
    // Procfile:2
    worker: {
      backend: "node",
      app: "worker.js",
    },
  },
})
`,
  )
  const checked = await prodserver(t, ['check'], { cwd })
  assert.deepEqual([checked.code, checked.stdout], [0, 'No problems in 2 processes: web, worker.\n'])
  const again = await prodserver(t, ['init'], { cwd })
  assert.match(again.stderr, /^Processes are declared already, in prodserver\.config\.ts: web, worker\.\n/)
})

test('a folder with nothing in it is told so', async (t) => {
  const cwd = createProject(t, { files: { 'manage.py': null } })
  const { code, stderr } = await prodserver(t, ['init'], { cwd })
  assert.match(stderr, /^E001 .*\n +Nothing was found that could be declared: /)
  assert.equal(code, 1)
})
