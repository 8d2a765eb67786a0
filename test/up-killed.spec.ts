import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { SavedState } from '../src/supervisor/state/state-file.ts'
import type { Json } from '../src/core/types.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { type Load, startLoad } from './support/load.ts'
import { freePort } from './support/net.ts'
import { parentOf } from './support/processes.ts'
import { waitUntil } from './support/running.ts'
import { member, recordOf } from './support/member.ts'
import { createSupervised, endAll, type Supervised } from './support/supervised.ts'

const fixture = (name: string, ...args: readonly (number | string)[]): string =>
  [PYTHON, join(ROOT, 'test', 'fixtures', name), ...args].join(' ')

/** Prints numbered lines for as long as the test lasts, some thousand each second. */
const FLOOD: Json = {
  BACKEND: 'command',
  APP: fixture('count_lines.py', 10_000_000, 100, 50, 0.01),
  READY: { delay: '10ms' },
  LOG: { max_size: '64K', keep: 100_000, compress: false },
}

const web = (port: number, args: { readonly [option: string]: Json } = {}): Json => ({
  BACKEND: 'gunicorn',
  ARGS: { bind: `127.0.0.1:${port}`, workers: 2, ...args },
})

/** gunicorn leaves it to the test how long a request takes: by default it kills a worker after 30 s. */
const ENDLESS = { timeout: 0, graceful_timeout: 3600 }

const PATIENT: Json = {
  BACKEND: 'command',
  APP: fixture('patient.py'),
  READY: { log: 'ready' },
  STOP: { timeout: '60s' },
  RESTART: { delay: '10ms' },
}

/** Answers `/slow` when there is a file `finish`, and does not load while there is a file `hold`. */
const SLOW_SITE = {
  'mysite/urls.py': `
import os
import time

from django.http import HttpResponse
from django.urls import path

BASE = os.path.dirname(os.path.dirname(__file__))


def slow(request):
    open(os.path.join(BASE, "begun"), "w").close()
    while not os.path.exists(os.path.join(BASE, "finish")):
        time.sleep(0.005)
    return HttpResponse("slow")


urlpatterns = [path("", lambda request: HttpResponse(str(os.getppid()))), path("slow", slow)]
`,
  'mysite/wsgi.py': `
import os
import time

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
while os.path.exists(os.path.join(os.path.dirname(os.path.dirname(__file__)), "hold")):
    time.sleep(0.005)
application = get_wsgi_application()
`,
}

const VICTIMS = ['supervisor', 'shim', 'both'] as const

type Victim = (typeof VICTIMS)[number]

const isRunning = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Kills them, and waits until they have gone. */
async function killThem(site: Supervised, victim: Victim): Promise<void> {
  const { pid, shimPid } = await site.supervisor()
  const pids = [...(victim === 'shim' ? [] : [pid]), ...(victim === 'supervisor' ? [] : [shimPid])]
  for (const one of pids) process.kill(one, 'SIGKILL')
  await waitUntil(() => !pids.some(isRunning) || undefined)
}

/** Who runs, in one word each: the same word is the same life. */
const lives = async (site: Supervised): Promise<readonly string[]> =>
  (await site.ps()).map(
    ({ instance, state, pid, invocation, restarts }) => `${instance} ${state} ${pid} ${invocation} ${restarts}`,
  )

/** What the fixture has noted: `started`, `asked` or `stopped`, and a pid. */
const notes = (site: Supervised): readonly string[] =>
  existsSync(join(site.root, 'notes')) ? readFileSync(join(site.root, 'notes'), 'utf8').trim().split('\n') : []

const noted = (site: Supervised, what: string): readonly number[] =>
  notes(site).flatMap((line) => (line.startsWith(what) ? [Number(line.split(' ')[1])] : []))

const touch = (site: Supervised, name: string): void => writeFileSync(join(site.root, name), '')

async function assertNoneFailed(load: Load): Promise<void> {
  const { failed, requests } = await load.stop()
  assert.deepEqual(failed, [])
  assert.ok(requests > 0)
}

/** Every line that was printed is there once, whole and in order, and they reach at least up to a number. */
function assertComplete(text: string, atLeast: number): void {
  const lines = text.trimEnd().split('\n')
  const wrong = lines.findIndex((line, number) => Number(line.slice(0, 8)) !== number || line.length !== 99)
  assert.equal(wrong, -1, `line ${wrong} is ${JSON.stringify(lines.slice(Math.max(0, wrong - 1), wrong + 2))}`)
  assert.ok(lines.length > atLeast, `${lines.length} lines are more than ${atLeast}`)
}

