import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort, httpGet } from './support/net.ts'
import { createSupervised, endAll } from './support/supervised.ts'

test('up -d returns when all is ready, and down leaves nothing', async (t) => {
  const port = await freePort()
  const site = createSupervised(t, {
    processes: {
      web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}`, workers: 2 } },
      ticker: { BACKEND: 'command', APP: 'sleep 600', INSTANCES: 2, DEPENDS_ON: ['web'], READY: { delay: '10ms' } },
    },
  })
  await site.up()
  assert.equal((await httpGet({ port })).status, 200)
  assert.deepEqual(
    (await site.ps()).map(({ instance, state }) => [instance, state]),
    [
      ['web.1', 'running'],
      ['ticker.1', 'running'],
      ['ticker.2', 'running'],
    ],
  )
  await endAll(site)
})
