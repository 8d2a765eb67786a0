import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend, Command, CommandInput } from './backend.ts'
import { managementCommand, wordsLast } from './command-line.ts'
import { djangoOptions } from './django-command.ts'

const python = { module: 'django_rq', package: 'django-rq', oldest: '4.0.0', installedApps: ['django_rq'] } as const

/** Queue names are words without a flag. In ARGS they are `queues`. */
const positionals = { queues: ', ' } as const

const workerOptions: OptionGrammar = {
  ...djangoOptions,
  switches: [...djangoOptions.switches, 'burst', 'with-scheduler'],
  positionals,
  aliases: { queue: 'queues' },
  hyphenate: true,
}

const cronOptions: OptionGrammar = {
  ...djangoOptions,
  short: { ...djangoOptions.short, l: 'logging-level' },
  aliases: { loglevel: 'logging-level', 'log-level': 'logging-level' },
  hyphenate: true,
}

const rqOptions: OptionGrammar = {
  switches: [
    'burst',
    'disable-job-desc-logging',
    'verbose',
    'quiet',
    'disable-default-exception-handler',
    'with-scheduler',
    'help',
  ],
  repeatable: ['exception-handler', 'path'],
  positionals,
  short: {
    b: 'burst',
    n: 'name',
    v: 'verbose',
    q: 'quiet',
    d: 'disable-default-exception-handler',
    s: 'with-scheduler',
    u: 'url',
    c: 'config',
    w: 'worker-class',
    j: 'job-class',
    P: 'path',
    S: 'serializer',
  },
  aliases: {
    queue: 'queues',
    'logging-level': 'logging_level',
    'log-level': 'logging_level',
    loglevel: 'logging_level',
    ds: 'dequeue-strategy',
  },
}

/** What holds for every worker: each job runs in a process of its own, in a group of its own. */
const worker = {
  kind: 'worker',
  // Logged at INFO, which options and LOGGING can hide: where the log does not tell, the time must.
  ready: { log: 'Listening on', delay: 10_000 },
  // A second signal would kill the job that is running.
  stop: { signal: 'TERM', timeoutMs: 300_000 },
  reload: 'rolling',
  // Two workers of one name are refused.
  notTwice: ['name'],
  files: { owns: ['pid'] },
} as const

export const djangoRq: Backend = {
  ...worker,
  name: 'django-rq',
  title: 'django-rq',
  summary: 'RQ worker of django-rq (`rqworker`): one job at a time, from the `queues` in their order.',
  python,
  queues: { library: 'rq', option: 'queues', unless: ['default'], broker: 'RQ_QUEUES' },
  options: workerOptions,
  parser: 'django rqworker',
  example: { queues: 'high,default', 'with-scheduler': true },
  command: (input) => ({
    program: 'python',
    args: ['-m', 'django', 'rqworker', ...input.django, ...wordsLast('queues', input, workerOptions)],
  }),
}

export const djangoRqCron: Backend = {
  name: 'django-rq-cron',
  title: 'django-rq cron',
  summary: "django-rq's scheduler of periodic jobs (`rqcron`). There must be one of a schedule.",
  kind: 'scheduler',
  app: 'words',
  appExample: 'mysite/cron.py',
  python,
  options: cronOptions,
  parser: 'django rqcron',
  example: { 'logging-level': 'INFO' },
  command: (input) => {
    const { program, args } = managementCommand('rqcron')(input)
    return { program, args: [...args, ...input.app] }
  },
  ready: { log: 'starting\\.\\.\\.', delay: 10_000 },
  stop: { signal: 'TERM', timeoutMs: 10_000 },
  reload: 'restart',
}

export const rq: Backend = {
  ...worker,
  name: 'rq',
  title: 'rq',
  summary: 'RQ worker without django-rq (`rq worker`): one job at a time, from the `queues` in their order.',
  python: { module: 'rq', package: 'rq', oldest: '2.6.1' },
  options: rqOptions,
  parser: 'click rq.cli:main worker',
  example: { url: 'redis://127.0.0.1:6379/0', queues: 'high,default' },
  command: (input: CommandInput): Command => ({
    program: 'python',
    args: ['-m', 'rq.cli', 'worker', ...wordsLast('queues', input, rqOptions)],
  }),
}
