import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from './compose.ts'
import { readEcosystem } from './pm2.ts'
import { readSupervisor } from './supervisor.ts'
import { readUnit } from './systemd.ts'

test('a unit of systemd: continued lines, several environments, the characters before the program', () => {
  const [found] = readUnit(
    `# of the shop
[Unit]
Description=shop
[Service]
Type=oneshot
User=shop
TimeoutStopSec=5min
Environment="A=b c" D=e
Environment=F=g
EnvironmentFile=-/etc/shop.env
WorkingDirectory=/srv/shop
ExecStartPre=/srv/shop/.venv/bin/python manage.py migrate
ExecStart=-/srv/shop/.venv/bin/gunicorn \\
    --log-format=%%h \\
    mysite.wsgi
`,
    'deploy/shop@.service',
    'shop@',
  )
  assert.deepEqual(found, {
    name: 'shop',
    from: 'deploy/shop@.service:4',
    command: '/srv/shop/.venv/bin/gunicorn --log-format=%h mysite.wsgi',
    cwd: '/srv/shop',
    env: { A: 'b c', D: 'e', F: 'g' },
    envFile: ['/etc/shop.env'],
    keys: { RUN: 'once' },
    notes: [
      'It ran as the user shop: where `up` runs as root, add "USER"',
      'It had 5min to stop; where the usual time of its backend is not enough, add "STOP"',
      'ExecStartPre is left out: what it did can be a process of its own, with "RUN": "once"',
    ],
  })
})

test('a file of systemd that starts nothing has no process', () => {
  assert.deepEqual(readUnit('[Unit]\nDescription=shop\n', 'shop.target', 'shop'), [])
})

test('a configuration of Supervisor: comments, continued lines, its own references', () => {
  const found = readSupervisor(
    `[supervisord]
nodaemon=true

[program:worker] ; of the shop
command=celery -A mysite worker ; comment
  --loglevel=info
directory=/srv/shop
numprocs=3
process_name=%(program_name)s_%(process_num)d
environment=A="b,c",HOME="%(ENV_HOME)s",P=50%%
autostart=false
autorestart=unexpected
stopwaitsecs=600
`,
    'supervisor.conf',
  )
  assert.deepEqual(found, [
    {
      name: 'worker',
      from: 'supervisor.conf:4',
      command: 'celery -A mysite worker --loglevel=info',
      cwd: '/srv/shop',
      env: { A: 'b,c', HOME: { parts: [{ variable: 'HOME', fallback: undefined }] }, P: '50%' },
      keys: { INSTANCES: 3, ENABLED: false, RESTART: 'on-failure' },
      notes: ['It had 10m to stop; where the usual time of its backend is not enough, add "STOP"'],
    },
  ])
})

test('an ecosystem file of PM2', () => {
  const apps = [
    {
      name: 'frontend',
      script: 'server.js',
      args: ['--port', '3000'],
      cwd: 'frontend',
      instances: 'max',
      max_memory_restart: '300M',
      kill_timeout: 5000,
      env: { A: 'b' },
      env_production: { NODE_ENV: 'production' },
    },
    { script: '/srv/shop/.venv/bin/gunicorn', args: 'mysite.wsgi', interpreter: 'none', autorestart: false },
    { name: 'nothing' },
  ]
  assert.deepEqual(readEcosystem({ apps }, 'ecosystem.config.js'), [
    {
      name: 'frontend',
      from: 'ecosystem.config.js',
      command: 'node server.js --port 3000',
      cwd: 'frontend',
      env: { A: 'b', NODE_ENV: 'production' },
      keys: { INSTANCES: 'cpu', MEMORY_LIMIT: '300M', STOP: { timeout: 5 } },
    },
    {
      name: 'gunicorn',
      from: 'ecosystem.config.js',
      command: '/srv/shop/.venv/bin/gunicorn mysite.wsgi',
      cwd: undefined,
      env: {},
      keys: { RESTART: 'never' },
    },
  ])
})

test('a Compose file: anchors, words and texts, what Compose would replace, and images of others', () => {
  const found = readCompose(
    `
x-base: &base
  build: .
  environment: [A=b, "TOKEN"]
services:
  web:
    <<: *base
    command: gunicorn mysite.wsgi --bind 0.0.0.0:$$PORT
    deploy: {replicas: 2}
  worker:
    build: .
    entrypoint: ["/bin/sh", "-c"]
    command: ["exec celery -A mysite worker"]
    environment: {LEVEL: "\${LEVEL:-info}", EMPTY: }
  redis:
    image: redis
    command: redis-server --save ""
  db:
    image: postgres
`,
    'compose.yml',
  )
  assert.deepEqual(found, [
    {
      name: 'web',
      from: 'compose.yml (web)',
      command: [
        'gunicorn',
        'mysite.wsgi',
        '--bind',
        { parts: ['0.0.0.0:', { variable: 'PORT', fallback: undefined }] },
      ],
      env: { A: 'b' },
      isForeign: false,
      keys: { INSTANCES: 2 },
    },
    {
      name: 'worker',
      from: 'compose.yml (worker)',
      command: 'exec celery -A mysite worker',
      env: { LEVEL: { parts: [{ variable: 'LEVEL', fallback: 'info' }] } },
      isForeign: false,
      keys: {},
    },
    {
      name: 'redis',
      from: 'compose.yml (redis)',
      command: ['redis-server', '--save', ''],
      env: {},
      isForeign: true,
      keys: {},
    },
  ])
})
