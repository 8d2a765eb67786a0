import assert from 'node:assert/strict'
import { test } from 'node:test'
import { optionValues, withoutOverridden } from '../args/override.ts'
import { translateArgs } from '../args/translate.ts'
import type { Env, Json } from '../core/types.ts'
import type { Backend } from './backend.ts'
import { hostAndPort } from './option-values.ts'
import { BACKEND_REFERENCES, BACKENDS, findBackend, PYTHON_MODULES } from './index.ts'

interface Declared {
  readonly args?: Json
  readonly app?: readonly string[]
  readonly extra?: readonly string[]
  readonly django?: readonly string[]
  readonly env?: Env
}

const backendOf = (name: string): Backend => findBackend(name) ?? assert.fail(name)

function optionsOf(backend: Backend, { args = {}, extra = [] }: Declared) {
  const grammar = backend.options ?? {}
  const { options, problems } = translateArgs({ args, grammar, place: 'ARGS', program: backend.title })
  assert.deepEqual(
    problems.filter(({ id }) => id.startsWith('E')),
    [],
  )
  return { grammar, options: withoutOverridden(options, extra, grammar) }
}

function commandOf(name: string, declared: Declared): string {
  const backend = backendOf(name)
  const { options } = optionsOf(backend, declared)
  const { app = [], extra = [], django = [] } = declared
  const { program, args } = backend.command({ app, options, extra, django })
  return [program, ...args].join(' ')
}

function listenOf(name: string, declared: Declared): readonly string[] {
  const backend = backendOf(name)
  const { grammar, options } = optionsOf(backend, declared)
  const values = (option: string): readonly string[] => optionValues(option, options, declared.extra ?? [], grammar)
  return backend.listen?.({ values, env: declared.env ?? {} }) ?? []
}

const WSGI = ['mysite.wsgi:application']
const ASGI = ['mysite.asgi:application']
const CELERY = ['mysite.celery.app']

