import type { OptionGrammar } from '../args/grammar.ts'
import type { Backend } from './backend.ts'
import { pythonModule } from './command-line.ts'
import { inheritThroughRunner } from './inherit.ts'
import { hostAndPort, workersOf } from './option-values.ts'

const options: OptionGrammar = {
  switches: ['version', 'help'],
  pairs: [
    'ws',
    'http1-keep-alive',
    'http1-pipeline-flush',
    'http2-adaptive-window',
    'log',
    'access-log',
    'ssl-client-verify',
    'respawn-failed-workers',
    'factory',
    'metrics',
    'reload',
    'reload-ignore-worker-failure',
  ],
  repeatable: [
    'ssl-crl',
    'env-files',
    'static-path-route',
    'static-path-mount',
    'reload-paths',
    'reload-ignore-dirs',
    'reload-ignore-patterns',
    'reload-ignore-paths',
  ],
  // The names of its Python constructor, which the original passes them to.
  aliases: {
    address: 'host',
    'log-access': 'access-log',
    'log-access-format': 'access-log-fmt',
    'log-enabled': 'log',
    'metrics-enabled': 'metrics',
    websockets: 'ws',
    'ssl-cert': 'ssl-certificate',
    'ssl-key': 'ssl-keyfile',
    'ssl-key-password': 'ssl-keyfile-password',
    threads: 'blocking-threads',
  },
}

// Two copies cannot share a pid file; one that watches files replaces its workers itself.
const inherit = inheritThroughRunner(options, ['host', 'port', 'uds'], ['pid-file', 'reload'])
const [wsgiCommand, asgiCommand] = [
  pythonModule('granian', '--interface=wsgi'),
  pythonModule('granian', '--interface=asgi'),
]

const shared = {
  title: 'granian',
  kind: 'web',
  parser: 'click granian.cli:cli',
  // Its workers are handed their sockets in another way before.
  inheritSince: '2.8',
  files: { writes: ['uds'], owns: ['pid-file'] },
  addons: {
    loop: { uvloop: { module: 'uvloop', package: 'uvloop' }, rloop: { module: 'rloop', package: 'rloop' } },
  },
  python: { module: 'granian', package: 'granian', oldest: '2.7.9' },
  listen: hostAndPort('127.0.0.1', '8000', 'uds'),
  workers: workersOf('workers', 'GRANIAN_WORKERS'),
  ready: { http: '/' },
  // It waits for its workers without limit, so the limit is ours.
  stop: { signal: 'TERM', timeoutMs: 30_000, grace: { option: 'workers-kill-timeout', unitMs: 1000 } },
  reload: 'rolling',
} as const

// Its interface defaults to RSGI, which Django does not speak, so it is always given.
export const granianWsgi: Backend = {
  ...shared,
  name: 'granian-wsgi',
  summary: 'WSGI on a server written in Rust.',
  paths: [
    'django_prodserver.backends.granian.GranianWSGIServer',
    'django_prodserver.backends.servers.granian.GranianWSGIServer',
  ],
  app: 'wsgi',
  options,
  example: { address: '0.0.0.0', port: 8000, workers: 4, threads: 2 },
  command: wsgiCommand,
  inherit: inherit(wsgiCommand),
}

export const granianAsgi: Backend = {
  ...shared,
  name: 'granian-asgi',
  summary: 'ASGI on a server written in Rust.',
  paths: [
    'django_prodserver.backends.granian.GranianASGIServer',
    'django_prodserver.backends.servers.granian.GranianASGIServer',
  ],
  app: 'asgi',
  options: {
    ...options,
    aliases: { ...options.aliases, threads: 'runtime-threads' },
    // An ASGI application runs in the event loop; the threads that people mean are those of the server's runtime.
    substitutes: {
      'blocking-threads': {
        name: 'runtime-threads',
        unless: '1',
        reason: 'granian refuses more than one blocking thread for ASGI',
      },
    },
  },
  example: { address: '0.0.0.0', port: 8000, workers: 4 },
  command: asgiCommand,
  inherit: inherit(asgiCommand),
}
