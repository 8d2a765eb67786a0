import { longName, type OptionGrammar } from '../args/grammar.ts'
import { joinHostPort, printAddress } from '../core/addresses.ts'
import type {
  Backend,
  Command,
  CommandInput,
  Inherited,
  InheritedSockets,
  ListenInput,
  OptionTokens,
  Workers,
  WorkersInput,
} from './backend.ts'
import { allTokens, isGiven, withoutOptions } from './command-line.ts'

const options: OptionGrammar = {
  // It has some hundred more. `True` switches those on as well, and the words of its configuration files do.
  switches: [
    'auto-procname',
    'catch-exceptions',
    'die-on-term',
    'disable-logging',
    'disable-write-exception',
    'enable-threads',
    'exit-on-reload',
    'harakiri-verbose',
    'help',
    'http-auto-chunked',
    'ignore-sigpipe',
    'ignore-write-errors',
    'lazy-apps',
    'log-4xx',
    'log-5xx',
    'log-master',
    'log-x-forwarded-for',
    'manage-script-name',
    'master',
    'memory-report',
    'no-orphans',
    'reuse-port',
    'single-interpreter',
    'so-keepalive',
    'strict',
    'tcp-nodelay',
    'thunder-lock',
    'vacuum',
    'version',
  ],
  optionalValues: ['need-app', 'http-keepalive', 'log-date', 'log-prefix', 'mule', 'chmod-socket'],
  trueMeansOn: true,
  repeatable: [
    'http-socket',
    'http11-socket',
    'socket',
    'uwsgi-socket',
    'http',
    'env',
    'pythonpath',
    'mount',
    'import',
    'static-map',
    'static-index',
    'add-header',
    'attach-daemon',
    'cron',
    'mule',
    'spooler',
    'touch-reload',
    'hook-master-start',
  ],
  short: {
    C: 'chmod-socket',
    H: 'virtualenv',
    L: 'disable-logging',
    M: 'master',
    Q: 'spooler',
    R: 'max-requests',
    T: 'enable-threads',
    b: 'buffer-size',
    d: 'daemonize',
    h: 'help',
    i: 'single-interpreter',
    l: 'listen',
    m: 'memory-report',
    p: 'processes',
    s: 'socket',
    t: 'harakiri',
    w: 'module',
    z: 'socket-timeout',
  },
  aliases: { bind: 'http-socket' },
}

/** What opens sockets that can be handed over instead, and what opens others. */
const SOCKETS = ['http-socket', 'http11-socket', 'socket', 'uwsgi-socket']
const ROUTERS = [
  'http',
  'https',
  'http-to',
  'https-socket',
  'fastcgi-socket',
  'scgi-socket',
  'shared-socket',
  'protocol',
]
const CONFIGURATIONS = ['ini', 'xml', 'yaml', 'yml', 'json', 'config', 'emperor']

// Only with a master does it replace workers, and wait for them. Without an application it would go on and answer 500.
// By itself it lets no request end at TERM, whatever it is told.
const GRACEFUL = 'unix_signal:15 gracefully_kill_them_all'
const defaults = { master: true, 'need-app': true, 'hook-master-start': GRACEFUL } as const

// Two copies cannot share these, and what has gone to the background cannot be stopped.
const NOT_TWICE = [
  'daemonize',
  'daemonize2',
  'master-fifo',
  'pidfile',
  'pidfile2',
  'reuse-port',
  'safe-pidfile',
  'safe-pidfile2',
  'stats',
]

// What does not speak HTTP says in its log that it has loaded the application; it may have been told to log elsewhere.
const STARTED = { defaults, ready: { log: 'WSGI app \\d+ .* ready in', delay: 10_000 } } as const
const byItself = (what: string) =>
  ({ defaults, reload: 'restart', restartReason: `uWSGI opens what ${what} says, so a reload is a restart` }) as const

