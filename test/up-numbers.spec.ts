import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PYTHON, ROOT } from './support/environment.ts'
import { waitUntil } from './support/running.ts'
import { createSupervised, endAll, kill, type Supervised } from './support/supervised.ts'

/** Becomes ready when the file `go` exists, and stops when the file `finish` exists. */
const WORKER = {
  BACKEND: 'command',
  APP: `${PYTHON} ${join(ROOT, 'test', 'fixtures', 'patient.py')}`,
  READY: { log: 'ready' },
  RELOAD: 'rolling',
  STOP: { timeout: '60s' },
}

const touch = (site: Supervised, name: string): void => writeFileSync(join(site.root, name), '')

/** The number and the pid of every invocation that the supervisors started, in order. */
const startsOf = (site: Supervised): readonly (readonly [number: number | null, pid: number | null])[] =>
  site.events().flatMap(({ type, invocation, pid }) => (type === 'starting' ? [[invocation, pid] as const] : []))

test('gives each invocation a number of its own when the supervisor dies during a reload', async (t) => {
  const site = createSupervised(t, { processes: { worker: WORKER } })
  touch(site, 'go')
  touch(site, 'finish')
  await site.up()
  rmSync(join(site.root, 'go'))
  const changed = { ...WORKER, ENV: { VERSION: '2' } }
  site.declare({ worker: changed })
  const up = site.cli('up', '-d')
  // The state file names the replacement before the supervisor dies.
  const { beside } = await site.waitFor('worker.1', (status) => Boolean(status.beside?.pid))
  kill((await site.supervisor()).pid)
  await up

  const next = site.cli('up', '-d')
  await site.waitFor('worker.1', (status) => (status.beside?.invocation ?? 0) > (beside?.invocation ?? 0))
  touch(site, 'go')
  const { code, stdout, stderr } = await next
  assert.equal(code, 0, stdout + stderr)
  const { invocation, state } = await site.waitFor('worker.1', (status) => status.beside === null)
  assert.deepEqual([invocation, state], [3, 'running'])
  assert.deepEqual(
    startsOf(site).map(([number]) => number),
    [1, 2, 3],
  )
  await waitUntil(() => site.alive().length === 3 || undefined)
  await endAll(site)
})
