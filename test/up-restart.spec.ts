import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { InstanceStatus, ProcessEvent } from '../src/control/protocol.ts'
import type { Json } from '../src/core/types.ts'
import { PYTHON } from './support/environment.ts'
import { freePort, httpGet } from './support/net.ts'
import { isRunning } from './support/processes.ts'
import { waitUntil } from './support/running.ts'
import { createSupervised, endAll, type Supervised } from './support/supervised.ts'

type Keys = Readonly<Record<string, Json>>

const sh = (words: string, more: Keys = {}): Json => ({ BACKEND: 'command', APP: `sh -c '${words}'`, ...more })

/** Two attempts, a moment apart. */
const SOON = { delay: '20ms', max_delay: '40ms', limit: 2 }

const sleeper = (more: Keys = {}): Json => sh('echo up; exec sleep 600', { READY: { log: 'up' }, ...more })

const eventsOf = (site: Supervised, id: string, ...types: readonly string[]): readonly ProcessEvent[] =>
  site.events().filter(({ instance, type }) => instance === id && types.includes(type))

const isState =
  (...states: readonly string[]) =>
  ({ state }: InstanceStatus): boolean =>
    states.includes(state)

test('what crashes at once is started again after delays that grow, and given up with its reason and last lines', async (t) => {
  const restart = { delay: '20ms', max_delay: '160ms', limit: 6 }
  const site = createSupervised(t, {
    processes: {
      crash: sh('echo first line; echo the cause of it all >&2; exit 7', { RESTART: restart, READY: { delay: '10s' } }),
      other: sleeper(),
    },
  })
  const up = await site.up(1)
  // Who waited has been told before it was given up.
  assert.match(up.stderr, /exit 7; it ended 3 times before it was ready/)
  const { state, reason, restarts, invocation } = await site.waitFor('crash.1', ({ state }) => state === 'failed')
  assert.deepEqual({ state, restarts, invocation }, { state: 'failed', restarts: 6, invocation: 7 })
  assert.match(reason ?? '', /^it ended 7 times in [\d.]+m?s; the last time: exit 7$/)
  const delays = eventsOf(site, 'crash.1', 'backoff').map(({ ms }) => ms as number)
  for (const [index, expected] of [20, 40, 80, 160, 160, 160].entries()) {
    const ms = delays[index] as number
    assert.ok(ms >= expected * 0.9 - 1 && ms <= expected * 1.1 + 1, `${delays.join(', ')} ms`)
  }
  const why = (await site.cli('why', 'crash')).stdout
  assert.match(why, /it ended 7 times/)
  for (const text of [up.stderr, why]) assert.match(text, /the cause of it all/)
  assert.match(eventsOf(site, 'crash.1', 'exited')[0]?.details ?? '', /first line\nthe cause of it all/)

  // Nothing more is tried, and the other one has not noticed.
  const other = await site.instance('other.1')
  assert.deepEqual({ state: other.state, run: other.invocation }, { state: 'running', run: 1 })
  assert.equal((await site.instance('crash.1')).invocation, 7)
})

test('delays differ between instances that fail together', async (t) => {
  const site = createSupervised(t, {
    processes: { crash: sh('exit 1', { INSTANCES: 8, RESTART: { delay: '1h', max_delay: '2h' } }) },
  })
  await site.cli('up', '-d', '--no-wait')
  const delays = await waitUntil(() => {
    const found = site.events().flatMap(({ type, ms }) => (type === 'backoff' ? (ms ?? 0) : []))
    return found.length === 8 ? found : undefined
  })
  const hour = 3_600_000
  assert.ok(
    delays.every((ms) => ms >= hour * 0.9 - 1000 && ms <= hour * 1.1),
    delays.join(', '),
  )
  assert.ok(new Set(delays.map((ms) => Math.round(ms / 1000))).size > 4, delays.join(', '))
  const { state, nextAt, reason } = await site.instance('crash.3')
  assert.deepEqual({ state, reason }, { state: 'backoff', reason: 'exit 1' })
  assert.ok(Date.parse(nextAt as string) > Date.now() + hour / 2)
  assert.match((await site.cli('why', 'crash.3')).stdout, /exit 1/)
  // It need not be waited for.
  assert.equal((await site.cli('down')).code, 0)
})

test('the delay begins anew after a time of running well', async (t) => {
  const site = createSupervised(t, {
    processes: {
      web: sh('echo up; sleep 0.3; exit 1', {
        READY: { log: 'up' },
        RESTART: { delay: '60ms', max_delay: '200ms', limit: 4 },
      }),
    },
  })
  await site.up()
  await site.waitFor('web.1', isState('failed'))
  const delays = eventsOf(site, 'web.1', 'backoff').map(({ ms }) => ms as number)
  assert.equal(delays.length, 4)
  assert.ok(
    delays.every((ms) => ms >= 50 && ms <= 70),
    delays.join(', '),
  )
})

