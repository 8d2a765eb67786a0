import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend, CommandInput, Inherited, InheritedSockets, ListenInput, Workers } from './backend.ts'
import { isGiven, pythonModule, withoutOptions } from './command-line.ts'
import { probeVariable } from './inherit.ts'
import { hostAndPort, workersOf } from './option-values.ts'

const options: OptionGrammar = {
  switches: ['reload', 'factory', 'reset-contextvars', 'http2', 'version', 'help'],
  pairs: ['access-log', 'use-colors', 'proxy-headers', 'server-header', 'date-header'],
  booleans: ['ws-per-message-deflate'],
  repeatable: ['reload-dir', 'reload-include', 'reload-exclude', 'header'],
  separators: { 'forwarded-allow-ips': ',' },
  // The names of its Python settings.
  aliases: {
    headers: 'header',
    'reload-dirs': 'reload-dir',
    'reload-includes': 'reload-include',
    'reload-excludes': 'reload-exclude',
  },
}

const ADDRESS = ['host', 'port', 'uds', 'fd']

const inherit =
  (...fixed: readonly string[]) =>
  (input: CommandInput, { listen: [fd], probe }: InheritedSockets): Inherited | undefined => {
    const onCommandLine = { ...input, options: [] }
    if (isGiven(['reload', 'fd'], input, options) || isGiven(ADDRESS, onCommandLine, options)) return undefined
    return {
      command: pythonModule('uvicorn', ...fixed, `--fd=${fd}`)(withoutOptions(ADDRESS, input, options)),
      env: probeVariable(probe),
      // By itself it closes connections that it has accepted, and kept-alive ones, without reading from them again.
      runner: true,
      unaided: true,
    }
  }

const shared = {
  title: 'uvicorn',
  kind: 'web',
  python: { module: 'uvicorn', package: 'uvicorn', oldest: '0.34.0' },
  options,
  parser: 'click uvicorn.main:main',
  files: { reads: ['ssl-keyfile', 'ssl-certfile', 'ssl-ca-certs'], writes: ['uds'] },
  addons: {
    loop: { uvloop: { module: 'uvloop', package: 'uvloop' } },
    http: { httptools: { module: 'httptools', package: 'httptools' } },
    ws: {
      websockets: { module: 'websockets', package: 'websockets' },
      wsproto: { module: 'wsproto', package: 'wsproto' },
    },
  },
  listen: hostAndPort('127.0.0.1', '8000', 'uds'),
  workers: (input: ListenInput): Workers => {
    const most = Number(input.values('limit-concurrency').at(-1))
    const known = workersOf('workers', 'UVICORN_WORKERS', 'WEB_CONCURRENCY')(input)
    return most > 0 ? { ...known, connections: { most, option: 'limit-concurrency' } } : known
  },
  ready: { http: '/' },
  stop: { signal: 'TERM', timeoutMs: 30_000, grace: { option: 'timeout-graceful-shutdown', unitMs: 1000 } },
  reload: 'rolling',
} as const

export const uvicorn: Backend = {
  ...shared,
  name: 'uvicorn',
  summary: 'ASGI server.',
  paths: [
    'django_prodserver.backends.uvicorn.UvicornServer',
    'django_prodserver.backends.servers.uvicorn.UvicornServer',
  ],
  app: 'asgi',
  example: { host: '0.0.0.0', port: 8000, workers: 4, 'log-level': 'info' },
  command: pythonModule('uvicorn'),
  inherit: inherit(),
}

// Without the flag a WSGI application starts, and every request is answered by 500.
export const uvicornWsgi: Backend = {
  ...shared,
  name: 'uvicorn-wsgi',
  summary: 'uvicorn with a WSGI application.',
  paths: [
    'django_prodserver.backends.uvicorn.UvicornWSGIServer',
    'django_prodserver.backends.servers.uvicorn.UvicornWSGIServer',
  ],
  app: 'wsgi',
  example: { host: '0.0.0.0', port: 8000 },
  command: pythonModule('uvicorn', '--interface=wsgi'),
  inherit: inherit('--interface=wsgi'),
}
