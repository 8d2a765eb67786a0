import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { type Example, useExample } from './support/example.ts'
import { onlyDjango } from './support/only-django.ts'
import { groupOf } from './support/processes.ts'
import { createProject } from './support/project.ts'
import { prodserver, startProdserver } from './support/running.ts'

const TASKS = 'django_prodserver.backends.django_tasks.DjangoTasksWorker'
const Q2 = 'django_prodserver.backends.django_q2.DjangoQ2Worker'

/** Without these it waits up to two seconds before it looks for the first task. */
const SOON = { interval: 0.1, 'no-startup-delay': 'True' }

test('executes a task of django-tasks in the process that was started, and on TERM finishes it', async (t) => {
  // With DEBUG, the worker's own default is to restart itself in a child, and to kill that with the task it runs.
  const example = await useMigrated(t, { BACKEND: TASKS, ARGS: SOON }, { env: { DEBUG: '1' } })
  const running = startProdserver(t, ['run', 'worker'], example)
  await example.manage('enqueue', 'tasks', example.record, 'quick')
  await example.waitForRecords(1, running)
  await example.manage('enqueue', 'tasks', example.record, 'slow', '--seconds=2')
  await example.waitForRecords(2, running)
  assert.deepEqual(example.recorded(), [
    { text: 'quick', pid: running.pid },
    { text: 'slow started', pid: running.pid },
  ])
  running.signal('SIGTERM')
  assert.deepEqual(await running.ended(), { code: 0, signal: null }, running.output())
  assert.deepEqual(example.recorded().slice(2), [{ text: 'slow', pid: running.pid }])
  assert.equal(
    await example.python(
      'from django_tasks_db.models import DBTaskResult as R; print(*R.objects.values_list("status", flat=True))',
    ),
    'SUCCESSFUL SUCCESSFUL\n',
  )
})

const queues: readonly (readonly [args: { readonly [key: string]: Json }, executed: readonly string[]])[] = [
  [{ queue: 'mail' }, ['mail']],
  [{ queue: ['mail', 'news'] }, ['mail', 'news']],
  [{ queues: 'mail,news' }, ['mail', 'news']],
  [{ 'queue-name': '*', 'exclude-queues': ['mail', 'default'] }, ['news']],
]

for (const [args, executed] of queues) {
  test(`the worker of django-tasks with ${JSON.stringify(args)} executes the tasks of these queues only`, async (t) => {
    const example = await useMigrated(
      t,
      { BACKEND: TASKS, ARGS: { ...args, ...SOON, batch: true } },
      { settings: 'TASKS["default"]["QUEUES"] = ["default", "mail", "news"]' },
    )
    await example.python(`
from mysite.tasks import record_in_django_tasks as record

for queue in ["default", "mail", "news"]:
    record.using(queue_name=queue).enqueue(${JSON.stringify(example.record)}, queue)
`)
    // A batch ends when nothing is left to do.
    const { code, stderr } = await prodserver(t, ['run', 'worker'], example)
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      example.recorded().map(({ text }) => text),
      executed,
    )
  })
}

test('documented options that the worker of django-tasks lacks are left out with a warning', async (t) => {
  const example = await useMigrated(t, { BACKEND: TASKS, ARGS: { processes: '2', threads: 4, batch: true, ...SOON } })
  await example.manage('enqueue', 'tasks', example.record, 'done')
  const { code, stderr } = await prodserver(t, ['run', 'worker'], example)
  assert.equal(code, 0, stderr)
  for (const option of ['processes', 'threads'])
    assert.ok(
      stderr.includes(
        `W301 PRODUCTION_PROCESSES["worker"]["ARGS"]["${option}"]: django-tasks has no option "${option}"; it is left out. ` +
          'It runs one task at a time. For more, declare INSTANCES, or start it several times.\n',
      ),
      stderr,
    )
  assert.deepEqual(
    example.recorded().map(({ text }) => text),
    ['done'],
  )
})

test('Django-Q2 executes a task and a schedule', async (t) => {
  const example = await useMigrated(
    t,
    { BACKEND: Q2, ARGS: { verbosity: 1 } },
    {
      settings: `
# It looks at the schedules every 30 s, and at the start only if its cycle is as long.
Q_CLUSTER["guard_cycle"] = 30
# A transaction that begins by reading cannot wait for the lock: SQLite refuses it at once.
DATABASES["default"]["OPTIONS"]["transaction_mode"] = "IMMEDIATE"
`,
    },
  )
  await example.manage('enqueue', 'queue', example.record, 'task')
  await example.python(`
from django_q.models import Schedule

Schedule.objects.create(
    func="mysite.tasks.record", args=repr((${JSON.stringify(example.record)}, "schedule")), schedule_type=Schedule.HOURLY
)
`)
  const running = startProdserver(t, ['run', 'worker'], example)
  const records = await example.waitForRecords(2, running)
  assert.deepEqual(records.map(({ text }) => text).toSorted(), ['schedule', 'task'])
  assert.ok(
    records.every(({ pid }) => groupOf(pid) === running.pid),
    running.output(),
  )
})

