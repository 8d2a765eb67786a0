import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort, httpGet } from './support/net.ts'
import { waitUntil } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

test('every gunicorn under a supervisor has a control socket of its own, which goes with it', async (t) => {
  const ports = [await freePort(), await freePort()]
  const web = (port?: number) => ({ BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` } })
  const site = createSupervised(t, { processes: { one: web(ports[0]), two: web(ports[1]) } })
  await site.up()
  const sockets = (): readonly string[] =>
    readdirSync(join(site.stateDir, 'run'))
      .filter((name) => name.endsWith('.ctl'))
      .toSorted()
  const waitForSockets = (names: readonly string[]): Promise<true> =>
    waitUntil(
      () => sockets().join() === names.join() || undefined,
      20_000,
      () => `There are ${sockets().join()}`,
    )
  await waitForSockets(['one.1-1.ctl', 'two.1-1.ctl'])
  assert.equal((await site.cli('reload', 'one')).code, 0)
  // The second life was the trial of the new code.
  await waitForSockets(['one.1-3.ctl', 'two.1-1.ctl'])
  for (const port of ports) assert.equal((await httpGet({ port })).status, 200)
  assert.equal((await site.cli('down')).code, 0)
  assert.deepEqual(sockets(), [])
})
