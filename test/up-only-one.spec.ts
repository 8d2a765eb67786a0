import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { type Running, startProdserver, waitUntil } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

/** Notes every start of it, and waits. */
const NOTED: Json = {
  BACKEND: 'command',
  APP: `${PYTHON} ${join(ROOT, 'test', 'fixtures', 'patient.py')}`,
  READY: { delay: '10ms' },
  STOP: { timeout: '100ms' },
}

const PAIRS: readonly (readonly [name: string, ways: readonly (readonly string[])[]])[] = [
  ['both in the background', [['-d'], ['-d']]],
  ['both in the foreground', [[], []]],
  ['one in the foreground and one in the background', [[], ['-d']]],
  ['five of them', [['-d'], [], ['-d'], [], ['-d']]],
]

for (const [name, ways] of PAIRS) {
  test(`of those who start at the same moment one supervises, and nothing runs twice: ${name}`, async (t) => {
    const site = createSupervised(t, { processes: { noted: { ...(NOTED as object), INSTANCES: 2 } } })
    const options = { cwd: site.root, env: site.env }
    // Beginning a little later each time, they meet at every point of the way.
    for (const [round, delayMs] of [0, 0, 30, 80, 150].entries()) {
      const ups: { args: readonly string[]; running: Running }[] = []
      for (const args of ways) {
        ups.push({ args, running: startProdserver(t, ['up', ...args], options) })
        await new Promise((settle) => setTimeout(settle, delayMs))
      }
      // All but the one that supervises in the foreground end.
      const left = await waitUntil(() => {
        const still = ups.filter(({ running }) => running.isRunning())
        return still.length === 0 || (still.length === 1 && still[0]?.args.length === 0) ? still : undefined
      })
      await waitUntil(async () => {
        const all = await site.ps()
        return (all.length === 2 && all.every(({ state }) => state === 'running')) || undefined
      })
      for (const { running } of ups.filter((up) => !left.includes(up))) {
        const { code } = await running.ended()
        assert.ok(code === 0 || code === 4, running.output() + site.log())
        if (code === 4) assert.match(running.stderr(), /Another `prodserver up` was first/)
      }
      const pids = (await site.ps()).map(({ pid }) => pid)
      const started = readFileSync(join(site.root, 'notes'), 'utf8').match(/^started \d+/gm) ?? []
      assert.deepEqual(
        started.slice(round * 2).toSorted(),
        pids.map((pid) => `started ${pid}`).toSorted(),
        ups.map(({ running }) => running.output()).join('\n---\n'),
      )
      assert.equal((await site.cli('down')).code, 0)
      await waitUntil(() => site.alive().length === 0 || undefined)
    }
  })
}
