import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { hasProgram } from './support/environment.ts'
import { freePort, httpGet, waitForHttp } from './support/net.ts'
import { childrenOf } from './support/processes.ts'
import { waitUntil } from './support/running.ts'
import { type Args, type Facts, project, run, serve } from './support/site.ts'

const GUNICORN = 'django_prodserver.backends.gunicorn.GunicornServer'
const WAITRESS = 'django_prodserver.backends.waitress.WaitressServer'
const GRANIAN_WSGI = 'django_prodserver.backends.granian.GranianWSGIServer'
const GRANIAN_ASGI = 'django_prodserver.backends.granian.GranianASGIServer'
const HYPERCORN = 'prodserver.backends.hypercorn.HypercornServer'
const UVICORN = 'django_prodserver.backends.uvicorn.UvicornServer'
const UVICORN_WSGI = 'django_prodserver.backends.uvicorn.UvicornWSGIServer'

// gunicorn

test('gunicorn serves the application with as many worker processes as declared', async (t) => {
  const site = await serve(t, GUNICORN, ({ port }) => ({ bind: `127.0.0.1:${port}`, workers: '3' }))
  const facts = await site.facts()
  assert.equal(facts.interface, 'wsgi')
  assert.equal(facts.parent, site.running.pid)
  const workers = await waitUntil(() => whenThere(childrenOf(site.running.pid), 3))
  assert.ok(workers.includes(facts.pid))
})

for (const workerClass of ['gthread', 'gevent']) {
  test(`gunicorn uses the worker class ${workerClass} when it is declared`, async (t) => {
    const site = await serve(t, GUNICORN, ({ port }) => ({ bind: `127.0.0.1:${port}`, 'worker-class': workerClass }))
    assert.match(site.running.stderr(), new RegExp(`Using worker: ${workerClass}$`, 'm'))
    if (workerClass === 'gevent') await site.meet(5)
  })
}

test('gunicorn answers as many requests at once in one process as it has threads', async (t) => {
  const site = await serve(t, GUNICORN, ({ port }) => ({ bind: `127.0.0.1:${port}`, workers: '1', threads: '3' }))
  assert.equal((await site.meet(3)).size, 3)
})

test('gunicorn kills a worker that does not answer within the timeout, and starts another', async (t) => {
  const site = await serve(t, GUNICORN, ({ port }) => ({ bind: `127.0.0.1:${port}`, workers: '1', timeout: '1' }))
  const { pid } = await site.facts()
  const hanging = site.get('/hang/').catch(() => undefined)
  await site.running.waitForOutput(new RegExp(`WORKER TIMEOUT \\(pid:${pid}\\)`))
  await hanging
  assert.notEqual((await site.facts()).pid, pid)
})

test('gunicorn replaces a worker after max-requests', async (t) => {
  // The first request is the one that waits for the server.
  const site = await serve(t, GUNICORN, ({ port }) => ({
    bind: `127.0.0.1:${port}`,
    workers: '1',
    'max-requests': '3',
  }))
  const pids = [site.first, await site.facts(), await site.facts(), await site.facts()].map(({ pid }) => pid)
  assert.deepEqual(
    pids.map((pid) => pid === pids[0]),
    [true, true, true, false],
  )
})

const logFiles: Readonly<Record<string, (root: string) => Args>> = {
  'the names of their flags': (root) => ({
    'access-logfile': join(root, 'access.log'),
    'error-logfile': join(root, 'error.log'),
    'log-level': 'debug',
    'keep-alive': '7',
  }),
  'the names of their settings': (root) => ({
    accesslog: join(root, 'access.log'),
    errorlog: join(root, 'error.log'),
    loglevel: 'debug',
    keepalive: '7',
  }),
}

for (const [names, args] of Object.entries(logFiles)) {
  test(`gunicorn takes log files, log level and keep-alive under ${names}`, async (t) => {
    const site = await serve(t, GUNICORN, ({ port, root }) => ({ bind: `127.0.0.1:${port}`, ...args(root) }))
    await site.get('/?marked')
    const access = await waitUntil(() => whenSaid(read(join(site.root, 'access.log')), '/?marked'))
    assert.match(access, /"GET \/\?marked HTTP\/1\.1" 200/)
    const errors = read(join(site.root, 'error.log'))
    assert.match(errors, /Booting worker with pid/)
    // At this level it lists its configuration.
    assert.match(errors, /\[DEBUG\] Current configuration:[\s\S]*^ {2}keepalive: 7$/m)
    assert.equal(site.running.stderr(), `web: gunicorn on http://127.0.0.1:${site.port}\n`)
  })
}