/** The number of lines that have been stored. */
const countStored = (site: Supervised, instance: string): number =>
  readdirSync(join(site.stateDir, 'logs'))
    .filter((name) => name.startsWith(`${instance}.`) && name.endsWith('.log'))
    .map((name) => statSync(join(site.stateDir, 'logs', name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0) / 100

/** Waits until lines have been stored that were not there before. */
async function waitForLines(site: Supervised): Promise<void> {
  const before = countStored(site, 'flood.1')
  await waitUntil(() => countStored(site, 'flood.1') > before || undefined)
}

/** The main processes of all gunicorns. */
function mastersOf(site: Supervised): readonly number[] {
  const all = site.alive().filter((pid) => commandLine(pid).includes('prodserver_runner/__main__.py gunicorn'))
  return all.filter((pid) => !all.includes(parentOf(pid)))
}

/** Ends with the test, also where that fails. */
function loadOf(t: TestContext, options: Parameters<typeof startLoad>[0]): Load {
  const load = startLoad(options)
  t.after(() => void load.stop())
  return load
}

for (const victim of VICTIMS) {
  test(`what runs does not notice when its ${victim === 'both' ? 'supervisor and shim are' : `${victim} is`} killed`, async (t) => {
    const port = await freePort()
    const site = createSupervised(t, { processes: { web: web(port), flood: FLOOD } })
    await site.up()
    const before = await lives(site)
    const load = loadOf(t, { port, fresh: 2, keepAlive: 2 })
    await waitForLines(site)
    await killThem(site, victim)
    await site.up()
    await waitForLines(site)
    assert.deepEqual(await lives(site), before)
    // What comes after it is as it would have been.
    assert.equal((await site.cli('reload', 'web')).code, 0)
    assert.notDeepEqual(await lives(site), before)
    await assertNoneFailed(load)
    const { stdout } = await site.cli('logs', 'flood', '--raw', '--run', '1')
    assertComplete(stdout, 100)
    await endAll(site)
  })

  test(`one start is one start when the ${victim} ends before it is ready`, async (t) => {
    const site = createSupervised(t, { processes: { slow: PATIENT } })
    await site.up(0, '--no-wait')
    await waitUntil(() => noted(site, 'started').length > 0 || undefined)
    await site.waitFor('slow.1', ({ state, pid }) => state === 'starting' && pid !== null)
    await killThem(site, victim)
    await site.up(0, '--no-wait')
    const { pid } = await site.waitFor('slow.1', ({ state }) => state === 'starting')
    touch(site, 'go')
    await site.waitFor('slow.1', ({ state, invocation }) => state === 'running' && invocation === 1)
    assert.deepEqual(notes(site), [`started ${pid}`])
    touch(site, 'finish')
  })

  test(`one stop is one stop when the ${victim} ends before it is done`, async (t) => {
    const site = createSupervised(t, { processes: { slow: PATIENT } })
    touch(site, 'go')
    await site.up()
    const { pid } = await site.instance('slow.1')
    await site.cli('stop', 'slow', '--no-wait')
    await waitUntil(() => noted(site, 'asked').length > 0 || undefined)
    await killThem(site, victim)
    if (victim !== 'shim') await site.up(0, '--no-wait')
    assert.deepEqual(
      (await site.ps()).map(({ state, pid }) => [state, pid]),
      [['stopping', pid]],
    )
    touch(site, 'finish')
    const next = await site.waitFor('slow.1', ({ state }) => victim === 'shim' || state === 'running')
    await waitUntil(() => noted(site, 'stopped').length > 0 || undefined)
    const rest = victim === 'shim' ? noted(site, 'started').slice(1) : [next.pid]
    assert.deepEqual(notes(site), [
      `started ${pid}`,
      `asked ${pid}`,
      `stopped ${pid}`,
      ...rest.map((one) => `started ${one}`),
    ])
  })

  test(`one copy serves when the ${victim} ends before the new one of a reload is ready`, async (t) => {
    const port = await freePort()
    const site = createSupervised(t, { processes: { web: web(port) }, files: SLOW_SITE })
    await site.up()
    const old = await site.instance('web.1')
    const load = loadOf(t, { port, fresh: 2, keepAlive: 2 })
    touch(site, 'hold')
    const reload = site.cli('reload', 'web')
    const { beside } = await site.waitFor('web.1', (status) => Boolean(status.beside?.pid))
    await killThem(site, victim)
    rmSync(join(site.root, 'hold'))
    await reload
    await site.up()
    const now = await site.waitFor('web.1', (status) => status.state === 'running' && status.beside === null)
    // Without its supervisor nobody goes on with a reload.
    if (victim !== 'shim') assert.equal(now.pid, old.pid)
    assert.deepEqual(
      [old.pid, beside?.pid ?? null].filter((pid) => pid !== now.pid && isRunning(pid ?? 0)),
      [],
    )
    assert.deepEqual(mastersOf(site), [now.pid])
    await assertNoneFailed(load)
  })

  test(`the old copy of a reload finishes its work when the ${victim} ends meanwhile`, async (t) => {
    const port = await freePort()
    const site = createSupervised(t, { processes: { web: web(port, ENDLESS) }, files: SLOW_SITE })
    await site.up()
    const old = await site.instance('web.1')
    const load = loadOf(t, { port, fresh: 1, keepAlive: 1 })
    // The request lasts as long as the reload and the restart of the victim: no client of the load waits for that.
    const slow = fetch(`http://127.0.0.1:${port}/slow`)
    await waitUntil(() => existsSync(join(site.root, 'begun')) || undefined)
    const reload = site.cli('reload', 'web')
    const { pid } = await site.waitFor('web.1', ({ beside }) => beside?.pid === old.pid && beside?.state === 'stopping')
    await killThem(site, victim)
    await site.up(0, '--no-wait')
    const now = await site.instance('web.1')
    assert.deepEqual([now.pid, now.beside?.pid, now.beside?.state], [pid, old.pid, 'stopping'])
    touch(site, 'finish')
    await waitUntil(() => !isRunning(old.pid as number) || undefined)
    await site.waitFor('web.1', (status) => status.pid === pid && status.beside === null)
    await reload
    await assertNoneFailed(load)
    assert.equal(await (await slow).text(), 'slow')
  })
}

test('nobody is started twice and nobody is lost, whenever all are killed during a start', async (t) => {
  const site = createSupervised(t, { processes: { slow: { ...(PATIENT as object), INSTANCES: 5 } } })
  touch(site, 'go')
  touch(site, 'finish')
  for (let round = 0; round < 6; round++) {
    const up = site.cli('up', '-d')
    const before = noted(site, 'started').length
    // From the first that was started on, at some moment.
    await waitUntil(() => noted(site, 'started').length > before || undefined)
    await new Promise((settle) => setTimeout(settle, round * 4))
    for (const pid of site.alive().filter((one) => /supervisor\.cjs|\/prodserver_shim/.test(commandLine(one))))
      process.kill(pid, 'SIGKILL')
    await up
    await site.up()
    const running = noted(site, 'started').filter(isRunning)
    assert.deepEqual(new Set(running), new Set((await site.ps()).map(({ pid }) => pid)))
    assert.equal(running.length, 5)
    await endAll(site)
  }
})

test('exits that no supervisor saw are told by the shim, with their codes', async (t) => {
  const script = `import os, time\nwhile not os.path.exists("end-%s" % os.environ["PRODSERVER_INSTANCE"]):\n    time.sleep(0.005)\nos.remove("end-%s" % os.environ["PRODSERVER_INSTANCE"])\nos._exit(7)`
  const site = createSupervised(t, {
    files: { 'ends.py': script },
    processes: {
      ends: { BACKEND: 'command', APP: `${PYTHON} ends.py`, READY: { delay: '10ms' }, RESTART: { delay: '10ms' } },
    },
  })
  await site.up()
  const { pid } = await site.instance('ends.1')
  // The only one that it has: the shim waits for the next supervisor nevertheless.
  await killThem(site, 'supervisor')
  touch(site, 'end-ends.1')
  await waitUntil(() => !isRunning(pid as number) || undefined)
  await site.up()
  const next = await site.waitFor('ends.1', ({ state, invocation }) => state === 'running' && invocation === 2)
  const exits = site.events().filter(({ type }) => type === 'exited')
  assert.deepEqual(
    exits.map((event) => [event.pid, event.exit]),
    [[pid, { code: 7, signal: null }]],
  )
  await killThem(site, 'both')
  touch(site, 'end-ends.1')
  await waitUntil(() => !isRunning(next.pid as number) || undefined)
  await site.up()
  await site.waitFor('ends.1', ({ state, invocation }) => state === 'running' && invocation === 3)
  assert.deepEqual(site.events().findLast(({ type }) => type === 'exited')?.exit, { code: null, signal: null })
})

test('what is declared no more when the next supervisor comes is stopped as it was declared', async (t) => {
  const port = await freePort()
  const sleeper: Json = { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } }
  const site = createSupervised(t, { processes: { slow: PATIENT, web: web(port), sleeper } })
  touch(site, 'go')
  touch(site, 'finish')
  await site.up()
  const [slow, before] = [await site.instance('slow.1'), await site.instance('sleeper.1')]
  await killThem(site, 'supervisor')
  // The address is another process's now.
  site.declare({ site: web(port), sleeper })
  const { stdout } = await site.up()
  assert.match(stdout, /slow.*declared no more/)
  assert.deepEqual(notes(site), [`started ${slow.pid}`, `asked ${slow.pid}`, `stopped ${slow.pid}`])
  assert.deepEqual(
    (await site.ps()).map(({ instance, state }) => [instance, state]),
    [
      ['site.1', 'running'],
      ['sleeper.1', 'running'],
    ],
  )
  assert.equal((await site.instance('sleeper.1')).pid, before.pid)
})

test('one that is stopped because it is declared no more is not forgotten when the supervisor is killed again', async (t) => {
  const site = createSupervised(t, { processes: { slow: PATIENT, sleeper: { BACKEND: 'command', APP: 'sleep 600' } } })
  touch(site, 'go')
  await site.up()
  const { pid } = await site.instance('slow.1')
  site.declare({ sleeper: { BACKEND: 'command', APP: 'sleep 600' } })
  for (const victim of VICTIMS) {
    await killThem(site, victim)
    await site.up(0, '--no-wait')
    await waitUntil(() => noted(site, 'asked').length > 0 || undefined)
  }
  const down = site.cli('down')
  await waitUntil(
    () => site.events().some(({ instance, type }) => instance === 'sleeper.1' && type === 'stopped') || undefined,
  )
  assert.equal(isRunning(pid as number), true)
  touch(site, 'finish')
  const { code, stdout, stderr } = await down
  assert.equal(code, 0, stdout + stderr)
  assert.deepEqual(notes(site), [`started ${pid}`, `asked ${pid}`, `stopped ${pid}`])
  assert.deepEqual(site.alive().map(commandLine), [])
})

/** A process of ours that nobody else may end. */
function startStranger(t: TestContext): { pid: number; startTicks: number } {
  const { pid = 0 } = spawn('sleep', ['600'], { stdio: 'ignore' }).on('error', () => {})
  t.after(() => process.kill(pid, 'SIGKILL'))
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return { pid, startTicks: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) }
}

