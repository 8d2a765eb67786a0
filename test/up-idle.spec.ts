import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSupervised } from './support/supervised.ts'

test('up in the foreground ends by itself when all that it had to do is done', async (t) => {
  const job = { BACKEND: 'command', RUN: 'once' }
  const site = createSupervised(t, {
    processes: { first: { ...job, APP: 'echo one' }, second: { ...job, APP: 'echo two', DEPENDS_ON: ['first'] } },
  })
  const up = site.foreground()
  assert.deepEqual(await up.ended(), { code: 0, signal: null }, up.output())
  assert.match(up.output(), /second\.1 +│ two/)
})

test('up in the foreground shows last words that have no newline', async (t) => {
  const site = createSupervised(t, {
    processes: { speaker: { BACKEND: 'command', RUN: 'once', APP: "printf 'one\nlast words'" } },
  })
  const up = site.foreground()
  assert.deepEqual(await up.ended(), { code: 0, signal: null }, up.output())
  assert.match(up.output(), /speaker\.1 │ last words\n/)
})

test('up in the foreground ends with 1 when nothing of it can run', async (t) => {
  const site = createSupervised(t, {
    processes: { broken: { BACKEND: 'command', APP: 'false', RESTART: 'never' } },
  })
  const up = site.foreground()
  assert.deepEqual(await up.ended(), { code: 1, signal: null }, up.output())
})

test('up after one that was killed while it stopped starts all again, and stays', async (t) => {
  const site = createSupervised(t, {
    processes: {
      prepare: { BACKEND: 'command', APP: 'true', RUN: 'release' },
      stubborn: {
        BACKEND: 'command',
        APP: `bash -c 'trap "" TERM; echo up; while :; do sleep 1; done'`,
        READY: { log: 'up' },
        STOP: { timeout: '2s' },
      },
    },
  })
  const first = site.foreground()
  await first.waitForOutput(/^Ready in/m)
  const { pid } = await site.instance('stubborn.1')
  first.signal('SIGTERM')
  await site.waitFor('stubborn.1', ({ state }) => state === 'stopping')
  first.signal('SIGKILL')
  await first.ended()
  const second = site.foreground()
  await second.waitForOutput(/^Ready in/m)
  await site.waitFor('stubborn.1', (status) => status.state === 'running' && status.pid !== pid)
  assert.doesNotMatch(second.output(), /nothing is left/)
  assert.ok(second.isRunning())
  assert.equal((await site.cli('down', '--force')).code, 0)
  assert.deepEqual(site.alive(), [])
})
