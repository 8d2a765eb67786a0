import { address, type Backend, hostAndPort, type ListenInput, pythonModule } from './backend.ts'

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
  python: { module: 'waitress', package: 'waitress' },
  options: {
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
  },
  example: { host: '0.0.0.0', port: 8080, threads: 4 },
  command: pythonModule('waitress'),
  listen,
  ready: { http: '/' },
  // It has no handler for TERM and dies with the requests it is answering; INT waits up to 5 s for them.
  stop: { signal: 'INT', timeoutMs: 10_000 },
  reload: 'restart',
}

function listen(input: ListenInput): readonly string[] {
  const listens = input.values('listen')
  if (listens.length === 0) return hostAndPort('0.0.0.0', '8080', 'unix-socket')(input)
  return listens
    .flatMap((text) => text.split(/\s+/))
    .map((text) => {
      const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? []
      return address(!host || host === '*' ? '0.0.0.0' : host, port ?? '8080')
    })
}
