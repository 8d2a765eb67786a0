import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { SupervisorStatus } from '../src/control/protocol.ts'
import type { Json } from '../src/core/types.ts'
import { BIN, hasProgram, PYTHON, ROOT } from './support/environment.ts'
import { httpGet } from './support/net.ts'
import { childrenOf } from './support/processes.ts'
import { type Running, start, waitUntil } from './support/running.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'

const SLEEPER: Json = { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } }

const PATIENT: Json = {
  BACKEND: 'command',
  APP: `${PYTHON} ${join(ROOT, 'test', 'fixtures', 'patient.py')}`,
  READY: { log: 'ready' },
}

const failing = (code: number): Json => ({
  BACKEND: 'command',
  APP: `${PYTHON} -c "import time; time.sleep(0.3); raise SystemExit(${code})"`,
  READY: { delay: '10ms' },
  RESTART: 'never',
})

interface Container {
  readonly running: Running
  /** What its process 1 is called outside. */
  readonly init: () => number
  /** The pid outside of one inside. */
  readonly outside: (pid: number | null) => number
}

/** Where a test may not make a container, the reason. */
function findObstacle(t: TestContext): string | undefined {
  if (!hasProgram(t, 'unshare', 'apt-get install util-linux')) return 'unshare is not installed'
  try {
    execFileSync('unshare', [...ISOLATION, 'true'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `no container can be made here: ${(error as Error).message}`
  }
}

const ISOLATION = [
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  '--pid',
  '--fork',
  '--mount-proc',
]

/** `prodserver up` as process 1. */
function startContainer(t: TestContext, site: Supervised, ...args: readonly string[]): Container {
  const running = start(t, 'unshare', [...ISOLATION, process.execPath, BIN, 'up', ...args], {
    cwd: site.root,
    env: { PRODSERVER_PYTHON: PYTHON, ...site.env },
  })
  const outside = (pid: number | null): number => {
    const found = site.alive().find((one) => innerPid(one) === pid)
    assert.ok(found, `${pid} is one of ${site.alive().map(innerPid).join(', ')}\n${running.output()}`)
    return found
  }
  return { running, outside, init: () => outside(1) }
}

/** Its pid in the innermost container that it is in; null outside of all. */
function innerPid(pid: number): number | null {
  try {
    const pids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? []
    return pids.length > 1 ? Number(pids.at(-1)) : null
  } catch {
    return null
  }
}

const commandLine = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')

const notes = (site: Supervised): readonly string[] =>
  existsSync(join(site.root, 'notes')) ? readFileSync(join(site.root, 'notes'), 'utf8').trim().split('\n') : []

const touch = (site: Supervised, name: string): void => writeFileSync(join(site.root, name), '')

function containerTest(name: string, body: (t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    const obstacle = findObstacle(t)
    if (obstacle === undefined) return body(t)
    process.stderr.write(`\n! "${name}" is not tested: ${obstacle}\n\n`)
    return t.skip(obstacle)
  })
}

containerTest(
  'process 1 shows what is printed, leaves no zombies, and stops all in order when it is told',
  async (t) => {
    const orphans = `
import os, time
for _ in range(50):
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.05)
        os._exit(0)
    os.wait()
print("left fifty", flush=True)
time.sleep(600)
`
    const site = createSupervised(t, {
      files: { 'orphans.py': orphans },
      processes: {
        orphans: { BACKEND: 'command', APP: `${PYTHON} orphans.py`, READY: { log: 'left fifty' } },
        after: { ...(SLEEPER as object), DEPENDS_ON: ['orphans'] },
      },
    })
    const { running, init } = startContainer(t, site)
    await running.waitForOutput(/orphans.*left fifty/)
    await running.waitForOutput(/Ready/)
    assert.match(commandLine(init()), /\/prodserver_shim\/__main__\.py /)
    await waitUntil(
      () => childrenOf(init()).length === 3 || undefined,
      5000,
      () => `${childrenOf(init()).length} children`,
    )
    process.kill(init(), 'SIGTERM')
    assert.deepEqual(await running.ended(), { code: 0, signal: null }, running.output())
    const stopped = site.events().filter(({ type }) => type === 'stopped')
    assert.deepEqual(
      stopped.map(({ instance }) => instance),
      ['after.1', 'orphans.1'],
    )
    assert.deepEqual(site.alive(), [])
  },
)

const ENDS: readonly (readonly [args: readonly string[], exitCode: number, ends: boolean, code: number])[] = [
  [[], 3, true, 1],
  [['--exit-on', 'failure'], 3, true, 1],
  [['--exit-on', 'any'], 3, true, 1],
  [['--exit-on', 'any'], 0, true, 0],
  [['--exit-on', 'failure'], 0, false, 0],
  [['--exit-on', 'never'], 3, false, 0],
]

for (const [args, exitCode, ends, code] of ENDS) {
  const [, word = 'nothing'] = args
  containerTest(
    `with ${word} said of --exit-on, a container ${ends ? `ends with ${code}` : 'goes on'} when a process ends with ${exitCode}`,
    async (t) => {
      const site = createSupervised(t, { processes: { failing: failing(exitCode), sleeper: SLEEPER } })
      const { running, init } = startContainer(t, site, ...args)
      if (!ends) {
        await running.waitForOutput(/failing.*(failed|done|exit|ended)/)
        await site.waitFor('failing.1', ({ state }) => state === 'failed' || state === 'done')
        assert.equal((await site.instance('sleeper.1')).state, 'running')
        process.kill(init(), 'SIGTERM')
      }
      assert.deepEqual(await running.ended(), { code, signal: null }, running.output())
      assert.deepEqual(site.alive(), [])
    },
  )
}

containerTest('a supervisor that is killed is started again, and takes over what runs', async (t) => {
  const talker = `import itertools, time\nfor number in itertools.count():\n    print("line", number, flush=True)\n    time.sleep(0.01)`
  const site = createSupervised(t, {
    files: { 'talk.py': talker },
    processes: { talk: { BACKEND: 'command', APP: `${PYTHON} talk.py`, READY: { log: 'line' } }, sleeper: SLEEPER },
  })
  const { running, init, outside } = startContainer(t, site)
  await running.waitForOutput(/Ready/)
  const before = (await site.ps()).map(({ pid, invocation }) => [pid, invocation])
  for (let round = 0; round < 3; round++) {
    const last = await pidOfSupervisor(site)
    assert.ok(last)
    process.kill(outside(last), 'SIGKILL')
    await waitUntil(async () => {
      const next = await pidOfSupervisor(site)
      return next === last ? undefined : next
    })
    await site.waitFor('talk.1', ({ state }) => state === 'running')
    const lines = running.output().split('line').length
    await waitUntil(() => running.output().split('line').length > lines || undefined)
  }
  assert.deepEqual(
    (await site.ps()).map(({ pid, invocation }) => [pid, invocation]),
    before,
  )
  process.kill(init(), 'SIGTERM')
  assert.deepEqual(await running.ended(), { code: 0, signal: null }, running.output())
  assert.deepEqual(site.alive(), [])
})

/** The supervisor's pid inside; undefined while there is none. */
async function pidOfSupervisor(site: Supervised): Promise<number | undefined> {
  const reply = await httpGet({ socketPath: join(site.stateDir, 'control.sock') }, '/v1').catch(() => undefined)
  return reply && (JSON.parse(reply.body) as SupervisorStatus).pid
}

containerTest('a signal that comes while the supervisor is started again is not lost', async (t) => {
  const site = createSupervised(t, { processes: { slow: PATIENT } })
  touch(site, 'go')
  const { running, init, outside } = startContainer(t, site)
  await running.waitForOutput(/Ready/)
  const [{ pid } = { pid: 0 }] = await site.ps()
  const supervisor = site.alive().find((one) => one !== outside(pid) && childrenOf(init()).includes(one))
  // It has been told before anybody notices that nobody is there to be told.
  const first = init()
  process.kill(first, 'SIGSTOP')
  process.kill(supervisor as number, 'SIGKILL')
  process.kill(first, 'SIGTERM')
  process.kill(first, 'SIGCONT')
  await waitUntil(() => notes(site).some((line) => line.startsWith('asked')) || undefined)
  touch(site, 'finish')
  assert.deepEqual(await running.ended(), { code: 0, signal: null }, running.output())
  assert.deepEqual(notes(site), [`started ${pid}`, `asked ${pid}`, `stopped ${pid}`])
})

containerTest('a container whose settings cannot be read ends at once and says why', async (t) => {
  const site = createSupervised(t, { processes: { sleeper: SLEEPER }, settings: 'import nowhere_to_be_found' })
  const { running } = startContainer(t, site)
  const { code } = await running.ended()
  assert.ok(code !== 0)
  assert.match(running.stderr(), /nowhere_to_be_found/)
  assert.deepEqual(site.alive(), [])
})
