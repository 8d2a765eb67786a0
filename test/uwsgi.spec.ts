import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Problem } from '../src/core/errors.ts'
import { OLDER_PYTHON } from './support/environment.ts'
import { freePort, httpGet, waitForHttp } from './support/net.ts'
import { childrenOf } from './support/processes.ts'
import { createProject } from './support/project.ts'
import { prodserver, waitUntil } from './support/running.ts'
import { project, run, serve } from './support/site.ts'
import { createVersioned } from './support/versioned.ts'
import { endAll } from './support/supervised.ts'
import { assertNoneFailed } from './support/load.ts'

const UWSGI = 'prodserver.backends.uwsgi.UWSGIServer'

describe('uWSGI', { concurrency: 2 }, () => {
  test('uWSGI serves WSGI in as many processes and threads as declared, and answers what it has begun at TERM', async (t) => {
    const site = await serve(t, UWSGI, ({ port, root }) => ({
      bind: [`127.0.0.1:${port}`, join(root, 'web.sock')],
      p: 2,
      threads: '2',
      'enable-threads': 'true',
      'disable-logging': true,
      'die-on-term': true,
      vacuum: 'False',
    }))
    const { interface: kind, parent } = await site.facts()
    assert.deepEqual([kind, parent], ['wsgi', site.running.pid])
    assert.equal(childrenOf(site.running.pid).length, 2)
    assert.equal((await httpGet({ socketPath: join(site.root, 'web.sock') })).status, 200)
    const slow = site.get('/sleep/1/')
    await waitUntil(() => /asleep/.test(site.running.output()) || undefined)
    site.running.signal('SIGTERM')
    assert.equal((await slow).status, 200)
    assert.deepEqual(await site.running.ended(), { code: 0, signal: null })
  })

  test('uWSGI takes its options from a configuration, and serves the application nevertheless', async (t) => {
    const root = project(t)
    const port = await freePort()
    writeFileSync(join(root, 'uwsgi.ini'), `[uwsgi]\nhttp-socket = 127.0.0.1:${port}\nprocesses = 1\n`)
    const running = run(t, root, UWSGI, { ini: 'uwsgi.ini', strict: true })
    assert.equal((await waitForHttp(running, { port })).status, 200)
  })

  test('uWSGI ends where it would go on without an application', async (t) => {
    const root = project(t)
    writeFileSync(join(root, 'mysite', 'wsgi.py'), 'application = missing\n')
    const { code, signal } = await run(t, root, UWSGI, { 'http-socket': `127.0.0.1:${await freePort()}` }).ended()
    assert.deepEqual([code, signal], [22, null])
  })

  test('reloads of uWSGI under load drop no request on any of its sockets', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'prodserver-socket-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const socketPath = join(folder, 'web.sock')
    const port = await freePort()
    const ARGS = {
      'http-socket': [`127.0.0.1:${port}`, socketPath],
      processes: 3,
      'disable-logging': true,
      vacuum: true,
    }
    const READY = { http: '/', interval: '50ms', failures: 400 }
    const site = createVersioned(t, { processes: { web: { BACKEND: 'uwsgi', ARGS, READY } } })
    await site.up()
    // It closes each connection after its answer without having said so, at any time.
    const loads = [
      site.load({ port }, { fresh: 6, keepAlive: 0 }),
      site.load({ socketPath }, { fresh: 2, keepAlive: 0 }),
    ]
    for (let version = 1; version <= 3; version += 1) await site.reloadTo(version)
    site.deploy(3, 'raise RuntimeError("nobody wrote this part")')
    const refused = await site.cli('reload', 'web')
    assert.equal(refused.code, 4)
    assert.match(refused.stderr, /REFUSED {2}web\.1/)
    site.deploy(4)
    assert.equal((await site.cli('restart', 'web')).code, 0)
    site.serves(4)
    for (const load of loads) {
      await assertNoneFailed(load, 50)
    }
    assert.ok(existsSync(socketPath))
    await endAll(site)
    assert.ok(!existsSync(socketPath))
  })

  test('uWSGI behind a proxy that speaks its own protocol is ready when it says so, and restarts where it must', async (t) => {
    const port = await freePort()
    const site = createVersioned(t, {
      processes: {
        handed: { BACKEND: 'uwsgi', ARGS: { socket: `127.0.0.1:${port}` } },
        own: { BACKEND: 'uwsgi', ARGS: { ini: 'uwsgi.ini' } },
      },
      files: { 'uwsgi.ini': `[uwsgi]\nsocket = 127.0.0.1:${await freePort()}\n` },
    })
    await site.up()
    const { stdout } = await site.cli('show')
    assert.match(stdout, /uWSGI opens what its configuration says, so a reload is a restart/)
    const before = await site.ps()
    const { code, stderr } = await site.cli('reload')
    assert.equal(code, 0, stderr)
    const after = await site.ps()
    assert.equal(new Set([...before, ...after].map(({ pid }) => pid)).size, 4)
    assert.equal((await site.cli('down')).code, 0)
  })
})

test('uWSGI that is not installed is found by check', async (t) => {
  const settings = 'PRODUCTION_PROCESSES = {"web": {"BACKEND": "uwsgi"}}'
  const args = ['check', '--json', '--python', OLDER_PYTHON]
  const { code, stdout } = await prodserver(t, args, { cwd: createProject(t, { settings }) })
  const { id, hint } = JSON.parse(stdout) as Problem
  assert.deepEqual([code, id], [4, 'E203'])
  assert.match(hint ?? '', /pip install pyuwsgi$/)
})
