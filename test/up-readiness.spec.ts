import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { freePort, httpGet } from './support/net.ts'
import { createSupervised } from './support/supervised.ts'

const fixture = (name: string, ...words: readonly (string | number)[]): string =>
  [PYTHON, join(ROOT, 'test', 'fixtures', name), ...words].join(' ')

/** A process of each kind of readiness, ready once the file `go` is there, and nothing before. */
async function ofEachKind(extra: Readonly<Record<string, Json>> = {}): Promise<Record<string, Record<string, Json>>> {
  const [http, url, tcp] = [await freePort(), await freePort(), await freePort()]
  const READY = { interval: '100ms', failures: 5, timeout: '300ms', ...extra }
  const command = (app: string, ready: Record<string, Json>): Record<string, Json> => ({
    BACKEND: 'command',
    APP: app,
    READY: { ...READY, ...ready },
    RESTART: 'never',
  })
  const when = (words: string): string => `bash -c 'until [ -f go ]; do sleep 0.02; done; ${words}; exec sleep 600'`
  return {
    http: command(fixture('moody.py', http, 'http'), { http: `http://127.0.0.1:${http}/health/?full=1` }),
    url: command(fixture('moody.py', url, 'http'), { http: `http://127.0.0.1:${url}` }),
    tcp: command(fixture('moody.py', tcp, 'tcp'), { tcp }),
    exec: command('sleep 600', { exec: ['bash', '-c', 'test -f go || { echo there is no go; exit 3; }'] }),
    log: command(when(`printf "\\033[32mListening\\033[0m on port 8000\\n"`), { log: '^Listening on port \\d+$' }),
    text: command(when('echo at [::]:8000 \\(Press CTRL+C\\)'), { log: '[::]:8000 (Press' }),
    notify: command(fixture('notify.py', 'self'), { notify: true }),
    child: command(fixture('notify.py', 'child'), { notify: true }),
    grandchild: command(fixture('notify.py', 'child-of-child'), { notify: true }),
  }
}

test('a process is ready when its probe passes, of whatever kind, and not before', async (t) => {
  const processes = await ofEachKind({ failures: 200 })
  const site = createSupervised(t, {
    processes: { ...processes, never: { ...processes['notify'], APP: fixture('notify.py', 'nobody') } },
  })
  const up = site.foreground('-d', ...Object.keys(processes))
  const names = Object.keys(processes)
  for (const name of names) await site.waitFor(`${name}.1`, ({ state, pid }) => state === 'starting' && pid !== null)
  // Each has been asked by now, and has printed nothing, or not what is waited for.
  assert.equal((await site.cli('start', 'never', '--no-wait')).code, 0)
  await site.waitFor('never.1', ({ state, pid }) => state === 'starting' && pid !== null)
  for (const { instance, state } of (await site.ps()).filter(({ process }) => names.includes(process)))
    assert.equal(state, 'starting', instance)
  assert.equal(up.isRunning(), true)

  writeFileSync(join(site.root, 'go'), '')
  assert.equal((await up.ended()).code, 0, up.output())
  const states = (await site.ps()).map(({ process, state }) => `${process} ${state}`)
  // What others say is not said by it.
  assert.deepEqual(states, [...names.map((name) => `${name} running`), 'never starting'])
})

test('what is never ready is given up, and the reason has the reply of its probe', async (t) => {
  const site = createSupervised(t, {
    processes: {
      ...(await ofEachKind()),
      hang: {
        BACKEND: 'command',
        APP: 'sleep 600',
        READY: { exec: ['sleep', '60'], interval: '100ms', failures: 5, timeout: '300ms' },
        RESTART: 'never',
      },
    },
  })
  const { stdout, stderr } = await site.up(1)
  const expected: Readonly<Record<string, RegExp>> = {
    http: /GET http:\/\/127\.0\.0\.1:\d+\/health\/\?full=1 → 500.*no such table: shop_order/,
    url: /GET http:\/\/127\.0\.0\.1:\d+\/ → 500/,
    tcp: /connect to 127\.0\.0\.1:\d+ → nothing listens there/,
    exec: /bash → exit 3 +there is no go/,
    hang: /sleep → not finished within 0\.3s/,
    log: /not ready within 0\.8s$/,
    text: /not ready within 0\.8s$/,
    notify: /not ready within 0\.8s$/,
    child: /not ready within 0\.8s$/,
    grandchild: /not ready within 0\.8s$/,
  }
  const all = await site.ps()
  assert.deepEqual(all.map(({ process }) => process).toSorted(), Object.keys(expected).toSorted())
  for (const { process, state, reason } of all) {
    assert.equal(state, 'failed', process)
    assert.match(reason ?? '', /^not ready within 0\.8s/, process)
    assert.match(reason ?? '', expected[process] as RegExp, process)
    assert.match(stderr, new RegExp(`^${process} +failed +${process}\\.1: not ready within`, 'm'))
  }
  assert.match(stdout, /http\.1 .*✗ not ready within/)
})

test('a delay alone counts as ready when it is over, and what ends within it never was', async (t) => {
  const site = createSupervised(t, {
    processes: {
      stays: { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '300ms' } },
      ends: { BACKEND: 'command', APP: 'sleep 0.1', READY: { delay: '30s' }, RESTART: 'never' },
    },
  })
  await site.up(1)
  const { state, startedAt, readyAt } = await site.instance('stays.1')
  assert.equal(state, 'running')
  assert.ok(Date.parse(readyAt ?? '') - Date.parse(startedAt ?? '') >= 300)
  const ends = await site.instance('ends.1')
  assert.deepEqual([ends.state, ends.lastExit?.code], ['failed', 0])
})