test('gunicorn listens on every address of a list', async (t) => {
  const second = await freePort()
  const site = await serve(t, GUNICORN, ({ port, root }) => ({
    bind: [`127.0.0.1:${port}`, `127.0.0.1:${second}`, `unix:${root}/web.sock`],
  }))
  for (const target of [{ port: second }, { socketPath: join(site.root, 'web.sock') }]) {
    assert.equal((await httpGet(target)).status, 200)
  }
})

// hypercorn

test('hypercorn serves the application with as many worker processes as declared', async (t) => {
  const site = await serve(t, HYPERCORN, ({ port }) => ({ bind: `127.0.0.1:${port}`, workers: '2' }))
  const { pid, parent, interface: kind } = await site.facts()
  assert.deepEqual([parent, kind], [site.running.pid, 'asgi'])
  // Besides the workers it has a process that keeps account of resources.
  assert.ok((await waitUntil(() => whenThere(childrenOf(site.running.pid), 3))).includes(pid))
})

// waitress

test('waitress serves the application with as many threads as declared', async (t) => {
  const site = await serve(t, WAITRESS, ({ port }) => ({ host: '127.0.0.1', port, threads: '6' }))
  const { pid, interface: kind } = await site.facts()
  assert.deepEqual([pid, kind], [site.running.pid, 'wsgi'])
  assert.equal((await site.meet(6)).size, 6)
})

test('waitress serves on a Unix socket', async (t) => {
  const root = project(t)
  const running = run(t, root, WAITRESS, { 'unix-socket': join(root, 'web.sock') })
  assert.equal((await waitForHttp(running, { socketPath: join(root, 'web.sock') })).status, 200)
})

for (const [value, exposes] of [
  ['False', false],
  ['True', true],
] as const) {
  test(`waitress ${exposes ? 'shows' : 'hides'} tracebacks with expose-tracebacks "${value}"`, async (t) => {
    const site = await serve(t, WAITRESS, ({ port }) => ({ host: '127.0.0.1', port, 'expose-tracebacks': value }))
    const { status, body } = await site.get('/broken-application/')
    assert.equal(status, 500)
    assert.equal(body.includes('ZeroDivisionError'), exposes)
  })
}

// granian

test('granian serves WSGI with as many processes and threads as declared, under the names of its constructor', async (t) => {
  const site = await serve(t, GRANIAN_WSGI, ({ port }) => ({ address: '127.0.0.1', port, workers: '1', threads: '2' }))
  const facts = await site.facts()
  assert.deepEqual([facts.parent, facts.interface], [site.running.pid, 'wsgi'])
  assert.equal((await site.meet(2)).size, 2)
})

for (const [backend, kind] of [
  [GRANIAN_WSGI, 'WSGI'],
  [GRANIAN_ASGI, 'ASGI'],
] as const) {
  test(`granian serves ${kind} in as many processes as declared, and logs access with log-access "True"`, async (t) => {
    const site = await serve(t, backend, ({ port }) => ({
      host: '127.0.0.1',
      port,
      workers: '2',
      'log-access': 'True',
    }))
    const facts = await site.facts()
    assert.equal(facts.interface, kind.toLowerCase())
    await site.running.waitForOutput(/"GET \/ HTTP\/1\.1" 200/)
    await site.running.waitForOutput(/Started worker-1[\s\S]*Started worker-2|Started worker-2[\s\S]*Started worker-1/)
    const spawned = [...site.running.output().matchAll(/Spawning worker-\d+ with PID: (\d+)/g)].map(([, pid]) =>
      Number(pid),
    )
    assert.equal(spawned.length, 2)
    assert.ok(spawned.includes(facts.pid))
  })
}

test('granian does not log access with log-access "False"', async (t) => {
  const site = await serve(t, GRANIAN_WSGI, ({ port }) => ({ host: '127.0.0.1', port, 'log-access': 'False' }))
  await site.stop()
  assert.match(site.running.output(), /Granian shutdown completed/)
  assert.doesNotMatch(site.running.output(), /GET/)
})

test('granian serves TLS with ssl-cert and ssl-key', async (t) => {
  if (!hasProgram(t, 'openssl', 'apt-get install openssl')) return
  const root = project(t)
  const [certificate, key] = createCertificate(root)
  const port = await freePort()
  const running = run(t, root, GRANIAN_WSGI, { host: '127.0.0.1', port, 'ssl-cert': certificate, 'ssl-key': key })
  // Its log says that a worker was started, not that it accepts connections yet.
  await running.waitForOutput(/Started worker-1/)
  const body = await waitUntil(() => httpsGet(port, readFileSync(certificate)).catch(() => undefined))
  const facts = JSON.parse(body) as Facts
  assert.equal(facts.secure, true)
})

