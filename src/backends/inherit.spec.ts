import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutOverridden } from '../args/override.ts'
import { translateArgs } from '../args/translate.ts'
import type { Json } from '../core/types.ts'
import type { Inherited } from './backend.ts'
import { BACKENDS, findBackend } from './index.ts'

function inherit(
  name: string,
  args: Json,
  extra: readonly string[] = [],
  listen: readonly number[] = [3],
): Inherited | undefined {
  const backend = findBackend(name) ?? assert.fail(name)
  const grammar = backend.options ?? {}
  const { options } = translateArgs({ args, grammar, place: 'ARGS', program: backend.title })
  const input = { app: ['a:b'], options: withoutOverridden(options, extra, grammar), extra, django: [] }
  return backend.inherit?.(input, { addresses: listen.map((fd) => `a:${fd}`), listen, probe: 9 })
}

const commands: readonly (readonly [
  name: string,
  args: Json,
  command: string,
  env?: string,
  listen?: readonly number[],
])[] = [
  ['gunicorn', {}, 'python -m gunicorn --bind=fd://3 --bind=fd://9 a:b', 'PRODSERVER_PROBE_FD=9'],
  [
    'gunicorn',
    { bind: ':80', w: 4 },
    'python -m gunicorn --bind=fd://3 --bind=fd://9 -w 4 a:b',
    'PRODSERVER_PROBE_FD=9',
  ],
  [
    'gunicorn',
    { bind: ['a:1', 'unix:/run/a'], reload: true },
    'python -m gunicorn --bind=fd://3 --bind=fd://4 --bind=fd://9 --reload a:b',
    'PRODSERVER_PROBE_FD=9',
    [3, 4],
  ],
  ['gunicorn', { b: ':80' }, 'python -m gunicorn --bind=fd://3 --bind=fd://9 a:b', 'PRODSERVER_PROBE_FD=9'],
  [
    'uvicorn',
    { host: 'a', port: 1, workers: 2, reload: false },
    'python -m uvicorn --fd=3 --workers=2 a:b',
    'PRODSERVER_PROBE_FD=9',
  ],
  ['uvicorn-wsgi', { uds: '/run/a' }, 'python -m uvicorn --interface=wsgi --fd=3 a:b', 'PRODSERVER_PROBE_FD=9'],
  ['hypercorn', { bind: ':80', w: 2 }, 'python -m hypercorn --bind=fd://3 --bind=fd://9 -w 2 a:b'],
  [
    'daphne',
    { host: 'a', p: 1, u: '/run/a', 'proxy-headers': true },
    'python -m daphne --endpoint=fd:fileno=3 --endpoint=fd:fileno=4 --endpoint=fd:fileno=9 --proxy-headers a:b',
    'PRODSERVER_PROBE_FD=9',
    [3, 4],
  ],
  [
    'granian-wsgi',
    { address: 'a', port: 1, threads: 2 },
    'python -m granian --interface=wsgi --blocking-threads=2 a:b',
    'PRODSERVER_LISTEN_FDS=3 PRODSERVER_PROBE_FD=9',
  ],
  [
    'granian-asgi',
    { uds: '/run/a' },
    'python -m granian --interface=asgi a:b',
    'PRODSERVER_LISTEN_FDS=3 PRODSERVER_PROBE_FD=9',
  ],
  [
    'waitress',
    { listen: ['a:1', 'b:2'], threads: 8 },
    'python -m waitress --threads=8 a:b',
    'PRODSERVER_LISTEN_FDS=3,4 PRODSERVER_PROBE_FD=9',
    [3, 4],
  ],
  ['waitress', { 'unix-socket': '/run/a' }, 'python -m waitress a:b', 'PRODSERVER_LISTEN_FDS=3 PRODSERVER_PROBE_FD=9'],
  [
    'node',
    { host: '127.0.0.1', port: 3000 },
    'node a:b --host=127.0.0.1 --port=3000',
    'PRODSERVER_NODE_SOCKETS={"listen":{"a:3":3},"probe":9}',
  ],
]