const commands: readonly (readonly [name: string, declared: Declared, command: string])[] = [
  ['gunicorn', { app: WSGI }, 'python -m gunicorn mysite.wsgi:application'],
  [
    'gunicorn',
    { app: WSGI, args: { bind: '0.0.0.0:8000', workers: '4', accesslog: '-', keepalive: 2, loglevel: 'info' } },
    'python -m gunicorn --bind=0.0.0.0:8000 --workers=4 --access-logfile=- --keep-alive=2 --log-level=info mysite.wsgi:application',
  ],
  [
    'gunicorn',
    { app: WSGI, args: { preload_app: 'True', sendfile: false, w: 4, limit_request_field_size: 100 } },
    'python -m gunicorn --preload --no-sendfile -w 4 --limit-request-field_size=100 mysite.wsgi:application',
  ],
  [
    'gunicorn',
    { app: WSGI, args: { bind: [':8000', ':8001'], workers: 4 }, extra: ['--workers=8'] },
    'python -m gunicorn --bind=:8000 --bind=:8001 --workers=8 mysite.wsgi:application',
  ],
  [
    'gunicorn',
    { app: WSGI, args: { workers: 4 }, extra: ['-w', '8'] },
    'python -m gunicorn -w 8 mysite.wsgi:application',
  ],
  [
    'waitress',
    { app: WSGI, args: { port: 8080, 'expose-tracebacks': 'False', ipv4: true, trusted_proxy_headers: ['a', 'b'] } },
    'python -m waitress --port=8080 --no-expose-tracebacks --ipv4 --trusted-proxy-headers=a b mysite.wsgi:application',
  ],
  [
    'granian-wsgi',
    { app: WSGI, args: { address: '0.0.0.0', threads: 2, 'log-access': 'True', websockets: false } },
    'python -m granian --interface=wsgi --host=0.0.0.0 --blocking-threads=2 --access-log --no-ws mysite.wsgi:application',
  ],
  [
    'granian-asgi',
    { app: ASGI, args: { threads: 2, 'blocking-threads': '1', 'ssl-cert': 'a', 'ssl-key': 'b' } },
    'python -m granian --interface=asgi --runtime-threads=2 --blocking-threads=1 --ssl-certificate=a --ssl-keyfile=b mysite.asgi:application',
  ],
  [
    'granian-asgi',
    { app: ASGI, args: { 'blocking-threads': '2' } },
    'python -m granian --interface=asgi --runtime-threads=2 mysite.asgi:application',
  ],
  [
    'uvicorn',
    { app: ASGI, args: { 'no-access-log': 'True', 'proxy-headers': 'False', headers: ['A:1', 'B:2'], reload: false } },
    'python -m uvicorn --no-access-log --no-proxy-headers --header=A:1 --header=B:2 mysite.asgi:application',
  ],
  [
    'uvicorn',
    { app: ASGI, args: { ws_per_message_deflate: false, forwarded_allow_ips: ['a', 'b'] } },
    'python -m uvicorn --ws-per-message-deflate=false --forwarded-allow-ips=a,b mysite.asgi:application',
  ],
  ['uvicorn-wsgi', { app: WSGI, args: {} }, 'python -m uvicorn --interface=wsgi mysite.wsgi:application'],
  [
    'hypercorn',
    { app: ASGI, args: { bind: [':1', ':2'], keep_alive_timeout: 9, debug: 'True', k: 'uvloop' } },
    'python -m hypercorn --bind=:1 --bind=:2 --keep-alive=9 --debug -k uvloop mysite.asgi:application',
  ],
  [
    'flower',
    {
      app: CELERY,
      args: { port: 1, basic_auth: ['a:1', 'b:2'], debug: true, auto_refresh: false, broker: 'redis://' },
    },
    'python -m celery -A mysite.celery.app --broker=redis:// flower --port=1 --basic-auth=a:1,b:2 --debug=true --auto-refresh=false',
  ],
  [
    'uwsgi',
    { app: WSGI, args: { processes: 4, 'enable-threads': 'true', vacuum: 'False', harakiri: 60 } },
    'uwsgi -w mysite.wsgi:application --processes=4 --enable-threads --harakiri=60',
  ],
  [
    'uwsgi',
    { app: WSGI, args: { s: ':1', ini: 'uwsgi.ini', 'hook-master-start': 'print:x' } },
    'uwsgi -w mysite.wsgi:application --hook-master-start=unix_signal:15 gracefully_kill_them_all -s :1 --ini=uwsgi.ini --hook-master-start=print:x',
  ],
  [
    'daphne',
    { app: ASGI, args: { host: '::1', p: 1, 'server-name': 'False', endpoint: ['tcp:2'], websocket_timeout: 9 } },
    'python -m daphne --bind=::1 -p 1 --no-server-name --endpoint=tcp:2 --websocket_timeout=9 mysite.asgi:application',
  ],
  [
    'celery-worker',
    { app: CELERY, args: { concurrency: 4, queues: ['a', 'b'], broker: 'redis://', 'task-events': true } },
    'python -m celery -A mysite.celery.app --broker=redis:// worker --concurrency=4 --queues=a,b --task-events',
  ],
  [
    'celery-worker',
    { app: CELERY, args: { loglevel: 'info' }, django: ['--skip-checks', '--verbosity=2'], extra: ['-l', 'debug'] },
    'python -m celery -A mysite.celery.app --skip-checks worker -l debug',
  ],
  [
    'celery-beat',
    { app: CELERY, args: { 'log-level': 'info', quiet: 'yes', s: '/tmp/schedule' } },
    'python -m celery -A mysite.celery.app --quiet beat --loglevel=info -s /tmp/schedule',
  ],
  ['django-tasks', {}, 'python -m django db_worker --no-reload'],
  [
    'django-tasks',
    { args: { queues: ['a', 'b'], processes: 2, interval: 1 }, django: ['--verbosity=2'] },
    'python -m django db_worker --verbosity=2 --no-reload --queue-name=a,b --interval=1',
  ],
  ['django-tasks', { args: { reload: true } }, 'python -m django db_worker --reload'],
  ['django-tasks', { extra: ['--reload'] }, 'python -m django db_worker --reload'],
  [
    'django-q2',
    { args: { cluster_name: 'a', run_once: 'True', verbosity: 2 }, django: ['--traceback'] },
    'python -m django qcluster --traceback --name=a --run-once --verbosity=2',
  ],
  [
    'django-rq',
    {
      args: { queues: ['high', 'low'], burst: 'True', worker_ttl: 9, 'with-scheduler': false },
      django: ['--traceback'],
    },
    'python -m django rqworker --traceback --burst --worker-ttl=9 high low',
  ],
  [
    'django-rq',
    { args: { queue: 'high, low' }, extra: ['--name', 'a'] },
    'python -m django rqworker --name a high low',
  ],
  ['django-rq', { args: { queues: 'a', burst: true }, extra: ['b'] }, 'python -m django rqworker --burst b'],
  ['django-rq', { args: { queues: 'a' }, extra: ['--burst', 'b'] }, 'python -m django rqworker --burst b'],
  [
    'django-rq-cron',
    { app: ['mysite/cron.py'], args: { loglevel: 'DEBUG' } },
    'python -m django rqcron --logging-level=DEBUG mysite/cron.py',
  ],
  [
    'rq',
    { args: { u: 'redis://', loglevel: 'INFO', path: ['a', 'b'], ds: 'random', queues: ['a'] }, extra: ['-n', 'x'] },
    'python -m rq.cli worker -u redis:// --logging_level=INFO --path=a --path=b --dequeue-strategy=random -n x a',
  ],
  [
    'django-dramatiq',
    { args: { queues: ['a', 'b'], processes: 2, path: '.:lib' }, django: ['--verbosity=2'] },
    'python -m django rundramatiq --verbosity=2 --queues a b --processes=2 --path . lib',
  ],
  [
    'dramatiq',
    { app: ['mysite:broker', 'tasks'], args: { Q: 'a b', v: true, t: 4 }, extra: ['-p1'] },
    'python -m dramatiq mysite:broker tasks -Q a b --verbose -t 4 -p1',
  ],
  [
    'huey',
    { args: { workers: 4, worker_type: 'process', verbose: true, 'extra-locks': ['a', 'b'] } },
    'python -m django run_huey --workers=4 --worker-type=process --huey-verbose --extra-locks=a,b',
  ],
  [
    'procrastinate',
    { args: { c: 4, verbosity: 2, queues: ['a', 'b'], listen_notify: false }, django: ['--no-color'] },
    'python -m django procrastinate --no-color --verbosity=2 worker -c 4 --queues=a,b --no-listen-notify',
  ],
  [
    'channels-worker',
    { args: { channels: ['a', 'b'], layer: 'other' } },
    'python -m django runworker --layer=other a b',
  ],
  [
    'django-command',
    { app: ['collectstatic', '--clear'], args: { noinput: 'True', my_option: 'a' }, extra: ['x'] },
    'python -m django collectstatic --clear --noinput --my_option=a x',
  ],
  ['node', { app: ['server.js'], args: { port: 3000 }, extra: ['--open'] }, 'node server.js --port=3000 --open'],
  ['command', { app: ['caddy', 'run'], args: { config: 'a b', v: 1 } }, 'caddy run --config=a b -v 1'],
]

