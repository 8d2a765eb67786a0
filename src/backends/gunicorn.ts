import type { OptionGrammar } from '../args/grammar.ts'
import { isUnixAddress, joinHostPort, parseAddress, printAddress } from '../core/addresses.ts'
import type { Backend, CommandInput, Inherited, InheritedSockets, ListenInput, Workers } from './backend.ts'
import { isGiven, pythonModule, withoutOptions } from './command-line.ts'
import { probeVariable } from './inherit.ts'
import { workersOf } from './option-values.ts'

// Where a setting's name is not its flag's, both are taken: people copy names from gunicorn.conf.py.
const options: OptionGrammar = {
  switches: [
    'reload',
    'spew',
    'check-config',
    'print-config',
    'preload',
    'reuse-port',
    'daemon',
    'initgroups',
    'disable-redirect-access-to-syslog',
    'capture-output',
    'log-syslog',
    'enable-stdio-inheritance',
    'enable-backlog-metric',
    'suppress-ragged-eofs',
    'do-handshake-on-connect',
    'permit-obsolete-folding',
    'strip-header-spaces',
    'permit-unconventional-http-method',
    'permit-unconventional-http-version',
    'casefold-http-method',
    'help',
    'version',
  ],
  negatives: { sendfile: 'no-sendfile', 'control-socket-enabled': 'no-control-socket' },
  optionalValues: ['proxy-protocol'],
  repeatable: ['bind', 'env', 'reload-extra-file', 'paste-global', 'dirty-app'],
  separators: {
    'forwarded-allow-ips': ',',
    'proxy-allow-from': ',',
    'uwsgi-allow-from': ',',
    'forwarder-headers': ',',
    'http-protocols': ',',
    pythonpath: ',',
  },
  short: {
    b: 'bind',
    w: 'workers',
    k: 'worker-class',
    t: 'timeout',
    c: 'config',
    D: 'daemon',
    e: 'env',
    p: 'pid',
    u: 'user',
    g: 'group',
    m: 'umask',
    R: 'enable-stdio-inheritance',
    n: 'name',
    h: 'help',
    v: 'version',
  },
  aliases: {
    accesslog: 'access-logfile',
    'access-log-format': 'access-logformat',
    errorlog: 'error-logfile',
    'log-file': 'error-logfile',
    loglevel: 'log-level',
    keepalive: 'keep-alive',
    'preload-app': 'preload',
    'proc-name': 'name',
    pidfile: 'pid',
    'raw-env': 'env',
    logconfig: 'log-config',
    'logconfig-json': 'log-config-json',
    syslog: 'log-syslog',
    'syslog-addr': 'log-syslog-to',
    'syslog-prefix': 'log-syslog-prefix',
    'syslog-facility': 'log-syslog-facility',
    'reload-extra-files': 'reload-extra-file',
    'proxy-allow-ips': 'proxy-allow-from',
    'uwsgi-allow-ips': 'uwsgi-allow-from',
    'raw-paste-global-conf': 'paste-global',
    'dirty-apps': 'dirty-app',
    'control-socket-disable': 'no-control-socket',
    // The flag itself has the underscore.
    'limit-request-field-size': 'limit-request-field_size',
  },
}

const uvicornWorker = { module: 'uvicorn_worker', package: 'uvicorn-worker' } as const
const ofUvicorn = { module: 'uvicorn', package: 'uvicorn' } as const

/** Worker classes that run ASGI applications, by the names that they are given. */
const ASGI_WORKERS = [
  'asgi',
  'gunicorn.workers.gasgi.ASGIWorker',
  'uvicorn_worker.UvicornWorker',
  'uvicorn_worker.UvicornH11Worker',
  'uvicorn.workers.UvicornWorker',
  'uvicorn.workers.UvicornH11Worker',
]

const shared = {
  title: 'gunicorn',
  kind: 'web',
  python: { module: 'gunicorn', package: 'gunicorn', oldest: '23.0.0' },
  options,
  files: {
    reads: ['config', 'certfile', 'keyfile', 'ca-certs', 'log-config', 'log-config-json'],
    writes: ['access-logfile', 'error-logfile'],
    owns: ['pid'],
  },
  addons: {
    'worker-class': {
      'uvicorn_worker.UvicornWorker': uvicornWorker,
      'uvicorn_worker.UvicornH11Worker': uvicornWorker,
      'uvicorn.workers.UvicornWorker': ofUvicorn,
      'uvicorn.workers.UvicornH11Worker': ofUvicorn,
    },
  },
  command: pythonModule('gunicorn'),
  inherit,
  listen,
  workers,
  ready: { http: '/' },
  // Its own --graceful-timeout is 30 s; ours must not cut that short.
  stop: { signal: 'TERM', timeoutMs: 35_000, grace: { option: 'graceful-timeout', unitMs: 1000 } },
  reload: 'rolling',
} as const

