import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend, OptionTokens } from './backend.ts'
import { allTokens } from './command-line.ts'
import { djangoOptions } from './django-command.ts'

/** Options of every Django command. After the sub-command they are an error. */
const GLOBAL = new Set([
  ...djangoOptions.switches.filter((name) => name !== 'help'),
  'verbosity',
  'settings',
  'pythonpath',
])

const options: OptionGrammar = {
  ...djangoOptions,
  switches: [...djangoOptions.switches, 'wait', 'one-shot'],
  pairs: ['listen-notify'],
  separators: { queues: ',' },
  short: {
    h: 'help',
    n: 'name',
    q: 'queues',
    c: 'concurrency',
    p: 'fetch-job-polling-interval',
    a: 'abort-job-polling-interval',
    w: 'wait',
    l: 'listen-notify',
  },
  aliases: { queue: 'queues' },
  hyphenate: true,
}

const isGlobal = ({ name }: OptionTokens): boolean => GLOBAL.has(name)

export const procrastinate: Backend = {
  name: 'procrastinate',
  title: 'procrastinate',
  summary:
    'Procrastinate worker (`procrastinate worker`), with PostgreSQL as the queue; starts periodic tasks as well.',
  kind: 'worker',
  python: {
    module: 'procrastinate',
    package: 'procrastinate',
    oldest: '3.0.0',
    installedApps: ['procrastinate.contrib.django'],
  },
  queues: { library: 'procrastinate', option: 'queues' },
  options,
  parser: 'django procrastinate worker',
  example: { concurrency: 4, queues: 'default,mail' },
  command: ({ options: given, extra, django }) => {
    const before = [...django, ...allTokens(given.filter(isGlobal))]
    const after = [...allTokens(given.filter((option) => !isGlobal(option))), ...extra]
    return { program: 'python', args: ['-m', 'django', 'procrastinate', ...before, 'worker', ...after] }
  },
  // Printed, whatever is logged.
  ready: { log: 'Launching a worker on' },
  // The first signal takes the handlers away: a second one would end it at once, with the jobs that are running.
  stop: { signal: 'TERM', timeoutMs: 300_000 },
  reload: 'rolling',
}
