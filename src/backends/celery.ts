import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend, Command, CommandInput, OptionTokens, Workers, WorkersInput } from './backend.ts'
import { allTokens } from './command-line.ts'

/** Options of `celery` itself. After the sub-command they are an error. */
const GLOBAL = new Set([
  'app',
  'broker',
  'result-backend',
  'loader',
  'config',
  'workdir',
  'version',
  'no-color',
  'quiet',
  'skip-checks',
  'A',
  'b',
  'C',
  'q',
])

/** Those of them that take no value, and their letters. */
export const globalSwitches = ['no-color', 'quiet', 'version', 'skip-checks'] as const
const GLOBAL_SWITCHES = new Set<string>([...globalSwitches, 'C', 'q'])
export const globalShort = { A: 'app', b: 'broker', C: 'no-color', q: 'quiet' } as const
const python = { module: 'celery', package: 'celery', oldest: '5.4.0' } as const

const workerOptions: OptionGrammar = {
  switches: [
    ...globalSwitches,
    'detach',
    'disable-prefetch',
    'task-events',
    'events',
    'purge',
    'discard',
    'without-gossip',
    'without-mingle',
    'without-heartbeat',
    'beat',
    'help',
  ],
  separators: { queues: ',', 'exclude-queues': ',', include: ',' },
  short: {
    ...globalShort,
    n: 'hostname',
    D: 'detach',
    S: 'statedb',
    l: 'loglevel',
    O: 'optimization',
    c: 'concurrency',
    P: 'pool',
    E: 'task-events',
    Q: 'queues',
    X: 'exclude-queues',
    I: 'include',
    B: 'beat',
    s: 'schedule-filename',
    f: 'logfile',
  },
  aliases: { 'log-level': 'loglevel', 'log-file': 'logfile', queue: 'queues', 'pid-file': 'pidfile' },
}

const beatOptions: OptionGrammar = {
  switches: [...globalSwitches, 'detach', 'help'],
  pairs: ['enable-remote-control'],
  short: { ...globalShort, s: 'schedule', S: 'scheduler', n: 'hostname', l: 'loglevel', f: 'logfile' },
  aliases: { 'log-level': 'loglevel', 'log-file': 'logfile', 'pid-file': 'pidfile' },
}

export const celeryWorker: Backend = {
  name: 'celery-worker',
  title: 'celery worker',
  summary: 'Celery worker.',
  kind: 'worker',
  paths: ['django_prodserver.backends.celery.CeleryWorker', 'django_prodserver.backends.workers.celery.CeleryWorker'],
  app: 'celery',
  appExample: 'myproject.celery.app',
  python,
  options: workerOptions,
  parser: 'click celery.bin.celery:celery worker',
  files: { writes: ['logfile'], owns: ['pidfile', 'statedb', 'schedule-filename'] },
  addons: {
    pool: { gevent: { module: 'gevent', package: 'gevent' }, eventlet: { module: 'eventlet', package: 'eventlet' } },
  },
  example: { concurrency: 4, loglevel: 'info', queues: 'default,mail' },
  command: celeryCommand('worker'),
  workers,
  // "ready." is logged at INFO, and the default level is WARNING: where the log does not tell, the time must.
  ready: { log: 'ready\\.', delay: 5000 },
  // TERM to the main process lets running tasks finish, however long; to the whole group it would kill them.
  stop: { signal: 'TERM', timeoutMs: 300_000 },
  // Two nodes of one name share the work, and are warned of remote control alone.
  reload: 'rolling',
  schedulesWith: 'beat',
  // Files that one process has for itself, and a scheduler inside.
  notTwice: ['pidfile', 'statedb', 'beat', 'schedule-filename', 'detach'],
}

export const celeryBeat: Backend = {
  name: 'celery-beat',
  title: 'celery beat',
  summary: "Celery's scheduler. There must be one of a schedule.",
  kind: 'scheduler',
  paths: ['django_prodserver.backends.celery.CeleryBeat', 'django_prodserver.backends.workers.celery.CeleryBeat'],
  app: 'celery',
  appExample: 'myproject.celery.app',
  python,
  options: beatOptions,
  parser: 'click celery.bin.celery:celery beat',
  files: { writes: ['logfile'], owns: ['pidfile', 'schedule'] },
  example: { loglevel: 'info' },
  command: celeryCommand('beat'),
  ready: { delay: 1000 },
  stop: { signal: 'TERM', timeoutMs: 10_000 },
  reload: 'restart',
}

/** The processes of its pool. The other pools have one, and threads or greenlets in it. */
function workers({ values, processors }: WorkersInput): Workers {
  const [most] = values('autoscale').at(-1)?.split(',') ?? []
  const isForked = ['prefork', 'processes', undefined].includes(values('pool').at(-1))
  const given = most ?? values('concurrency').at(-1)
  // Without a number it asks the machine, not the container.
  const processes = isForked ? Number(given) || processors : 1
  return { processes, option: most === undefined ? 'concurrency' : 'autoscale', forked: isForked }
}

const isGlobal = ({ name }: OptionTokens): boolean => GLOBAL.has(name)

/** `celery -A APP SUB-COMMAND`, with each option on the side of the sub-command that it belongs to. */
export function celeryCommand(subCommand: string): Backend['command'] {
  return ({ app, options, extra, django }: CommandInput): Command => {
    // Django's own options of the same name; celery knows no others of them.
    const shared = django.filter((token) => token === '--skip-checks' || token === '--no-color')
    const given = splitGlobal(extra)
    const before = [...shared, ...allTokens(options.filter(isGlobal)), ...given.before]
    const after = [...allTokens(options.filter((option) => !isGlobal(option))), ...given.after]
    return { program: 'python', args: ['-m', 'celery', '-A', ...app, ...before, subCommand, ...after] }
  }
}

/** What the command line adds, by the side of the sub-command that it belongs to. */
function splitGlobal(tokens: readonly string[]): { before: readonly string[]; after: readonly string[] } {
  const before: string[] = []
  const after: string[] = []
  const queue = [...tokens]
  for (let token = queue.shift(); token !== undefined; token = queue.shift()) {
    const [flag, long, short] = /^(?:--([^=]+)|-([A-Za-z]))/.exec(token) ?? []
    const name = long ?? short ?? ''
    if (!GLOBAL.has(name)) {
      after.push(token)
      continue
    }
    before.push(token)
    // Its value may be the next token.
    if (flag === token && !GLOBAL_SWITCHES.has(name)) before.push(...queue.splice(0, 1))
  }
  return { before, after }
}