test('granian serves ASGI on one event loop', async (t) => {
  const site = await serve(t, GRANIAN_ASGI, ({ port }) => ({ address: '127.0.0.1', port }))
  assert.equal((await site.facts()).interface, 'asgi')
  await site.meetInEventLoop()
})

test('granian starts for ASGI with blocking-threads, which it refuses there, and a warning says what is done', async (t) => {
  const site = await serve(t, GRANIAN_ASGI, ({ port }) => ({ host: '127.0.0.1', port, 'blocking-threads': '2' }))
  assert.equal(site.first.interface, 'asgi')
  assert.match(
    site.running.stderr(),
    /W302 PRODUCTION_PROCESSES\["web"\]\["ARGS"\]\["blocking-threads"\]: .*--runtime-threads/,
  )
})

// uvicorn

test('uvicorn serves ASGI on one event loop, and logs as much as log-level says', async (t) => {
  const site = await serve(t, UVICORN, ({ port }) => ({ host: '127.0.0.1', port, 'log-level': 'trace' }))
  const facts = await site.facts()
  assert.deepEqual([facts.pid, facts.interface], [site.running.pid, 'asgi'])
  await site.meetInEventLoop()
  assert.match(site.running.output(), /^TRACE:/m)
})

test('uvicorn serves WSGI in several threads', async (t) => {
  const site = await serve(t, UVICORN_WSGI, ({ port }) => ({ host: '127.0.0.1', port }))
  const facts = await site.facts()
  assert.deepEqual([facts.pid, facts.interface], [site.running.pid, 'wsgi'])
  await site.meet(3)
})

for (const [backend, kind] of [
  [UVICORN, 'asgi'],
  [UVICORN_WSGI, 'wsgi'],
] as const) {
  test(`uvicorn serves ${kind.toUpperCase()} in as many processes as declared`, async (t) => {
    const site = await serve(t, backend, ({ port }) => ({ host: '127.0.0.1', port, workers: '2' }))
    const started = await waitUntil(() =>
      whenThere(
        [...site.running.output().matchAll(/Started server process \[(\d+)\]/g)].map(([, pid]) => Number(pid)),
        2,
      ),
    )
    const facts = await site.facts()
    assert.equal(facts.interface, kind)
    assert.equal(facts.parent, site.running.pid)
    assert.ok(started.includes(facts.pid))
  })
}

const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.7' }

test('uvicorn believes a proxy with proxy-headers "True", and logs no access with no-access-log "True"', async (t) => {
  const site = await serve(t, UVICORN, ({ port }) => ({
    host: '127.0.0.1',
    port,
    'proxy-headers': 'True',
    'no-access-log': 'True',
  }))
  const { secure, client } = await site.facts(forwarded)
  assert.deepEqual({ secure, client }, { secure: true, client: '203.0.113.7' })
  await site.stop()
  assert.match(site.running.output(), /Finished server process/)
  assert.doesNotMatch(site.running.output(), /GET/)
})

test('uvicorn does not believe a proxy with proxy-headers "False", and logs access with no-access-log "False"', async (t) => {
  const site = await serve(t, UVICORN, ({ port }) => ({
    host: '127.0.0.1',
    port,
    'proxy-headers': 'False',
    'no-access-log': 'False',
  }))
  const { secure, client } = await site.facts(forwarded)
  assert.deepEqual({ secure, client }, { secure: false, client: '127.0.0.1' })
  await site.running.waitForOutput(/"GET \/ HTTP\/1\.1" 200/)
})

function createCertificate(folder: string): readonly [certificate: string, key: string] {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const files = ['-keyout', key, '-out', certificate]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject, ...files], {
    stdio: 'pipe',
  })
  return [certificate, key]
}

function httpsGet(port: number, ca: Buffer): Promise<string> {
  return new Promise((settle, fail) => {
    const sent = request(
      { host: '127.0.0.1', port, servername: 'localhost', ca, agent: false, timeout: 20_000 },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => (body += text))
        response.on('end', () => settle(body))
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('no answer in 20 s')))
    sent.on('error', fail)
    sent.end()
  })
}

const read = (path: string): string => readFileSync(path, 'utf8')

const whenThere = <T>(found: readonly T[], count: number): readonly T[] | undefined =>
  found.length === count ? found : undefined

const whenSaid = (text: string, words: string): string | undefined => (text.includes(words) ? text : undefined)