test('start after giving up tries anew', async (t) => {
  const site = createSupervised(t, {
    processes: {
      crash: sh('test -e corrected && echo up && exec sleep 600; exit 1', { RESTART: SOON, READY: { log: 'up' } }),
    },
  })
  await site.up(1)
  assert.equal((await site.cli('start', 'crash')).code, 1)
  assert.equal((await site.instance('crash.1')).invocation, 6)

  writeFileSync(join(site.root, 'corrected'), '')
  const { code } = await site.cli('start', 'crash')
  assert.equal(code, 0)
  assert.equal((await site.instance('crash.1')).state, 'running')
})

/** How a program ends by itself once it is ready, and what is seen of that. */
const ENDS: readonly (readonly [name: string, words: string, reason: RegExp])[] = [
  ['an exit code', 'exit 3', /^exit 3$/],
  ['success', 'exit 0', /^exit 0$/],
  ['a crash', 'kill -SEGV $$', /^crashed with SIGSEGV/],
  ['somebody who kills it', 'kill -KILL $$', /^killed by SIGKILL \(not by prodserver/],
]

for (const policy of ['always', 'on-failure', 'never'] as const) {
  test(`RESTART ${policy}`, async (t) => {
    // Only the first life ends.
    const words = (end: string, index: number): string =>
      `echo up; if test -e ended-${index}; then exec sleep 600; fi; sleep 0.1; touch ended-${index}; ${end}`
    const processes = Object.fromEntries(
      ENDS.map(([, end], index) => [
        `p${index}`,
        sh(words(end, index), { READY: { log: 'up' }, RESTART: { policy, delay: '20ms' } }),
      ]),
    )
    const site = createSupervised(t, { processes })
    await site.up()
    for (const [index, [name, , reason]] of ENDS.entries()) {
      const again = policy === 'always' || (policy === 'on-failure' && name !== 'success')
      const id = `p${index}.1`
      const status = await site.waitFor(id, (now) =>
        again ? now.state === 'running' && now.invocation === 2 : ['done', 'failed'].includes(now.state),
      )
      assert.match(status.lastExit?.words ?? '', reason)
      assert.equal(status.restarts, again ? 1 : 0, name)
      if (again) continue
      assert.equal(status.state, name === 'success' ? 'done' : 'failed', name)
      if (name !== 'success') assert.match(status.reason ?? '', reason)
    }
  })
}

/** Readiness long after the end: on a busy machine, Python may need more than the usual second to find the mistake. */
const LATER = { delay: '30s' }

/** First starts that cannot work, and what has to be said of each. */
const HOPELESS: Readonly<
  Record<string, { declare: (port: number) => Json; says: RegExp; taken?: true; files?: Record<string, string> }>
> = {
  'a module that is missing': {
    declare: () => ({ BACKEND: 'command', APP: `${PYTHON} -m no_such_module` }),
    says: /No module named no_such_module/,
  },
  'a module that is missing in a script': {
    declare: () => ({ BACKEND: 'command', APP: `${PYTHON} -c 'import no_such_module'` }),
    says: /ModuleNotFoundError: No module named 'no_such_module'/,
  },
  'an application that raises when gunicorn imports it': {
    declare: (port) => ({ BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` } }),
    files: { 'mysite/wsgi.py': 'import no_such_module\n' },
    says: /No module named 'no_such_module'/,
  },
  'an application that raises when uvicorn imports it': {
    declare: (port) => ({ BACKEND: 'uvicorn', ARGS: { port } }),
    files: { 'mysite/asgi.py': 'import no_such_module\n' },
    says: /No module named 'no_such_module'/,
  },
  'a port of gunicorn that is taken': {
    declare: (port) => ({ BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` } }),
    says: /address 127\.0\.0\.1:\d+ cannot be used: .* \(pid \d+\) listens there/,
    taken: true,
  },
  'a port of a program that is taken': {
    declare: (port) => ({ BACKEND: 'command', APP: `${PYTHON} -m http.server -b 127.0.0.1 ${port}`, READY: LATER }),
    says: /Address already in use/,
    taken: true,
  },
  'an option that gunicorn does not know': {
    declare: (port) => ({ BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}`, 'no-such-option': 'x' } }),
    says: /no-such-option/,
  },
  'an option that a program does not know': {
    declare: () => ({ BACKEND: 'command', APP: `${PYTHON} -m http.server --no-such-option`, READY: LATER }),
    says: /unrecognized arguments: --no-such-option/,
  },
  'an option that a management command does not know': {
    declare: () => ({ BACKEND: 'django-command', APP: 'check', ARGS: { 'no-such-option': 'x' }, READY: LATER }),
    says: /unrecognized arguments: --no-such-option/,
  },
}

for (const [name, { declare, says, taken, files }] of Object.entries(HOPELESS)) {
  test(`${name} fails at once and is not tried again`, async (t) => {
    const port = taken ? await takenPort(t) : await freePort()
    const site = createSupervised(t, { processes: { bad: declare(port), good: sleeper() }, ...(files && { files }) })
    const { stderr } = await site.up(1)
    assert.match(stderr, says)
    const { state, invocation, reason } = await site.instance('bad.1')
    assert.deepEqual({ state, invocation }, { state: 'failed', invocation: 1 }, reason ?? '')
    assert.match((await site.cli('why', 'bad')).stdout, says)
    const good = await site.instance('good.1')
    assert.deepEqual([good.state, good.invocation], ['running', 1])
  })
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

test('a crash of one instance leaves the others alone', async (t) => {
  const site = createSupervised(t, {
    processes: { worker: sleeper({ INSTANCES: 3, RESTART: SOON }), other: sleeper({ DEPENDS_ON: ['worker'] }) },
  })
  await site.up()
  const before = await site.ps()
  const victim = before.find(({ instance }) => instance === 'worker.2')?.pid as number
  process.kill(victim, 'SIGKILL')
  await site.waitFor('worker.2', ({ state, invocation }) => state === 'running' && invocation === 2)
  assert.ok(!isRunning(victim))
  const pids = (all: readonly InstanceStatus[]): readonly unknown[] =>
    all.flatMap(({ instance, pid }) => (instance === 'worker.2' ? [] : [[instance, pid]]))
  assert.deepEqual(pids(await site.ps()), pids(before))
})

test('what grows beyond MEMORY_LIMIT is replaced, and answers all the time', async (t) => {
  const port = await freePort()
  const site = createSupervised(t, {
    processes: { web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` }, MEMORY_LIMIT: '150M' } },
    files: { 'mysite/urls.py': LEAKING },
  })
  await site.up()
  const { pid } = await site.instance('web.1')
  assert.equal((await httpGet({ port }, '/leak')).status, 200)
  let answers = 0
  const status = await waitUntil(
    async () => {
      assert.equal((await httpGet({ port })).status, 200)
      answers++
      const now = await site.instance('web.1')
      return now.pid !== pid && now.state === 'running' && now.beside === null ? now : undefined
    },
    60_000,
    () =>
      site
        .events()
        .map(({ time, message }) => `${time} ${message}`)
        .join('\n'),
  )
  assert.ok(!isRunning(pid as number))
  assert.ok(answers > 5)
  const [note] = eventsOf(site, 'web.1', 'note')
  assert.match(note?.message ?? '', /^uses 2\d\dM, more than its 150M: replaced$/)
  assert.deepEqual(eventsOf(site, 'web.1', 'killed', 'failed', 'backoff'), [])
  // The old one serves until the new one can.
  const steps = eventsOf(site, 'web.1', 'ready', 'stopping').map(({ type, invocation }) => `${type} ${invocation}`)
  assert.deepEqual(steps, ['ready 1', `ready ${status.invocation}`, 'stopping 1'])
})