for (const [name, declared, command] of commands) {
  test(`${name} with ${JSON.stringify(declared)} is ${command}`, () => {
    assert.equal(commandOf(name, declared), command)
  })
}

const listens: readonly (readonly [name: string, declared: Declared, listen: readonly string[]])[] = [
  ['gunicorn', {}, ['127.0.0.1:8000']],
  ['gunicorn', { env: { PORT: '9000' } }, ['0.0.0.0:9000']],
  ['gunicorn', { args: { bind: '0.0.0.0:80' }, env: { PORT: '9000' } }, ['0.0.0.0:80']],
  ['gunicorn', { args: { bind: ':8001' } }, ['0.0.0.0:8001']],
  ['gunicorn', { args: { bind: 8001 } }, ['0.0.0.0:8001']],
  ['gunicorn', { args: { bind: 'localhost' } }, ['localhost:8000']],
  ['gunicorn', { args: { bind: 'tcp://10.0.0.1:80' } }, ['10.0.0.1:80']],
  ['gunicorn', { args: { bind: '[::1]:8001' } }, ['[::1]:8001']],
  [
    'gunicorn',
    { args: { bind: ['a:1', 'unix:/run/a.sock', 'unix:///run/b.sock'] } },
    ['a:1', 'unix:/run/a.sock', 'unix:/run/b.sock'],
  ],
  ['gunicorn', { args: { bind: 'fd://3' } }, []],
  ['gunicorn', { args: { b: 'a:1' } }, ['a:1']],
  ['gunicorn', { args: { bind: 'a:1' }, extra: ['-b', 'b:2'] }, ['b:2']],
  ['waitress', {}, ['0.0.0.0:8080']],
  ['waitress', { args: { host: '127.0.0.1', port: 9 } }, ['127.0.0.1:9']],
  ['waitress', { args: { listen: ['*:1', 'b:2'] } }, ['0.0.0.0:1', 'b:2']],
  ['waitress', { args: { listen: 'a:1 b' } }, ['a:1', 'b:8080']],
  ['waitress', { args: { 'unix-socket': '/run/a.sock' } }, ['unix:/run/a.sock']],
  ['granian-wsgi', {}, ['127.0.0.1:8000']],
  ['granian-asgi', { args: { address: '0.0.0.0', port: '9' } }, ['0.0.0.0:9']],
  ['granian-asgi', { args: { uds: '/run/a.sock', port: 9 } }, ['unix:/run/a.sock']],
  ['uvicorn', {}, ['127.0.0.1:8000']],
  ['uvicorn', { args: { host: '::', port: 9 }, extra: ['--port', '10'] }, ['[::]:10']],
  ['uvicorn-wsgi', { args: { uds: '/run/a.sock' } }, ['unix:/run/a.sock']],
  ['node', {}, []],
  ['node', { env: { PORT: '3000' } }, ['0.0.0.0:3000']],
  ['node', { args: { port: 3001 }, env: { PORT: '3000' } }, ['0.0.0.0:3001']],
  ['node', { env: { PORT: '3000', HOST: '::1' } }, ['[::1]:3000']],
  ['node', { env: { PORT: '3000', HOST: 'x86_64-linux' } }, ['0.0.0.0:3000']],
  ['node', { env: { PORT: '/run/web.sock' } }, ['unix:/run/web.sock']],
  ['hypercorn', {}, ['127.0.0.1:8000']],
  [
    'hypercorn',
    { args: { bind: ['a', ':1', '[::1]:2', 'unix:/run/a.sock', 'fd://3'] } },
    ['a:8000', '0.0.0.0:1', '[::1]:2', 'unix:/run/a.sock'],
  ],
  ['uwsgi', { args: { bind: '127.0.0.1:8000' } }, ['127.0.0.1:8000']],
  ['uwsgi', { args: { ini: 'uwsgi.ini' } }, []],
  [
    'uwsgi',
    {
      args: { 'http-socket': [':1', '[::1]:2'], s: 'run/a.sock', http: 'a:3', 'uwsgi-socket': ['fd://3', '@a', '=0'] },
    },
    ['0.0.0.0:1', '[::1]:2', 'unix:run/a.sock', 'a:3'],
  ],
  ['daphne', {}, ['127.0.0.1:8000']],
  ['daphne', { args: { bind: '::1', u: '/run/a' } }, ['[::1]:8000', 'unix:/run/a']],
  ['daphne', { args: { fd: 3 } }, []],
  [
    'daphne',
    { args: { endpoint: ['tcp:1', 'ssl:port=2:interface=\\:\\:1', 'tcp6:3', 'unix:/run/a:mode=666', 'fd:fileno=3'] } },
    ['0.0.0.0:1', '[::1]:2', '[::]:3', 'unix:/run/a'],
  ],
  ['celery-worker', {}, []],
  ['flower', {}, ['0.0.0.0:5555']],
  ['flower', { env: { FLOWER_PORT: '1', FLOWER_ADDRESS: 'a' }, args: { port: 2 } }, ['a:2']],
  ['flower', { args: { unix_socket: '/run/a' } }, ['unix:/run/a']],
  ['command', { args: { port: 3000 } }, []],
]

