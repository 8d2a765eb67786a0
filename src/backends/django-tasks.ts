import type { Backend } from './backend.ts'
import { allTokens } from './command-line.ts'
import { djangoOptions } from './django-command.ts'

export const djangoTasks: Backend = {
  name: 'django-tasks',
  title: 'django-tasks',
  summary: "Worker of django-tasks' database backend (`db_worker`): one task at a time.",
  kind: 'worker',
  paths: [
    'django_prodserver.backends.django_tasks.DjangoTasksWorker',
    'django_prodserver.backends.workers.django_tasks.DjangoTasksWorker',
  ],
  python: {
    module: 'django_tasks',
    // Django 6 has the rest itself.
    orModule: 'django_tasks_db',
    package: 'django-tasks django-tasks-db',
    oldest: '0.9.0',
    installedApps: ['django_tasks_db', 'django_tasks.backends.database'],
  },
  queues: { library: 'tasks', option: 'queue-name', unless: ['default'] },
  options: {
    ...djangoOptions,
    switches: [...djangoOptions.switches, 'batch', 'no-startup-delay'],
    pairs: ['reload'],
    separators: { 'queue-name': ',', 'exclude-queues': ',' },
    aliases: {
      queue: 'queue-name',
      queues: 'queue-name',
      queue_name: 'queue-name',
      exclude_queues: 'exclude-queues',
      max_tasks: 'max-tasks',
      worker_id: 'worker-id',
      no_startup_delay: 'no-startup-delay',
    },
    missing: {
      processes: 'It runs one task at a time. For more, declare INSTANCES, or start it several times',
      threads: 'It runs one task at a time. For more, declare INSTANCES, or start it several times',
    },
  },
  parser: 'django db_worker',
  example: { 'queue-name': 'default', interval: 1 },
  command: ({ options, extra, django }) => {
    const given = [...options.map(({ name }) => name), ...extra.map((token) => token.replace(/^--/, ''))]
    // By default it reloads when DEBUG is on: a parent then watches files, and a stop kills the task that is running.
    const noReload = given.some((name) => name === 'reload' || name === 'no-reload') ? [] : ['--no-reload']
    return {
      program: 'python',
      args: ['-m', 'django', 'db_worker', ...django, ...noReload, ...allTokens(options), ...extra],
    }
  },
  // Logged at INFO, which `verbosity` and LOGGING can hide.
  ready: { log: 'Starting worker', delay: 10_000 },
  // A second signal would abort the task that is running and mark it as failed, so one must do.
  stop: { signal: 'TERM', timeoutMs: 300_000 },
  reload: 'rolling',
}