for (const [name, args, line, environment = '', listen] of commands) {
  test(`${name} with ${JSON.stringify(args)} on open sockets is ${line}`, () => {
    const { command, env = {}, runner } = inherit(name, args, [], listen) ?? assert.fail()
    assert.equal([command.program, ...command.args].join(' '), line)
    assert.equal(
      Object.entries(env)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
      environment,
    )
    assert.equal(runner, true)
  })
}

test('uWSGI takes each of its sockets with its own protocol, and the paths of Unix sockets stay', () => {
  const inherited = inherit('uwsgi', { s: ':1', 'http-socket': '/run/a', vacuum: true, p: 2 }, [], [3, 4])
  assert.equal(
    inherited?.command.args.join(' '),
    '-w a:b --http-socket=fd://3 --socket=fd://4 --http-socket=fd://9 -p 2',
  )
  assert.ok(inherited?.listening)
})

const impossible: readonly (readonly [name: string, args: Json, extra?: readonly string[]])[] = [
  ['gunicorn', { daemon: true }],
  ['gunicorn', { bind: 'fd://3' }],
  ['gunicorn', { b: 'fd://3' }],
  ['gunicorn', { pidfile: '/run/a.pid' }],
  ['gunicorn', {}, ['-b', ':80']],
  ['gunicorn', {}, ['-b:80']],
  ['uvicorn', { reload: true }],
  ['uvicorn', { fd: 3 }],
  ['uvicorn', {}, ['--port=1']],
  ['hypercorn', { 'quic-bind': ':443' }],
  ['hypercorn', { 'insecure-bind': ':80' }],
  ['hypercorn', { 'worker-class': 'trio' }],
  ['hypercorn', { k: 'trio' }],
  ['hypercorn', { bind: 'fd://3' }],
  ['hypercorn', {}, ['--reload']],
  ['daphne', { endpoint: 'tcp:80' }],
  ['daphne', { fd: 3 }],
  ['daphne', {}, ['-p', '80']],
  ['uwsgi', { pidfile: '/run/a' }],
  ['uwsgi', { ini: 'uwsgi.ini' }],
  ['uwsgi', { http: ':80' }],
  ['uwsgi', { 'http-socket': ['fd://3', ':80'] }],
  ['uwsgi', {}, ['-s', ':80']],
  ['granian-wsgi', { 'pid-file': 'a' }],
  ['granian-asgi', { reload: 'True' }],
  ['granian-asgi', {}, ['--host', 'a']],
  ['waitress', {}, ['--listen=:80']],
]

for (const [name, args, extra = []] of impossible) {
  test(`${name} with ${[JSON.stringify(args), ...extra].join(' ')} cannot take open sockets`, () => {
    assert.equal(inherit(name, args, extra), undefined)
  })
}

test('every server that is replaced while it runs can take open sockets', () => {
  assert.deepEqual(
    BACKENDS.filter(({ kind, reload }) => kind === 'web' && reload === 'rolling').map(({ name }) => name),
    BACKENDS.filter((backend) => backend.inherit).map(({ name }) => name),
  )
})

test('a service manager hands over the sockets alone, and some servers need no help with them', () => {
  const unaided = BACKENDS.flatMap(({ name, inherit: given }): string[] => {
    const inherited = given?.(
      { app: ['a:b'], options: [], extra: [], django: [] },
      { addresses: ['a:1'], listen: [3], probe: undefined },
    )
    assert.doesNotMatch(JSON.stringify(inherited ?? ''), /PROBE|undefined/)
    return inherited?.unaided ? [`${name}: ${inherited.command.args.join(' ')}`] : []
  })
  assert.deepEqual(unaided, [
    'gunicorn: -m gunicorn a:b',
    'gunicorn-asgi: -m gunicorn a:b',
    'uvicorn: -m uvicorn --fd=3 a:b',
    'uvicorn-wsgi: -m uvicorn --interface=wsgi --fd=3 a:b',
    'hypercorn: -m hypercorn --bind=fd://3 a:b',
    'uwsgi: -w a:b --http-socket=fd://3',
  ])
})
