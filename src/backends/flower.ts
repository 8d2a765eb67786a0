import type { OptionGrammar } from '../args/grammar.ts'
import { joinHostPort, printAddress } from '../core/addresses.ts'
import { type Backend, type ListenInput } from './backend.ts'
import { celeryCommand, globalShort, globalSwitches } from './celery.ts'

const options: OptionGrammar = {
  switches: [...globalSwitches, 'help'],
  // Words after `=` as for its other options: it does not know a `--no-` form.
  booleans: [
    'debug',
    'persistent',
    'xheaders',
    'auto-refresh',
    'enable-events',
    'natural-time',
    'read-only',
    'log-to-stderr',
  ],
  separators: { 'basic-auth': ',', 'task-runtime-metric-buckets': ',' },
  short: globalShort,
  aliases: { host: 'address', bind: 'address', 'log-level': 'logging', loglevel: 'logging' },
}

export const flower: Backend = {
  name: 'flower',
  title: 'flower',
  summary:
    'Web page that shows what Celery workers do. It answers on all interfaces, without a password unless one is set.',
  kind: 'web',
  paths: ['prodserver.backends.flower.FlowerServer'],
  app: 'celery',
  appExample: 'myproject.celery.app',
  python: { module: 'flower', package: 'flower', oldest: '2.0.1' },
  options,
  parser: 'flower',
  files: {
    reads: ['conf', 'certfile', 'keyfile', 'ca-certs'],
    writes: ['unix-socket', 'log-file-prefix'],
    owns: ['db'],
  },
  example: { address: '127.0.0.1', port: 5555, 'url-prefix': 'flower' },
  command: celeryCommand('flower'),
  listen,
  // It answers there without a login, and also while the broker is down.
  ready: { http: '/healthcheck' },
  // While the broker is down it waits for its threads.
  stop: { signal: 'TERM', timeoutMs: 20_000 },
  reload: 'restart',
  restartReason: 'flower opens its own socket, so a reload is a restart',
}

function listen({ values, env }: ListenInput): readonly string[] {
  const last = (name: string): string | undefined =>
    values(name).at(-1) ?? (env[`FLOWER_${name.toUpperCase().replaceAll('-', '_')}`] || undefined)
  const socket = last('unix-socket')
  return socket
    ? [printAddress({ path: socket })]
    : [joinHostPort(last('address') || '0.0.0.0', last('port') ?? '5555')]
}
