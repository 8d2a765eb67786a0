import type { OptionGrammar } from '../args/grammar.ts'
import { isUnixAddress, joinHostPort, parseAddress, printAddress } from '../core/addresses.ts'
import type { Backend, CommandInput, Inherited, InheritedSockets, ListenInput } from './backend.ts'
import { isGiven, pythonModule, withoutOptions } from './command-line.ts'
import { workersOf } from './option-values.ts'

const options: OptionGrammar = {
  switches: ['daemon', 'debug', 'reload', 'help'],
  repeatable: ['bind', 'insecure-bind', 'quic-bind', 'server-name'],
  short: {
    b: 'bind',
    c: 'config',
    D: 'daemon',
    g: 'group',
    h: 'help',
    k: 'worker-class',
    m: 'umask',
    p: 'pid',
    u: 'user',
    w: 'workers',
  },
  // The names of its configuration, where the flag has another.
  aliases: {
    accesslog: 'access-logfile',
    'access-log-format': 'access-logformat',
    errorlog: 'error-logfile',
    'keep-alive-timeout': 'keep-alive',
    logconfig: 'log-config',
    loglevel: 'log-level',
    'pid-path': 'pid',
    'server-names': 'server-name',
    'use-reloader': 'reload',
  },
}

export const hypercorn: Backend = {
  name: 'hypercorn',
  title: 'hypercorn',
  summary: 'ASGI server with HTTP/2.',
  kind: 'web',
  paths: ['prodserver.backends.hypercorn.HypercornServer'],
  app: 'asgi',
  python: { module: 'hypercorn', package: 'hypercorn', oldest: '0.17.3' },
  options,
  parser: 'hypercorn',
  files: {
    reads: ['config', 'certfile', 'keyfile', 'ca-certs', 'log-config'],
    writes: ['access-logfile', 'error-logfile'],
    owns: ['pid'],
  },
  addons: {
    'worker-class': { uvloop: { module: 'uvloop', package: 'uvloop' }, trio: { module: 'trio', package: 'trio' } },
  },
  example: { bind: '0.0.0.0:8000', workers: 4 },
  command: pythonModule('hypercorn'),
  inherit,
  listen,
  workers: workersOf('workers'),
  ready: { http: '/' },
  stop: { signal: 'TERM', timeoutMs: 30_000, grace: { option: 'graceful-timeout', unitMs: 1000 } },
  reload: 'rolling',
}

// The runner does not know trio's connections; the others are sockets that it would open itself.
const BY_ITSELF = ['reload', 'insecure-bind', 'quic-bind']

function inherit(input: CommandInput, { listen, probe }: InheritedSockets): Inherited | undefined {
  const onCommandLine = { ...input, options: [] }
  const tokens = input.options.flatMap((option) => option.tokens)
  if (isGiven(BY_ITSELF, input, options) || isGiven(['bind', 'worker-class'], onCommandLine, options)) return undefined
  if (tokens.some((token) => token.includes('fd://') || token.endsWith('trio'))) return undefined
  const fds = (probe === undefined ? listen : [...listen, probe]).map((fd) => `--bind=fd://${fd}`)
  return {
    command: pythonModule('hypercorn', ...fds)(withoutOptions(['bind'], input, options)),
    // By itself it closes connections that wait for their next request, and with several workers those that are served.
    runner: true,
    unaided: true,
  }
}

function listen({ values }: ListenInput): readonly string[] {
  const binds = values('bind')
  return binds.length === 0 ? ['127.0.0.1:8000'] : binds.flatMap((bind) => normalize(bind) ?? [])
}

function normalize(bind: string): string | undefined {
  if (bind.startsWith('fd://')) return undefined
  if (isUnixAddress(bind)) return printAddress(parseAddress(bind))
  const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(bind) ?? []
  return joinHostPort(host || '0.0.0.0', port ?? '8000')
}
