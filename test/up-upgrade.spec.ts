/**
 * An upgrade from version 0.1.0. The fixture is its package as `npm pack` made it from commit 8136958, without the files
 * of commands that these tests do not use.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { PYTHON, ROOT } from './support/environment.ts'
import { startLoad } from './support/load.ts'
import { freePort } from './support/net.ts'
import { commandLineOf, isRunning } from './support/processes.ts'
import { type Finished, run, waitUntil } from './support/running.ts'
import { createSupervised, endAll, type Supervised } from './support/supervised.ts'

const folder = mkdtempSync(join(tmpdir(), 'prodserver-0.1.0-'))
before(() => execFileSync('tar', ['-xzf', join(ROOT, 'test', 'fixtures', 'prodserver-0.1.0.tgz'), '-C', folder]))
after(() => rmSync(folder, { recursive: true, force: true }))

const FLOOD = {
  BACKEND: 'command',
  APP: `${PYTHON} ${join(ROOT, 'test', 'fixtures', 'count_lines.py')} 10000000 100 50 0.01`,
  READY: { delay: '10ms' },
  LOG: { max_size: '64K', keep: 100_000, compress: false },
}

/** A site whose processes version 0.1.0 has started. */
interface OldSite extends Supervised {
  readonly port: number
  readonly old: (...args: readonly string[]) => Promise<Finished>
  readonly oldPids: () => { readonly supervisor: number; readonly shim: number }
}

async function startOld(t: TestContext): Promise<OldSite> {
  const port = await freePort()
  const web = { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}`, workers: 2 } }
  const site = createSupervised(t, { processes: { web, flood: FLOOD } })
  const program = join(folder, 'package', 'dist', 'bin.js')
  const env = { ...site.env, PRODSERVER_PYTHON: PYTHON }
  const old = (...args: readonly string[]): Promise<Finished> =>
    run(t, process.execPath, [program, ...args], { cwd: site.root, env })
  const { code, stdout, stderr } = await old('up', '-d')
  assert.equal(code, 0, stdout + stderr)
  const find = (file: string): number => {
    const found = site.alive().find((pid) => commandLineOf(pid).some((word) => basename(word) === file))
    assert.ok(found, `${file} runs`)
    return found
  }
  const oldPids = (): ReturnType<OldSite['oldPids']> => ({ supervisor: find('supervisor.cjs'), shim: find('keeper') })
  return { ...site, port, old, oldPids }
}

/** What runs, in one word each: the same word is the same invocation. */
const invocations = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .map(({ instance, pid }) => `${String(instance)} ${String(pid)}`)

const psOf = async (ask: (...args: readonly string[]) => Promise<Finished>): Promise<readonly string[]> =>
  invocations((await ask('ps', '--json')).stdout)

for (const victims of [['supervisor'], ['supervisor', 'shim']] as const) {
  test(`up takes over from 0.1.0 after its ${victims.join(' and ')} was killed, and loses no request`, async (t) => {
    const site = await startOld(t)
    const before = await psOf(site.old)
    const pids = site.oldPids()
    const load = startLoad({ port: site.port, fresh: 2, keepAlive: 2 })
    t.after(() => void load.stop())
    for (const victim of victims) process.kill(pids[victim], 'SIGKILL')
    await waitUntil(() => !victims.some((victim) => isRunning(pids[victim])) || undefined)
    await site.up()
    assert.deepEqual(await psOf(site.cli), before)
    assert.equal(isRunning(pids.shim), false)
    assert.equal(existsSync(join(site.stateDir, 'keeper.sock')), false)
    assert.equal((await site.cli('reload', 'web')).code, 0)
    assert.notDeepEqual(await psOf(site.cli), before)
    const { failed, requests } = await load.stop()
    assert.deepEqual(failed, [])
    assert.ok(requests > 0)
    assertComplete((await site.cli('logs', 'flood', '--raw', '--run', '1')).stdout)
    await endAll(site)
  })
}

test('down stops what 0.1.0 left without its supervisor', async (t) => {
  const site = await startOld(t)
  const { supervisor } = site.oldPids()
  process.kill(supervisor, 'SIGKILL')
  await waitUntil(() => !isRunning(supervisor) || undefined)
  const { code, stdout, stderr } = await site.cli('down')
  assert.equal(code, 0, stdout + stderr)
  assert.deepEqual(site.alive(), [])
})

test('down ends a supervisor of 0.1.0 that still runs', async (t) => {
  const site = await startOld(t)
  const { code, stdout, stderr } = await site.cli('down')
  assert.equal(code, 0, stdout + stderr)
  assert.deepEqual(site.alive(), [])
})

test('up leaves the shim of 0.1.0 alone while a supervisor is connected to it', async (t) => {
  const site = await startOld(t)
  const before = site.oldPids()
  // Without the socket, the supervisor cannot be found.
  rmSync(join(site.stateDir, 'control.sock'))
  const { code, stderr } = await site.cli('up', '-d')
  assert.equal(code, 4, stderr)
  assert.deepEqual(site.oldPids(), before)
})

/** Every line is there once, whole and in order. */
function assertComplete(text: string): void {
  const lines = text.trimEnd().split('\n')
  const wrong = lines.findIndex((line, number) => Number(line.slice(0, 8)) !== number || line.length !== 99)
  assert.equal(wrong, -1, `line ${wrong} of ${lines.length} is ${JSON.stringify(lines.slice(wrong - 1, wrong + 2))}`)
  assert.ok(lines.length > 100)
}

test('the package of 0.1.0 is what it says', () => {
  const { version } = JSON.parse(readFileSync(join(folder, 'package', 'package.json'), 'utf8')) as { version: string }
  assert.equal(version, '0.1.0')
})