test('ENV makes a worker of Django-Q2 execute the tasks of another cluster', async (t) => {
  const example = await useMigrated(
    t,
    { BACKEND: Q2, ENV: { Q_CLUSTER_NAME: 'reports' } },
    { settings: 'Q_CLUSTER["ALT_CLUSTERS"] = {"reports": {"workers": 1}}' },
  )
  await example.python(`
from django_q.tasks import async_task

async_task("mysite.tasks.record", ${JSON.stringify(example.record)}, "report", cluster="reports")
`)
  const running = startProdserver(t, ['run', 'worker'], example)
  assert.deepEqual(
    (await example.waitForRecords(1, running)).map(({ text }) => text),
    ['report'],
  )
})

const missing = [
  {
    backend: TASKS,
    name: 'django-tasks',
    package: 'django-tasks django-tasks-db',
    apps: '"django_tasks_db" or "django_tasks.backends.database"',
    app: 'django_tasks_db',
  },
  { backend: Q2, name: 'django-q2', package: 'django-q2', apps: '"django_q"', app: 'django_q' },
]

for (const { backend, name, package: packages, apps, app } of missing) {
  test(`${name} that is not installed is an error with the command that installs it`, async (t) => {
    const python = await onlyDjango(t)
    const cwd = createProject(t, {
      settings: `PRODUCTION_PROCESSES = {"worker": {"BACKEND": "${backend}"}}\nINSTALLED_APPS += ["${app}"]`,
    })
    const { code, stdout, stderr } = await prodserver(t, ['run', 'worker'], { cwd, env: { PRODSERVER_PYTHON: python } })
    assert.equal(stdout, '')
    assert.equal(
      stderr,
      `E203  PRODUCTION_PROCESSES["worker"]["BACKEND"]
      ${name} is not installed in ${python} (chosen by PRODSERVER_PYTHON), so "worker" cannot start.
      → ${python} -m pip install ${packages}
`,
    )
    assert.equal(code, 4)
  })

  test(`${name} that is not in INSTALLED_APPS is an error that says what to add`, async (t) => {
    const cwd = createProject(t, { settings: `PRODUCTION_PROCESSES = {"worker": {"BACKEND": "${backend}"}}` })
    const { code, stdout, stderr } = await prodserver(t, ['run', 'worker'], { cwd })
    assert.equal(stdout, '')
    assert.equal(
      stderr,
      `E204  INSTALLED_APPS
      ${name} needs ${apps} in INSTALLED_APPS.
      → Add "${app}" to INSTALLED_APPS, then: python manage.py migrate
`,
    )
    assert.equal(code, 4)
  })
}

test('django-tasks-db without django-tasks is enough: Django 6 has the rest itself', async (t) => {
  const python = await onlyDjango(t, 'django_tasks_db')
  const cwd = createProject(t, {
    settings: 'PRODUCTION_PROCESSES = {"worker": {"BACKEND": "django-tasks"}}\nINSTALLED_APPS += ["django_tasks_db"]',
  })
  const { code, stdout } = await prodserver(t, ['show', '--json'], { cwd, env: { PRODSERVER_PYTHON: python } })
  assert.equal(code, 0, stdout)
  assert.deepEqual((JSON.parse(stdout) as { processes: readonly { argv: readonly string[] }[] }).processes[0]?.argv, [
    python,
    ...['-m', 'django', 'db_worker', '--no-reload'],
  ])
})

/** The example with the tables of the queues, and one worker. */
async function useMigrated(
  t: TestContext,
  worker: Json,
  more: { settings?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Example> {
  const example = useExample(t, { processes: { worker }, ...more })
  writeFileSync(databaseOf(example), await (database ??= migrate(t)))
  return example
}

/** A database with all tables, made once and copied for each test. */
let database: Promise<Buffer> | undefined

async function migrate(t: TestContext): Promise<Buffer> {
  const processes = { migrate: { BACKEND: 'django-command', APP: 'migrate', ARGS: { noinput: true } } }
  const example = useExample(t, { processes })
  const { code, stderr } = await prodserver(t, ['run', 'migrate'], example)
  assert.equal(code, 0, stderr)
  return readFileSync(databaseOf(example))
}

const databaseOf = (example: Example): string => join(dirname(example.record), 'db.sqlite3')
