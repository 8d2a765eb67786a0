import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { member } from './support/member.ts'
import { waitUntil } from './support/running.ts'
import { createSupervised, kill, type Supervised } from './support/supervised.ts'

/** One action is under way, and another one comes: what was stopped stays stopped. */

const PATIENT = {
  BACKEND: 'command',
  APP: `${PYTHON} ${join(ROOT, 'test', 'fixtures', 'patient.py')}`,
  READY: { log: 'ready' },
  INSTANCES: 2,
}
const touch = (site: Supervised, name: string): void => writeFileSync(join(site.root, name), '')

/** A reload has replaced the first of two, whose old life takes its time to end. */
async function inReload(
  t: TestContext,
  more: Readonly<Record<string, Json>>,
): Promise<{ site: Supervised; over: Promise<unknown> }> {
  const site = createSupervised(t, { processes: { web: { ...PATIENT, ...more } } })
  touch(site, 'go')
  await site.up()
  const over = site.cli('reload', 'web')
  await waitUntil(
    () => site.events().some(({ type, instance }) => type === 'stopping' && instance === 'web.1') || undefined,
  )
  return { site, over }
}

for (const RELOAD of ['rolling', 'restart']) {
  test(`down during a ${RELOAD} reload stops all of it, and nothing starts any more`, async (t) => {
    const { site, over } = await inReload(t, { RELOAD })
    const down = site.cli('down')
    await waitUntil(
      () => site.events().some(({ type, instance }) => type === 'stopping' && instance === 'web.2') || undefined,
    )
    touch(site, 'finish')
    const { code, stdout, stderr } = await down
    assert.equal(code, 0, stdout + stderr)
    await over
    assert.deepEqual(site.alive(), [])
  })
}

test('stop during a reload stops all of it', async (t) => {
  const { site, over } = await inReload(t, { RELOAD: 'rolling' })
  const stop = site.cli('stop', 'web')
  await waitUntil(
    () => site.events().some(({ type, instance }) => type === 'stopping' && instance === 'web.2') || undefined,
  )
  touch(site, 'finish')
  assert.equal((await stop).code, 0)
  await over
  assert.deepEqual(
    (await site.ps()).map(({ state }) => state),
    ['stopped', 'stopped'],
  )
  assert.equal((await site.cli('down')).code, 0)
})

test('down during a restart leaves nothing running', async (t) => {
  const site = createSupervised(t, {
    processes: {
      web: { ...member('web', { ready: 0.3, stop: 0.1 }), INSTANCES: 3 },
      slow: member('slow', { stop: 2 }),
    },
  })
  await site.up()
  const restart = site.cli('restart', 'web')
  await waitUntil(
    () =>
      site.events().filter(({ type, instance }) => type === 'ready' && instance === 'web.1').length > 1 || undefined,
  )
  const { code, stdout, stderr } = await site.cli('down')
  assert.equal(code, 0, stdout + stderr)
  await restart
  assert.deepEqual(site.alive(), [])
})

test('a job that was stopped has a next time again when it is restarted', async (t) => {
  const job = { BACKEND: 'command', APP: 'true', SCHEDULE: '* * * * * *' }
  const site = createSupervised(t, { processes: { job } })
  await site.up()
  await site.cli('stop', 'job')
  assert.equal((await site.instance('job.1')).nextAt, null)
  assert.equal((await site.cli('restart', 'job')).code, 0)
  const { invocation } = await site.instance('job.1')
  await site.waitFor('job.1', (status) => status.invocation > invocation + 1)
  assert.equal((await site.cli('down')).code, 0)
})

test('one instance that is started again makes its process wanted', async (t) => {
  const site = createSupervised(t, {
    processes: { web: { ...member('web'), INSTANCES: 2 }, other: member('other') },
  })
  const up = site.foreground()
  await up.waitForOutput(/Ready in/)
  await site.cli('stop', 'web')
  await site.cli('start', 'web.1')
  await site.cli('stop', 'other')
  assert.deepEqual(
    (await site.ps()).map(({ instance, state }) => `${instance} ${state}`),
    ['web.1 running', 'web.2 stopped', 'other.1 stopped'],
  )
  assert.ok(up.isRunning())
  up.signal('SIGTERM')
  await up.ended()
})

test('a process is reloaded once, however many of its instances are named', async (t) => {
  const site = createSupervised(t, { processes: { web: { ...member('web'), INSTANCES: 2 } } })
  await site.up()
  const reload = { verb: 'reload', targets: ['web.1', 'web.2'] }
  const answer = await httpPost(join(site.stateDir, 'control.sock'), '/v1/actions', reload)
  assert.match(answer, /"did":"reloaded"/)
  assert.equal(site.events().filter(({ type }) => type === 'reloaded').length, 1)
  assert.equal((await site.cli('down')).code, 0)
})

test('a pipe whose program ended while nobody was there is not kept', async (t) => {
  const web = { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } }
  const site = createSupervised(t, { processes: { web } })
  await site.up()
  const { pid, shimPid } = await site.supervisor()
  const { pid: own } = await site.instance('web.1')
  for (const one of [pid, shimPid, own as number]) kill(one)
  await waitUntil(() => site.alive().length === 0 || undefined)
  await site.up()
  assert.equal((await site.cli('down')).code, 0)
  assert.deepEqual(
    readdirSync(join(site.stateDir, 'run')).filter((name) => name.endsWith('.log')),
    [],
  )
})

function httpPost(socketPath: string, path: string, body: object): Promise<string> {
  return new Promise((settle, fail) => {
    const sent = request({ socketPath, path, method: 'POST', agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => settle(text)).on('error', fail)
    })
    sent.on('error', fail).end(JSON.stringify(body))
  })
}
