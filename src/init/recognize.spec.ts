import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BACKENDS } from '../backends/index.ts'
import { recognize } from './recognize.ts'
import { readCommandLine } from './shell.ts'

const recognized = (line: string): unknown => {
  const found = recognize(readCommandLine(line)?.[0]?.words ?? [])
  return found && [found.backend, found.app, found.args, ...(found.leftOut.length > 0 ? [found.leftOut] : [])]
}

/** Command lines as they stand in Procfiles and units, and what they are. */
const LINES: readonly (readonly [line: string, expected: unknown])[] = [
  ['gunicorn mysite.wsgi', ['gunicorn', 'mysite.wsgi', {}]],
  ['/srv/x/.venv/bin/gunicorn mysite.wsgi:application -w 4', ['gunicorn', 'mysite.wsgi:application', { workers: 4 }]],
  ['python3.12 -u -m gunicorn -b:8000 mysite.wsgi', ['gunicorn', 'mysite.wsgi', { bind: ':8000' }]],
  ['poetry run gunicorn mysite.wsgi', ['gunicorn', 'mysite.wsgi', {}]],
  ['gunicorn -b :1 -b :2 mysite.wsgi', ['gunicorn', 'mysite.wsgi', { bind: [':1', ':2'] }]],
  [
    'gunicorn mysite.wsgi --access-logfile - --preload --no-sendfile -D --pid x.pid',
    ['gunicorn', 'mysite.wsgi', { 'access-logfile': '-', preload: true, sendfile: false }, ['daemon', 'pid']],
  ],
  [
    'gunicorn mysite.wsgi --bind 0.0.0.0:$PORT',
    ['gunicorn', 'mysite.wsgi', { bind: { parts: ['0.0.0.0:', { variable: 'PORT', fallback: undefined }] } }],
  ],
  ['uvicorn mysite.asgi:application --no-access-log', ['uvicorn', 'mysite.asgi:application', { 'access-log': false }]],
  ['uvicorn --interface wsgi mysite.wsgi:app', ['uvicorn-wsgi', 'mysite.wsgi:app', {}]],
  ['granian --interface asgi mysite.asgi:app --workers 2', ['granian-asgi', 'mysite.asgi:app', { workers: 2 }]],
  ['waitress-serve --port=8000 mysite.wsgi:app', ['waitress', 'mysite.wsgi:app', { port: 8000 }]],
  [
    'celery -A mysite worker -l INFO -c 4 -Q a,b',
    ['celery-worker', 'mysite', { loglevel: 'INFO', concurrency: 4, queues: 'a,b' }],
  ],
  ['celery --app=mysite.celery beat -l info', ['celery-beat', 'mysite.celery', { loglevel: 'info' }]],
  ['python manage.py db_worker --queue-name mail', ['django-tasks', undefined, { 'queue-name': 'mail' }]],
  ['./manage.py qcluster', ['django-q2', undefined, {}]],
  ['python manage.py send_mail --now "a b"', ['django-command', "send_mail --now 'a b'", {}]],
  ['django-admin migrate', ['django-command', 'migrate', {}]],
  ['node frontend/server.js --port 3000', ['node', 'frontend/server.js', { port: 3000 }]],
  [
    'rq worker high default -u redis://localhost',
    ['rq', undefined, { url: 'redis://localhost', queues: ['high', 'default'] }],
  ],
  ['python manage.py rqworker high', ['django-rq', undefined, { queues: 'high' }]],
  ['dramatiq mysite.tasks mysite.mail -p 2', ['dramatiq', 'mysite.tasks mysite.mail', { processes: 2 }]],
  ['celery -A mysite flower --port=5555', ['flower', 'mysite', { port: 5555 }]],
  ['daphne -b 0.0.0.0 -p 8000 mysite.asgi:app', ['daphne', 'mysite.asgi:app', { bind: '0.0.0.0', port: 8000 }]],
  ['npm start', ['npm-script', 'start', {}]],
  ['npm run serve', ['npm-script', 'serve', {}]],
  ['pnpm serve', ['npm-script', 'serve', {}]],
  ['npm install', undefined],
  // Nothing of ours: another program, a script of the project's own, or one that takes more than a declaration says.
  ['caddy run', undefined],
  ['python worker.py', undefined],
  ['celery -A mysite inspect ping', undefined],
  ['gunicorn mysite.wsgi another', undefined],
]

for (const [line, expected] of LINES) test(`recognized: ${line}`, () => assert.deepEqual(recognized(line), expected))

/** Any program is a command, a script has another command line than the npm that people start, and a worker file is one of Node. */
const BY_OTHER_WORDS = new Set(['command', 'npm-script', 'bullmq'])

test('every backend recognises the command line that it makes', () => {
  // One with options of its own by default is recognised as what it is without them.
  const known = BACKENDS.filter(({ name, defaults }) => !BY_OTHER_WORDS.has(name) && defaults === undefined)
  const missed = known.filter((backend) => {
    const app =
      backend.app === undefined || backend.app === 'none' ? [] : [backend.appExample?.split(' ')[0] ?? 'mysite:app']
    const { program, args } = backend.command({ app, options: [], extra: [], django: [] })
    return recognize([program, ...args])?.backend !== backend.name
  })
  assert.deepEqual(
    missed.map(({ name }) => name),
    [],
  )
})
