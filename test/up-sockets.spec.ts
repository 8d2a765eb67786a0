import assert from 'node:assert/strict'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PYTHON, ROOT } from './support/environment.ts'
import { freePort, httpGet } from './support/net.ts'
import { type Finished, run, waitUntil } from './support/running.ts'
import { createSupervised, endAll } from './support/supervised.ts'

test('a name and a folder may be longer than the path of a socket, also for probes and reloads', async (t) => {
  const port = await freePort()
  const name = `a-${'very-'.repeat(18)}long`
  const site = createSupervised(t, {
    processes: { [name]: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` }, READY: { http: '/' } } },
  })
  const stateDir = join(site.stateDir, ...['deep', 'deeper', 'deepest'].map((part) => part.padEnd(40, '-')))
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const cli = (...args: readonly string[]): Promise<Finished> =>
    run(t, process.execPath, [join(ROOT, 'dist', 'bin.js'), ...args], {
      cwd: site.root,
      env: { ...site.env, PRODSERVER_STATE_DIR: stateDir, PRODSERVER_PYTHON: PYTHON },
    })
  const up = await cli('up', '-d')
  assert.equal(up.code, 0, up.stdout + up.stderr)
  assert.equal((await httpGet({ port })).status, 200)
  const reload = await cli('reload')
  assert.equal(reload.code, 0, reload.stdout + reload.stderr)
  assert.equal((await cli('down')).code, 0)
  assert.deepEqual(site.alive(), [])
})

test('a supervisor whose folder was replaced leaves the sockets of the next one alone', async (t) => {
  const processes = { quiet: { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' } } }
  const site = createSupervised(t, { processes })
  await site.up()
  const first = await site.supervisor()
  const moved = `${site.stateDir}-moved`
  renameSync(site.stateDir, moved)
  t.after(() => rmSync(moved, { recursive: true, force: true }))
  await site.up()
  process.kill(first.pid, 'SIGTERM')
  await waitUntil(() => !existsSync(`/proc/${first.pid}`) || undefined)
  assert.equal((await site.instance('quiet.1')).state, 'running')
  await endAll(site)
})
