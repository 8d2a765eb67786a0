import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { createSpec } from '../../../test/support/specs.ts'
import { type LaunchInput, probeAddressOf, startOf } from './launch.ts'
import { MARK } from '../procfs/descendant-cleanup.ts'

const input = (more: Partial<LaunchInput> = {}): LaunchInput => ({
  spec: createSpec(),
  instance: 'worker.1',
  run: 3,
  token: 'worker.1#3',
  root: '/srv/shop',
  place: 'a-1',
  notifySocket: '/state/notify.sock',
  sockets: [],
  ...more,
})

const inherited = { argv: ['/venv/bin/gunicorn', '--bind=fd://3'], env: { GUNICORN_FD: '3' }, listening: true }

test('a program is started as it is declared, and told which one it is', () => {
  const spec = createSpec({
    argv: ['/venv/bin/celery', 'worker'],
    env: { PATH: '/bin', SECRET_KEY: 's3cret' },
    cwd: '/srv/shop',
    user: 'www',
    umask: '027',
    limits: { nofile: '65536' },
  })
  const start = startOf(input({ spec }))
  assert.deepEqual(start.argv, spec.argv)
  assert.deepEqual(start.env, {
    PATH: '/bin',
    SECRET_KEY: 's3cret',
    NOTIFY_SOCKET: '/state/notify.sock',
    PRODSERVER_PROCESS: 'worker',
    PRODSERVER_INSTANCE: 'worker.1',
    [MARK]: 'a-1/worker.1#3',
  })
  assert.deepEqual(
    [start.token, start.instance, start.invocation, start.cwd, start.user, start.umask, start.limits, start.lock],
    ['worker.1#3', 'worker.1', 3, '/srv/shop', 'www', '027', { nofile: '65536' }, null],
  )
})

test('what a service manager told us is not passed on', () => {
  const ours = {
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_PID: '1',
    WATCHDOG_USEC: '1',
    LISTEN_PID: '1',
    LISTEN_FDS: '1',
    LISTEN_FDNAMES: 'web',
    JOURNAL_STREAM: '8:1',
    PRODSERVER_SHIM_FD: '3',
  }
  const { env } = startOf(input({ spec: createSpec({ env: { ...ours, LANG: 'C' } }), notifySocket: '' }))
  assert.deepEqual(Object.keys(env), ['LANG', 'PRODSERVER_PROCESS', 'PRODSERVER_INSTANCE', MARK])
})

test('a program that is given sockets is told how; without any it is started as declared', () => {
  const spec = createSpec({ argv: ['/venv/bin/gunicorn'], inherited })
  const given = startOf(input({ spec, sockets: ['web/127.0.0.1:8000'] }))
  assert.deepEqual([given.argv, given.env['GUNICORN_FD']], [inherited.argv, '3'])
  const alone = startOf(input({ spec }))
  assert.deepEqual([alone.argv, alone.env['GUNICORN_FD']], [['/venv/bin/gunicorn'], undefined])
})

test('nothing that is declared takes the place of our marks', () => {
  const env = { [MARK]: 'another', PRODSERVER_INSTANCE: 'another' }
  const start = startOf(input({ spec: createSpec({ env, inherited: { ...inherited, env } }), sockets: ['web'] }))
  assert.deepEqual([start.env[MARK], start.env['PRODSERVER_INSTANCE']], ['a-1/worker.1#3', 'worker.1'])
})

test('the only one of its kind has a lock of its project, in a folder for its owner alone', () => {
  const lock = (alone: string, root = '/srv/shop'): string => {
    const { lock } = startOf(input({ spec: createSpec({ alone }), root }))
    assert.ok(lock)
    return lock
  }
  assert.equal(lock('beat'), lock('beat'))
  assert.notEqual(lock('beat'), lock('other'))
  assert.notEqual(lock('beat'), lock('beat', '/srv/other'))
  assert.equal(statSync(dirname(lock('beat'))).mode & 0o777, 0o700)
})

test('every life has an address of its own to be asked at', () => {
  assert.equal(probeAddressOf('/state', 'web.1#3'), 'unix:/state/run/web.1-3.probe')
})