const STRANGERS: readonly (readonly [
  name: string,
  change: (state: SavedState, stranger: { pid: number; startTicks: number }) => unknown,
])[] = [
  [
    'whose pid was that of a program before the system was started again',
    (state, stranger) => ({ ...state, bootId: 'before', lives: state.lives.map((life) => ({ ...life, ...stranger })) }),
  ],
  [
    'who got the pid of a program that ended',
    (state, { pid, startTicks }) => ({
      ...state,
      lives: state.lives.map((life) => ({ ...life, pid, startTicks: startTicks - 1 })),
    }),
  ],
]

for (const [name, change] of STRANGERS) {
  test(`a stranger is left alone ${name}`, async (t) => {
    const sleeper: Json = { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } }
    const site = createSupervised(t, { processes: { sleeper, other: sleeper } })
    const stranger = startStranger(t)
    await site.up()
    await killThem(site, 'both')
    for (const pid of site.alive()) process.kill(pid, 'SIGKILL')
    await waitUntil(() => site.alive().length === 0 || undefined)
    const path = join(site.stateDir, 'state.json')
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as SavedState, stranger)))
    site.declare({ sleeper })
    await site.up()
    assert.equal((await site.instance('sleeper.1')).state, 'running')
    assert.notEqual((await site.instance('sleeper.1')).pid, stranger.pid)
    assert.equal((await site.cli('down')).code, 0)
    assert.equal(isRunning(stranger.pid), true)
  })
}