test('what was ready and is alive no more is replaced', async (t) => {
  const [http, tcp] = [await freePort(), await freePort()]
  const alive = { interval: '50ms', failures: 2, timeout: '1s' }
  const restart = { delay: '10ms' }
  const site = createSupervised(t, {
    processes: {
      http: {
        BACKEND: 'command',
        APP: fixture('moody.py', http, 'http'),
        READY: { http: `http://127.0.0.1:${http}/` },
        ALIVE: { ...alive, http: `http://127.0.0.1:${http}/` },
        RESTART: restart,
      },
      tcp: {
        BACKEND: 'command',
        APP: fixture('moody.py', tcp, 'tcp'),
        READY: { tcp },
        ALIVE: { ...alive, tcp },
        RESTART: restart,
      },
      exec: {
        BACKEND: 'command',
        APP: `bash -c 'echo $$ > pid; exec sleep 600'`,
        READY: { delay: '10ms' },
        ALIVE: { ...alive, exec: ['bash', '-c', '! cmp pid broken || { echo it is broken; exit 1; }'] },
        RESTART: restart,
      },
    },
  })
  writeFileSync(join(site.root, 'go'), '')
  await site.up()
  const replies: Readonly<Record<string, RegExp>> = {
    http: /alive no more, 2 times in a row: GET .* → 500.*no such table/,
    tcp: /alive no more, 2 times in a row: connect to .* → nothing listens there/,
    exec: /alive no more, 2 times in a row: bash → exit 1 .*it is broken/,
  }
  for (const [name, reply] of Object.entries(replies)) {
    const { pid } = await site.instance(`${name}.1`)
    writeFileSync(join(site.root, 'broken'), name === 'exec' ? `${pid}\n` : String(pid))
    const next = await site.waitFor(`${name}.1`, (status) => status.state === 'running' && status.pid !== pid)
    assert.equal(next.restarts, 1, name)
    const event = site.events().find(({ type, process }) => type === 'not-ready' && process === name)
    assert.match(event?.message ?? '', reply)
  }
  assert.equal((await httpGet({ port: http })).status, 200)
  assert.deepEqual(
    (await site.ps()).map(({ restarts }) => restarts),
    [1, 1, 1],
  )
})

/** Servers that were told to serve what cannot be imported, and what they end with. */
const liars: readonly {
  readonly what: string
  readonly web: (port: number) => Readonly<Record<string, Json>>
}[] = [
  {
    what: 'python -m waitress',
    web: (port) => ({
      BACKEND: 'command',
      APP: `${PYTHON} -m waitress --listen=127.0.0.1:${port} no_such_module:application`,
      READY: { http: `http://127.0.0.1:${port}/` },
    }),
  },
  { what: 'waitress', web: (port) => ({ BACKEND: 'waitress', ARGS: { listen: `127.0.0.1:${port}` } }) },
  { what: 'hypercorn', web: (port) => ({ BACKEND: 'hypercorn', ARGS: { bind: `127.0.0.1:${port}` } }) },
]

for (const { what, web } of liars) {
  test(`${what} with an application that cannot be imported has failed to start, though its exit code is 0`, async (t) => {
    const site = createSupervised(t, {
      processes: { web: web(await freePort()) },
      files: { 'mysite/wsgi.py': 'import no_such_module\n', 'mysite/asgi.py': 'import no_such_module\n' },
      settings: 'ASGI_APPLICATION = "mysite.asgi.application"',
    })
    const { stderr } = await site.up(1)
    const { state, reason, lastExit, restarts } = await site.instance('web.1')
    assert.equal(state, 'failed')
    assert.match(reason ?? '', /no_such_module/)
    assert.match(stderr, /no_such_module/)
    assert.equal(lastExit?.code, 0)
    // Trying again would not have helped.
    assert.equal(restarts, 0)
  })
}

test('an exit code of 0 before it was ready is a failed start, and after that an end', async (t) => {
  const site = createSupervised(t, {
    processes: {
      early: { BACKEND: 'command', APP: 'echo nothing to do', READY: { notify: true }, RESTART: 'never' },
      again: {
        BACKEND: 'command',
        APP: 'echo nothing to do',
        READY: { notify: true },
        RESTART: { delay: '10ms', limit: 2 },
      },
      late: {
        BACKEND: 'command',
        APP: `bash -c 'touch stay; echo ready; while [ -f stay ]; do sleep 0.02; done'`,
        READY: { log: 'ready' },
        RESTART: 'on-failure',
      },
    },
  })
  await site.up(1)
  const [early, again, late] = await site.ps()
  assert.deepEqual([early?.state, early?.lastExit?.code, early?.invocation], ['failed', 0, 1])
  assert.deepEqual([again?.state, again?.lastExit?.code, again?.invocation], ['failed', 0, 3])
  assert.match((await site.cli('why', 'early')).stdout, /nothing to do/)
  assert.equal(late?.state, 'running')
  rmSync(join(site.root, 'stay'))
  assert.equal((await site.waitFor('late.1', ({ state }) => state === 'done')).lastExit?.code, 0)
})