export const uwsgi: Backend = {
  name: 'uwsgi',
  title: 'uWSGI',
  summary: 'WSGI server in C, from the package `pyuwsgi` or `uWSGI`, which must be of the very Python of the project.',
  kind: 'web',
  paths: ['prodserver.backends.uwsgi.UWSGIServer'],
  app: 'wsgi',
  // Both packages bring this module.
  python: { module: 'uwsgidecorators', package: 'pyuwsgi' },
  options,
  parser: 'uwsgi',
  files: {
    reads: ['wsgi-file'],
    writes: ['logto', 'logto2'],
    owns: ['pidfile', 'pidfile2', 'safe-pidfile', 'safe-pidfile2', 'master-fifo'],
  },
  defaults: { ...defaults, 'http-socket': '127.0.0.1:8000' },
  variants: {
    'http11-socket': { '*': { defaults } },
    ...Object.fromEntries(
      CONFIGURATIONS.map((name) => [name, { '*': { ...STARTED, ...byItself('its configuration') } }]),
    ),
    ...Object.fromEntries(ROUTERS.map((name) => [name, { '*': { ...STARTED, ...byItself(`--${name}`) } }])),
    http: { '*': byItself('--http') },
    socket: { '*': STARTED },
    'uwsgi-socket': { '*': STARTED },
  },
  example: { 'http-socket': '0.0.0.0:8000', processes: 4, threads: 2, harakiri: 60 },
  command,
  inherit,
  listen,
  workers,
  ready: { http: '/' },
  // It waits a minute for a worker, unless --worker-reload-mercy says otherwise.
  stop: { signal: 'TERM', timeoutMs: 65_000 },
  reload: 'rolling',
  notTwice: NOT_TWICE,
}

/** The application comes first, so that a `module` of the declaration is another one. */
function command(input: CommandInput): Command {
  const { app, extra } = input
  const given = allTokens(input.options)
  // One of its own is beside ours, not in its place.
  const isReplaced = isGiven(['hook-master-start'], input, options) && !given.some((token) => token.endsWith(GRACEFUL))
  const hook = isReplaced ? [`--hook-master-start=${GRACEFUL}`] : []
  return { program: 'uwsgi', beside: true, args: [...app.flatMap((word) => ['-w', word]), ...hook, ...given, ...extra] }
}

function inherit(input: CommandInput, { listen, probe }: InheritedSockets): Inherited | undefined {
  const refused = [...NOT_TWICE, ...ROUTERS, ...CONFIGURATIONS]
  const onCommandLine = { ...input, options: [] }
  if (isGiven(refused, input, options) || isGiven(SOCKETS, onCommandLine, options)) return undefined
  const kinds = SOCKETS.flatMap((socket) =>
    input.options
      .filter(({ name }) => full(name) === socket)
      .flatMap(({ tokens }) => valuesOf(tokens).map(() => socket)),
  )
  // One of them has no address: it is a socket that somebody else has opened, or none of the file system.
  if (kinds.length > listen.length) return undefined
  const fds = listen.map((fd, index) => `--${kinds[index] ?? 'http-socket'}=fd://${fd}`)
  const sockets = probe === undefined ? fds : [...fds, `--http-socket=fd://${probe}`]
  // The paths of Unix sockets belong to whoever has bound them.
  const rest = withoutOptions([...SOCKETS, 'vacuum'], input, options)
  return {
    command: command({ ...rest, options: [{ name: 'http-socket', tokens: sockets }, ...rest.options] }),
    listening: true,
    unaided: true,
  }
}

const full = (name: string): string => longName(name, options)

/** A letter has its value as a token of its own. */
const valuesOf = (tokens: OptionTokens['tokens']): readonly string[] =>
  tokens.filter((token) => token.startsWith('--') || !token.startsWith('-'))

/** In the order in which the sockets are handed over. */
function listen({ values }: ListenInput): readonly string[] {
  return [...SOCKETS, 'http'].flatMap((name) => values(name)).flatMap((text) => normalize(text) ?? [])
}

function normalize(text: string): string | undefined {
  if (text.startsWith('fd://') || text.startsWith('=') || text.startsWith('@')) return undefined
  // A path, as everything is that has no port.
  const [, host, port] = /^([^/]*):(\d+)$/.exec(text) ?? []
  if (port === undefined) return printAddress({ path: text })
  return joinHostPort(host === '' || host === '*' ? '0.0.0.0' : (host ?? ''), port)
}

function workers({ values }: WorkersInput): Workers {
  const [processes, own] = [values('processes').at(-1), values('workers').at(-1)]
  return {
    processes: Number(processes ?? own ?? 1) || 1,
    option: processes === undefined && own !== undefined ? 'workers' : 'processes',
    forked: values('lazy-apps').length === 0,
  }
}