const STATES: readonly (readonly [name: string, change: (text: string) => string])[] = [
  ['cut off', (text) => text.slice(0, text.length / 2)],
  ['empty', () => ''],
  ['of a newer version', (text) => JSON.stringify({ ...(JSON.parse(text) as object), version: 99, lives: 'unknown' })],
  ['nothing', () => 'null'],
]

test('whatever became of the state file, each process runs once', async (t) => {
  const sleeper: Json = { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } }
  const port = await freePort()
  const site = createSupervised(t, { processes: { sleeper, web: web(port) } })
  await site.up()
  const load = loadOf(t, { port, fresh: 1, keepAlive: 1 })
  const path = join(site.stateDir, 'state.json')
  for (const [name, change] of STATES) {
    await killThem(site, 'supervisor')
    writeFileSync(path, change(readFileSync(path, 'utf8')))
    await site.up()
    const pids = (await site.ps()).map(({ pid }) => pid as number)
    assert.equal(pids.every(isRunning), true, name)
    const sleepers = site.alive().filter((pid) => /sleep 600/.test(commandLine(pid)))
    assert.deepEqual(sleepers, [pids[0]], name)
  }
  await assertNoneFailed(load)
})

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

test('twenty kills in a row at any moment leave everything as it was', async (t) => {
  const port = await freePort()
  const site = createSupervised(t, { processes: { web: web(port), flood: FLOOD } })
  await site.up()
  const before = await lives(site)
  const load = loadOf(t, { port, fresh: 2, keepAlive: 2 })
  for (let round = 0; round < 20; round++) {
    const { pid, shimPid } = await site.supervisor()
    const pids = [[pid, shimPid], [shimPid], [pid]][round % 3] ?? []
    await new Promise((settle) => setTimeout(settle, Math.random() * 100))
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await waitUntil(() => !pids.some(isRunning) || undefined)
    await site.up()
  }
  await waitForLines(site)
  assert.deepEqual(await lives(site), before)
  await assertNoneFailed(load)
  const { stdout } = await site.cli('logs', 'flood', '--raw', '--run', '1')
  assertComplete(stdout, 1000)
})