test('what cannot be replaced goes on, however large it is', async (t) => {
  const port = await freePort()
  const site = createSupervised(t, {
    processes: { web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` }, MEMORY_LIMIT: '150M' } },
    files: { 'mysite/urls.py': LEAKING },
  })
  await site.up()
  const { pid } = await site.instance('web.1')
  assert.equal((await httpGet({ port }, '/leak')).status, 200)
  writeFileSync(join(site.root, 'mysite', 'wsgi.py'), 'import no_such_module\n')
  const refused = await waitUntil(() => eventsOf(site, 'web.1', 'reload-refused')[0])
  assert.match(refused.message, /^could not be replaced: /)
  assert.match(refused.details ?? '', /No module named 'no_such_module'/)
  assert.equal((await httpGet({ port })).status, 200)
  const now = await site.instance('web.1')
  assert.deepEqual([now.state, now.pid, now.beside], ['running', pid, null])
  await endAll(site)
})

const LEAKING = `
from django.http import HttpResponse
from django.urls import path

kept = []


def leak(request):
    kept.append(b"x" * (200 << 20))
    return HttpResponse("leaked")


urlpatterns = [path("", lambda request: HttpResponse("here")), path("leak", leak)]
`

test('up -d tells of what ends again and again, and does not wait until it is given up', async (t) => {
  const site = createSupervised(t, {
    processes: {
      flaky: { BACKEND: 'command', APP: "sh -c 'echo no database; exit 1'", RESTART: { delay: '20ms' } },
      after: { BACKEND: 'command', APP: 'sleep 1000', DEPENDS_ON: ['flaky'] },
    },
  })
  const { stderr } = await site.up(1)
  assert.match(stderr, /^flaky +failed {2}flaky\.1: exit 1; it ended 3 times before it was ready/m)
  assert.match(stderr, /no database/)
  assert.match(stderr, /^after +failed {2}cannot start: flaky ends again and again/m)
  // It goes on.
  await site.waitFor('flaky.1', ({ restarts }) => restarts > 3)
})
