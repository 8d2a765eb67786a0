import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { BIN, findProgram, PYTHON, ROOT } from './support/environment.ts'
import { freePort, httpGet } from './support/net.ts'
import { descendantsOf, isRunning } from './support/processes.ts'
import { run } from './support/running.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'

/** How a program leaves another one behind; see the fixture. */
const WAYS = ['deaf', 'session', 'orphan', 'daemon', 'deep']

const leaves = (way: string, more: Record<string, Json> = {}): Json => ({
  BACKEND: 'command',
  APP: `${PYTHON} ${join(ROOT, 'test', 'fixtures', 'leave_behind.py')} ${way}`,
  READY: { log: 'it is there' },
  RESTART: { delay: '10ms' },
  ...more,
})

/** The pids of an instance: its own, and that of what it started. */
async function pidsOf(site: Supervised, id: string): Promise<readonly number[]> {
  const { pid } = await site.instance(id)
  assert.ok(pid !== null)
  const note = join(site.root, `left-${pid}`)
  assert.ok(existsSync(note), `${id} has noted whom it left`)
  const pids = [pid, Number(readFileSync(note, 'utf8'))]
  for (const one of pids) assert.ok(isRunning(one), `pid ${one} of ${id} runs`)
  return pids
}

async function allPids(site: Supervised): Promise<readonly number[]> {
  const pids: number[] = []
  for (const way of WAYS) pids.push(...(await pidsOf(site, `${way}.1`)))
  return pids
}

const everyWay = (): Record<string, Json> => Object.fromEntries(WAYS.map((way) => [way, leaves(way)]))

test('stop ends all that a program has started, however it went its own way', async (t) => {
  const site = createSupervised(t, { processes: everyWay() })
  await site.up()
  const pids = await allPids(site)
  const { code, stderr } = await site.cli('stop')
  assert.deepEqual({ code, stderr, left: pids.filter(isRunning) }, { code: 0, stderr: '', left: [] })
  await site.cli('down')
  assert.deepEqual(site.alive(), [])
})

test('what a program leaves behind when it is killed is ended before it is started again', async (t) => {
  const site = createSupervised(t, { processes: everyWay() })
  await site.up()
  const pids = await allPids(site)
  for (const way of WAYS) process.kill((await site.instance(`${way}.1`)).pid as number, 'SIGKILL')
  for (const way of WAYS)
    await site.waitFor(`${way}.1`, ({ state, invocation }) => state === 'running' && invocation === 2)
  assert.deepEqual(pids.filter(isRunning), [])
  for (const way of WAYS) {
    const own = site.events().filter(({ instance }) => instance === `${way}.1`)
    assert.deepEqual(
      own.map(({ type }) => type).filter((type) => ['exited', 'starting', 'left-behind'].includes(type)),
      ['starting', 'exited', 'starting'],
    )
  }
  const later = await allPids(site)
  assert.equal((await site.cli('down')).code, 0)
  assert.deepEqual(later.filter(isRunning), [])
})

test('down ends what nothing tells to be ours but that it lost its parent', async (t) => {
  const site = createSupervised(t, { processes: { bare: leaves('bare') } })
  await site.up()
  const pids = await pidsOf(site, 'bare.1')
  t.after(() => pids.filter(isRunning).forEach((pid) => process.kill(pid, 'SIGKILL')))
  const { code } = await site.cli('down')
  assert.deepEqual({ code, left: pids.filter(isRunning) }, { code: 0, left: [] })
})