test('a shim that starts and ends programs for a long time has no more descriptors open than before', async (t) => {
  const port = await freePort()
  const site = createSupervised(t, {
    processes: { web: web(port), sleeper: { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } } },
  })
  await site.up()
  const { shimPid } = await site.supervisor()
  await site.cli('restart', 'sleeper')
  const count = (): number => readdirSync(`/proc/${shimPid}/fd`).length
  const before = count()
  for (let round = 0; round < 4; round++) {
    assert.equal((await site.cli('restart', 'sleeper')).code, 0)
    assert.equal((await site.cli('reload')).code, 0)
    await killThem(site, 'supervisor')
    await site.up()
  }
  await waitUntil(
    () => count() <= before || undefined,
    5000,
    () => `${count()} descriptors, ${before} before`,
  )
})

for (const victim of ['supervisor', 'both'] as const) {
  test(`down stops what goes on without its ${victim === 'both' ? 'supervisor and shim' : victim}`, async (t) => {
    const site = createSupervised(t, {
      processes: { polite: member('polite'), web: member('web', {}, { INSTANCES: 2 }) },
    })
    await site.up()
    await killThem(site, victim)
    for (const command of [['ps'], ['why', 'web'], ['stop']]) {
      const { code, stderr } = await site.cli(...command)
      assert.equal(code, 3)
      assert.match(
        stderr,
        /The supervisor is gone, and what it started goes on without it: polite\.1 \(pid \d+\), web\.1/,
      )
    }
    const { code, stdout, stderr } = await site.cli('down')
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /Down\. Nothing is left running\.\n$/)
    assert.deepEqual(site.alive(), [])
    assert.deepEqual(
      recordOf(site.root)
        .filter((line) => line.startsWith('gone'))
        .toSorted(),
      ['gone polite', 'gone web', 'gone web'],
    )
    assert.equal((await site.cli('down')).stderr, 'Nothing is running.\n')
  })
}

test('down --force kills what goes on without its supervisor', async (t) => {
  const deaf = {
    BACKEND: 'command',
    APP: `bash -c 'trap "" TERM; echo up; while :; do sleep 1; done'`,
    READY: { log: 'up' },
  }
  const site = createSupervised(t, { processes: { deaf } })
  await site.up()
  await killThem(site, 'supervisor')
  const { code, stdout, stderr } = await site.cli('down', '--force')
  assert.equal(code, 0, stdout + stderr)
  assert.deepEqual(site.alive(), [])
})
