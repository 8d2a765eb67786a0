import type { OptionGrammar } from '../args/grammar.ts'
import { joinHostPort, printAddress } from '../core/addresses.ts'
import { compact } from '../core/lists.ts'
import type { Backend, CommandInput, Inherited, InheritedSockets, ListenInput } from './backend.ts'
import { isGiven, pythonModule, withoutOptions } from './command-line.ts'
import { probeVariable } from './inherit.ts'

const options: OptionGrammar = {
  switches: ['proxy-headers', 'help'],
  negatives: { 'server-name': 'no-server-name' },
  repeatable: ['endpoint'],
  short: {
    b: 'bind',
    e: 'endpoint',
    h: 'help',
    p: 'port',
    s: 'server-name',
    t: 'http-timeout',
    u: 'unix-socket',
    v: 'verbosity',
  },
  aliases: {
    // The names of its server in Python.
    host: 'bind',
    'file-descriptor': 'fd',
    'socket-strings': 'endpoint',
    // The flags themselves have the underscore.
    'websocket-timeout': 'websocket_timeout',
    'websocket-connect-timeout': 'websocket_connect_timeout',
  },
}

const ADDRESS = ['bind', 'port', 'unix-socket']
// They name sockets in Twisted's own words, which may say more than an address.
const BY_ITSELF = ['endpoint', 'fd']

export const daphne: Backend = {
  name: 'daphne',
  title: 'daphne',
  summary: 'ASGI server of the Channels project: one process, HTTP and WebSocket.',
  kind: 'web',
  paths: ['prodserver.backends.daphne.DaphneServer'],
  app: 'asgi',
  python: { module: 'daphne', package: 'daphne', oldest: '4.0.0' },
  options,
  parser: 'daphne',
  files: { writes: ['access-log', 'unix-socket'] },
  example: { bind: '0.0.0.0', port: 8000 },
  command: pythonModule('daphne'),
  inherit,
  listen,
  ready: { http: '/' },
  // By itself it drops the requests that it is answering; on sockets that it was given it answers them first.
  stop: { signal: 'TERM', timeoutMs: 30_000 },
  reload: 'rolling',
  notTwice: BY_ITSELF,
}

function inherit(input: CommandInput, { listen, probe }: InheritedSockets): Inherited | undefined {
  const onCommandLine = { ...input, options: [] }
  if (isGiven(BY_ITSELF, input, options) || isGiven(ADDRESS, onCommandLine, options)) return undefined
  const fds = (probe === undefined ? listen : [...listen, probe]).map((fd) => `--endpoint=fd:fileno=${fd}`)
  return {
    command: pythonModule('daphne', ...fds)(withoutOptions(ADDRESS, input, options)),
    env: probeVariable(probe),
    // By itself it takes every socket for one of IPv4, and drops the requests that it is answering when it stops.
    runner: true,
    listening: true,
  }
}

function listen({ values }: ListenInput): readonly string[] {
  const [host, port, socket] = ADDRESS.map((name) => values(name).at(-1))
  const others = values('endpoint')
  const isDefault = socket === undefined && others.length === 0 && values('fd').length === 0
  const hasAddress = host !== undefined || port !== undefined || isDefault
  return compact([
    hasAddress && joinHostPort(host ?? '127.0.0.1', port ?? '8000'),
    socket !== undefined && printAddress({ path: socket }),
    ...others.map(ofEndpoint),
  ])
}

/** What one of Twisted's endpoints listens on, such as `tcp:8000:interface=127.0.0.1`, where it says so. */
function ofEndpoint(text: string): string | undefined {
  const [kind, ...parts] = text.split(/(?<!\\):/).map((part) => part.replaceAll('\\', ''))
  const named = (name: string): string | undefined =>
    parts.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1)
  const first = parts[0]?.includes('=') ? undefined : parts[0]
  if (kind === 'unix') return printAddress({ path: named('address') ?? first ?? '' })
  const port = named('port') ?? first
  if (!(kind === 'tcp' || kind === 'tcp6' || kind === 'ssl') || port === undefined) return undefined
  return joinHostPort(named('interface') || (kind === 'tcp6' ? '::' : '0.0.0.0'), port)
}