const forAsgi = { app: 'asgi', parser: 'gunicorn asgi' } as const

export const gunicorn: Backend = {
  ...shared,
  name: 'gunicorn',
  summary: 'WSGI server with worker processes. With a worker class for ASGI it runs the ASGI application.',
  paths: [
    'django_prodserver.backends.gunicorn.GunicornServer',
    'django_prodserver.backends.servers.gunicorn.GunicornServer',
  ],
  app: 'wsgi',
  parser: 'gunicorn wsgi',
  example: { bind: '0.0.0.0:8000', workers: 4, timeout: 60 },
  // Such a worker starts with a WSGI application, and answers every request with 500.
  variants: { 'worker-class': Object.fromEntries(ASGI_WORKERS.map((name) => [name, forAsgi])) },
}

export const gunicornAsgi: Backend = {
  ...shared,
  ...forAsgi,
  name: 'gunicorn-asgi',
  summary: "gunicorn with an ASGI application: its own worker class `asgi`, uvicorn's, or one of the project's own.",
  paths: ['prodserver.backends.gunicorn.GunicornASGIServer'],
  defaults: { 'worker-class': 'asgi' },
  example: { bind: '0.0.0.0:8000', workers: 4, 'worker-class': 'uvicorn_worker.UvicornWorker' },
}

// Two copies cannot share a pid file, and what has gone to the background cannot be stopped.
const NOT_TWICE = ['daemon', 'pid', 'reuse-port']

function inherit(input: CommandInput, { listen, probe }: InheritedSockets): Inherited | undefined {
  const binds = input.options.filter(({ name }) => name === 'bind' || name === 'b').flatMap(({ tokens }) => tokens)
  const onCommandLine = { ...input, options: [] }
  if (isGiven(NOT_TWICE, input, options) || isGiven(['bind'], onCommandLine, options)) return undefined
  if (binds.some((token) => token.includes('fd://'))) return undefined
  // A service manager tells of its sockets in LISTEN_FDS, and one that is named here as well would be taken twice.
  if (probe === undefined) return { command: pythonModule('gunicorn')(input), unaided: true }
  const fds = [...listen, probe].map((fd) => `--bind=fd://${fd}`)
  return {
    command: pythonModule('gunicorn', ...fds)(withoutOptions(['bind'], input, options)),
    env: probeVariable(probe),
    // By itself it deletes the paths of Unix sockets when it stops, though the next copy serves on them.
    runner: true,
  }
}

function listen({ values, env }: ListenInput): readonly string[] {
  const binds = values('bind')
  if (binds.length > 0) return binds.flatMap((bind) => normalize(bind) ?? [])
  return [env['PORT'] ? `0.0.0.0:${env['PORT']}` : '127.0.0.1:8000']
}

/** Those that hold more than one connection at once. */
const MANY = /^(gthread|gevent|eventlet|tornado|asgi)/

function workers(input: ListenInput): Workers {
  const { values } = input
  const isMany = MANY.test(values('worker-class').at(-1) ?? '') || Number(values('threads').at(-1)) > 1
  const known = { ...workersOf('workers', 'WEB_CONCURRENCY')(input), forked: values('preload').length > 0 }
  if (!isMany) return known
  const most = Number(values('worker-connections').at(-1) ?? 1000)
  return { ...known, connections: { most, option: 'worker-connections' } }
}

function normalize(bind: string): string | undefined {
  if (bind.startsWith('fd://')) return undefined
  if (isUnixAddress(bind)) return printAddress(parseAddress(bind))
  const [, host, port] = /^(?:tcp:\/\/)?(.*?)(?::(\d+))?$/.exec(bind) ?? []
  // gunicorn's own reading: a bare number is a port, a missing port is 8000.
  return port === undefined && /^\d+$/.test(bind) ? `0.0.0.0:${bind}` : joinHostPort(host || '0.0.0.0', port ?? '8000')
}
