import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend } from './backend.ts'
import { allTokens, managementCommand } from './command-line.ts'
import { djangoOptions } from './django-command.ts'

const lists = { queues: ', ', path: ':' } as const
const short = { p: 'processes', t: 'threads', P: 'path', Q: 'queues' } as const
const aliases = { queue: 'queues', pidfile: 'pid-file', logfile: 'log-file' } as const

/** What holds for both commands: one becomes the other. */
const worker = {
  kind: 'worker',
  files: { writes: ['log-file'], owns: ['pid-file'] },
  // Logged by each of its processes; not where the log goes to a file, or LOGGING hides it.
  ready: { log: 'Worker process is ready for action', delay: 10_000 },
  // Its own end of the wait is after ten minutes. A second signal would end the jobs that are running.
  stop: { signal: 'TERM', timeoutMs: 630_000, grace: { option: 'worker-shutdown-timeout', unitMs: 1 } },
  reload: 'rolling',
  // Refused while another process of that file lives.
  notTwice: ['pid-file'],
  example: { processes: 2, threads: 8, queues: 'default,mail' },
} as const

export const djangoDramatiq: Backend = {
  ...worker,
  name: 'django-dramatiq',
  title: 'django-dramatiq',
  summary: 'Dramatiq workers for the `tasks` of all apps, found by django_dramatiq (`rundramatiq`).',
  python: {
    module: 'django_dramatiq',
    package: 'django-dramatiq',
    oldest: '0.12.0',
    installedApps: ['django_dramatiq'],
  },
  queues: { library: 'dramatiq', option: 'queues', broker: 'DRAMATIQ_BROKER' },
  options: {
    ...djangoOptions,
    switches: [...djangoOptions.switches, 'skip-logging', 'reload', 'reload-use-polling', 'use-spawn', 'use-gevent'],
    repeatable: ['fork-function'],
    lists,
    short: { ...djangoOptions.short, ...short },
    aliases,
    hyphenate: true,
  },
  parser: 'django rundramatiq',
  command: managementCommand('rundramatiq'),
}

const options: OptionGrammar = {
  switches: ['skip-logging', 'use-spawn', 'watch-use-polling', 'verbose', 'version', 'help'],
  repeatable: ['fork-function', 'watch-include', 'watch-exclude'],
  lists,
  short: { ...short, f: 'fork-function', i: 'watch-include', x: 'watch-exclude', v: 'verbose', h: 'help' },
  aliases,
}

export const dramatiq: Backend = {
  ...worker,
  name: 'dramatiq',
  title: 'dramatiq',
  summary: 'Dramatiq workers for the modules in `APP`: the first has the broker, and all are imported.',
  app: 'words',
  appExample: 'mysite.broker mysite.tasks',
  python: { module: 'dramatiq', package: 'dramatiq', oldest: '1.17.0' },
  options,
  parser: 'argparse dramatiq.cli:make_argument_parser',
  // A list of queues would swallow the modules after it.
  command: (input) => ({
    program: 'python',
    args: ['-m', 'dramatiq', ...input.app, ...allTokens(input.options), ...input.extra],
  }),
}
