import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { useBroker } from './support/brokers.ts'
import { useExample } from './support/example.ts'
import { freePort, httpGet, waitForHttp } from './support/net.ts'
import { startProdserver, waitUntil } from './support/running.ts'
import { superviseExample } from './support/supervised-example.ts'

const FLOWER = { BACKEND: 'prodserver.backends.flower.FlowerServer', APP: 'mysite.celery.app' }

test('flower shows the worker that another process is, and is restarted by a reload, which show explains', async (t) => {
  const broker = await useBroker(t, 'Redis')
  if (!broker) return
  const port = await freePort()
  const site = superviseExample(t, {
    processes: {
      worker: {
        BACKEND: 'celery-worker',
        APP: 'mysite.celery.app',
        ARGS: { hostname: 'shown@test', loglevel: 'info' },
      },
      flower: {
        ...FLOWER,
        DEPENDS_ON: ['worker'],
        ARGS: { address: '127.0.0.1', port, basic_auth: ['one:1', 'two:2'], 'url-prefix': 'flower', debug: true },
      },
    },
    env: { CELERY_BROKER_URL: broker.url() },
  })
  const up = await site.cli('up', '-d')
  assert.equal(up.code, 0, up.stdout + up.stderr)
  assert.equal((await httpGet({ port }, '/flower/')).status, 401)
  const headers = { authorization: `Basic ${Buffer.from('two:2').toString('base64')}` }
  await waitUntil(async () => {
    const { body } = await httpGet({ port }, '/flower/workers?json=1', headers)
    return body.includes('"hostname": "shown@test"') || undefined
  })
  assert.match((await site.cli('show', 'flower')).stdout, /flower opens its own socket, so a reload is a restart/)
  const { pid } = await site.instance('flower.1')
  const reload = await site.cli('reload', 'flower')
  assert.equal(reload.code, 0, reload.stderr)
  assert.notEqual((await site.instance('flower.1')).pid, pid)
  assert.equal((await httpGet({ port }, '/flower/healthcheck')).status, 200)
  const down = await site.cli('down')
  assert.equal(down.code, 0, down.stderr)
  assert.deepEqual(site.alive(), [])
})

test('flower answers on a Unix socket while the broker is down, and exits with 0 on TERM', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-socket-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const socketPath = join(folder, 'flower.sock')
  const example = useExample(t, {
    processes: {
      flower: { ...FLOWER, ARGS: { 'unix-socket': socketPath, 'skip-checks': 'True', loglevel: 'warning' } },
    },
    env: { CELERY_BROKER_URL: `redis://127.0.0.1:${await freePort()}/0` },
  })
  const running = startProdserver(t, ['run', 'flower'], example)
  assert.equal((await waitForHttp(running, { socketPath }, '/healthcheck')).status, 200)
  running.signal('SIGTERM')
  assert.deepEqual(await running.ended(), { code: 0, signal: null }, running.output())
})