test('a program that ignores TERM is killed when its time is over', async (t) => {
  const site = createSupervised(t, {
    processes: {
      deaf: {
        BACKEND: 'command',
        APP: `sh -c 'trap "" TERM; echo deaf; while :; do sleep 0.05; done'`,
        READY: { log: 'deaf' },
        STOP: { timeout: '300ms' },
      },
    },
  })
  await site.up()
  const { pid } = await site.instance('deaf.1')
  const { code } = await site.cli('stop', 'deaf')
  assert.equal(code, 0)
  assert.ok(!isRunning(pid as number))
  const events = site.events()
  const [asked, killed] = ['stopping', 'killed'].map((type) => events.find((event) => event.type === type))
  assert.ok(asked && killed)
  const waitedMs = Date.parse(killed.time) - Date.parse(asked.time)
  assert.ok(waitedMs >= 290 && waitedMs < 2000, `It was killed after ${waitedMs} ms.`)
  const { lastExit } = await site.instance('deaf.1')
  assert.equal(lastExit?.signal, 'SIGKILL')
})

const servers: Readonly<Record<string, (port: number) => Json>> = {
  gunicorn: (port) => ({ BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}`, workers: 2 } }),
  uvicorn: (port) => ({ BACKEND: 'uvicorn', ARGS: { host: '127.0.0.1', port, workers: 2 } }),
}

for (const [name, declare] of Object.entries(servers)) {
  test(`workers of ${name} do not outlive its main process, and another one serves`, async (t) => {
    const port = await freePort()
    const web = { ...(declare(port) as Record<string, Json>), RESTART: { delay: '10ms' } }
    const site = createSupervised(t, { processes: { web } })
    await site.up()
    const { pid } = await site.instance('web.1')
    const old = [pid as number, ...descendantsOf(pid as number)]
    assert.ok(old.length >= 3, `There are workers: ${old.join(', ')}`)
    process.kill(pid as number, 'SIGKILL')
    await site.waitFor('web.1', ({ state, invocation }) => state === 'running' && invocation === 2)
    assert.deepEqual(old.filter(isRunning), [])
    const { pid: served } = JSON.parse((await httpGet({ port })).body) as { pid: number }
    const { pid: main } = await site.instance('web.1')
    const now = [main as number, ...descendantsOf(main as number)]
    assert.ok(now.includes(served))
    assert.equal((await site.cli('down')).code, 0)
    assert.deepEqual(now.filter(isRunning), [])
    assert.deepEqual(site.alive(), [])
  })
}

test('what may not be ended is named, with exit code 1, and nothing is started beside it', async (t) => {
  const setpriv = findProgram('setpriv')
  if (process.getuid?.() !== 0 || !setpriv) return t.skip('only root can give up the right to kill')
  const site = createSupervised(t, { processes: { odd: leaves('foreign'), good: leaves('daemon') } })
  await upWithoutKill(t, site, setpriv)
  const [main = 0, left = 0] = await pidsOf(site, 'odd.1')
  const good = await pidsOf(site, 'good.1')
  process.kill(main, 'SIGKILL')
  const { reason } = await site.waitFor('odd.1', ({ state }) => state === 'failed')
  assert.match(reason ?? '', new RegExp(`it cannot be ended: pid ${left} \`.*leave_behind\\.py foreign\``))
  assert.equal((await site.instance('odd.1')).invocation, 1)
  assert.deepEqual([main, left].filter(isRunning), [left])
  assert.match((await site.cli('why', 'odd')).stdout, new RegExp(`pid ${left} `))
  assert.notEqual((await site.cli('ps')).code, 0)
  assert.deepEqual(await pidsOf(site, 'good.1'), good)

  const down = await site.cli('down')
  assert.equal(down.code, 1)
  assert.match(down.stderr, new RegExp(`^odd\\.1 +failed +it cannot be ended: pid ${left} `, 'm'))
  assert.deepEqual([...good, ...site.alive()].filter(isRunning), [left])
})

/** A supervisor that may do everything but end processes of other users. */
async function upWithoutKill(t: TestContext, site: Supervised, setpriv: string): Promise<void> {
  const command = ['--bounding-set=-kill', '--inh-caps=-kill', process.execPath, BIN, 'up', '-d']
  const env = { ...site.env, PRODSERVER_PYTHON: PYTHON }
  const { code, stderr } = await run(t, setpriv, command, { cwd: site.root, env })
  assert.equal(code, 0, stderr)
}
