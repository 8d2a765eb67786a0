import type { OptionGrammar } from '../args/grammar.ts'
import { joinHostPort } from '../core/addresses.ts'
import type { Backend, ListenInput } from './backend.ts'
import { pythonModule } from './command-line.ts'
import { inheritThroughRunner } from './inherit.ts'
import { hostAndPort } from './option-values.ts'

const options: OptionGrammar = {
  switches: ['call', 'help'],
  pairs: [
    'ipv4',
    'ipv6',
    'log-untrusted-proxy-headers',
    'clear-untrusted-proxy-headers',
    'log-socket-errors',
    'expose-tracebacks',
    'asyncore-use-poll',
  ],
  repeatable: ['listen'],
  separators: { 'trusted-proxy-headers': ' ' },
}

const command = pythonModule('waitress')

export const waitress: Backend = {
  name: 'waitress',
  title: 'waitress',
  summary: 'WSGI server in pure Python: one process, threads.',
  kind: 'web',
  paths: [
    'django_prodserver.backends.waitress.WaitressServer',
    'django_prodserver.backends.servers.waitress.WaitressServer',
  ],
  app: 'wsgi',
  python: { module: 'waitress', package: 'waitress', oldest: '3.0.0' },
  options,
  parser: 'waitress',
  files: { writes: ['unix-socket'] },
  example: { host: '0.0.0.0', port: 8080, threads: 4 },
  command,
  inherit: inheritThroughRunner(options, ['host', 'port', 'listen', 'unix-socket'], [])(command),
  listen,
  workers: ({ values }) => ({
    processes: 1,
    connections: { most: Number(values('connection-limit').at(-1) ?? 100), option: 'connection-limit' },
  }),
  ready: { http: '/' },
  // It has no handler for TERM and dies with the requests it is answering. After INT it waits 5 s for them, and for all
  // of them where it runs on sockets that it was given.
  stop: { signal: 'INT', timeoutMs: 30_000 },
  reload: 'rolling',
}

function listen(input: ListenInput): readonly string[] {
  const listens = input.values('listen')
  if (listens.length === 0) return hostAndPort('0.0.0.0', '8080', 'unix-socket')(input)
  return listens
    .flatMap((text) => text.split(/\s+/))
    .map((text) => {
      const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? []
      return joinHostPort(!host || host === '*' ? '0.0.0.0' : host, port ?? '8080')
    })
}