for (const [name, declared, listen] of listens) {
  test(`${name} with ${JSON.stringify(declared)} listens on ${listen.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(listenOf(name, declared), listen)
  })
}

test('a host with colons is in brackets in an address', () => {
  const listen = hostAndPort('::', '80', 'socket')
  assert.deepEqual(listen({ values: () => [], env: {} }), ['[::]:80'])
})

/** The import paths of django-prodserver's documentation. */
const DOCUMENTED: Readonly<Record<string, string>> = {
  'gunicorn.GunicornServer': 'gunicorn',
  'waitress.WaitressServer': 'waitress',
  'granian.GranianWSGIServer': 'granian-wsgi',
  'granian.GranianASGIServer': 'granian-asgi',
  'uvicorn.UvicornServer': 'uvicorn',
  'uvicorn.UvicornWSGIServer': 'uvicorn-wsgi',
  'celery.CeleryWorker': 'celery-worker',
  'celery.CeleryBeat': 'celery-beat',
  'django_tasks.DjangoTasksWorker': 'django-tasks',
  'django_q2.DjangoQ2Worker': 'django-q2',
}

for (const [path, name] of Object.entries(DOCUMENTED)) {
  test(`django_prodserver.backends.${path} is ${name}`, () => {
    assert.equal(findBackend(`django_prodserver.backends.${path}`), backendOf(name))
  })
}

test('every reference means one backend, and a name that is none means nothing', () => {
  assert.equal(new Set(BACKEND_REFERENCES).size, BACKENDS.length + BACKENDS.flatMap(({ paths = [] }) => paths).length)
  for (const reference of ['', 'Gunicorn', 'toString', '__proto__', 'gunicorn.GunicornServer'])
    assert.equal(findBackend(reference), undefined)
})

test('the modules that are asked about are those that backends need, and Django', () => {
  assert.deepEqual(PYTHON_MODULES.toSorted(), [
    'celery',
    'channels',
    'daphne',
    'django',
    'django_dramatiq',
    'django_q',
    'django_rq',
    'django_tasks',
    'django_tasks_db',
    'dramatiq',
    'flower',
    'granian',
    'gunicorn',
    'huey',
    'hypercorn',
    'procrastinate',
    'rq',
    'uvicorn',
    'uwsgidecorators',
    'waitress',
  ])
})

test('each is asked to stop by the signal that lets it finish its work', () => {
  const others = BACKENDS.map(({ name, stop }) => [name, stop?.signal ?? 'TERM']).filter(
    ([, signal]) => signal !== 'TERM',
  )
  assert.deepEqual(others, [
    ['waitress', 'INT'],
    ['huey', 'INT'],
    ['channels-worker', 'INT'],
  ])
})

for (const { name, options = {}, example = {}, title } of BACKENDS) {
  test(`the documented example of ${name} becomes options without a word`, () => {
    const { problems } = translateArgs({ args: example, grammar: options, place: 'ARGS', program: title })
    assert.deepEqual(problems, [])
  })
}
