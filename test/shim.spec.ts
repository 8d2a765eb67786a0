import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { createSupervised, endAll } from './support/supervised.ts'
import { waitUntil } from './support/running.ts'

const processes = { quiet: { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } } }

test('the supervisor learns at once of the end of its shim, whatever still runs', async (t) => {
  const site = createSupervised(t, { processes })
  await site.up()
  const { pid } = await site.instance('quiet.1')
  const { shimPid } = await site.supervisor()
  process.kill(shimPid, 'SIGKILL')
  await waitUntil(() => site.events().some(({ message }) => message.startsWith('the shim has gone')) || undefined, 5000)
  await site.waitFor('quiet.1', (status) => status.state === 'running' && status.pid === pid)
  await endAll(site)
})

test('whoever knocks at the shim and leaves without a word does no harm', async (t) => {
  const site = createSupervised(t, { processes })
  await site.up()
  const before = await site.supervisor()
  const path = relative(process.cwd(), join(site.stateDir, 'shim.sock'))
  for (let knocks = 0; knocks < 20; knocks++) {
    await new Promise<void>((settle) => {
      const visitor = connect(path, () => visitor.destroy())
      // Where too many wait before the door, one is turned away.
      visitor.once('error', () => {}).once('close', () => settle())
    })
  }
  assert.equal((await site.cli('restart', 'quiet')).code, 0)
  assert.deepEqual(await site.supervisor(), before)
})
