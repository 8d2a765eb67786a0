import assert from 'node:assert/strict'
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { BIN, PYTHON } from './support/environment.ts'
import { run, type Running, start } from './support/running.ts'
import { createSupervised, type Supervised } from './support/supervised.ts'

/** As fast as it is read, and without end. */
const FLOOD = `${PYTHON} -u -c 'import os\nwhile True: os.write(1, b"x" * 99 + b"\\n")'`
const PROCESSES = {
  flood: { BACKEND: 'command', APP: FLOOD, READY: { delay: 0 }, LOG: { max_size: '1M', keep: 1, compress: false } },
  other: { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '200ms' }, RESTART: { delay: 0 } },
}

/** `up` in the foreground, printing to where a test wants it. */
const upTo = (t: TestContext, { root, env }: Supervised, target: string): Running =>
  start(t, 'sh', ['-c', `exec "$0" "$1" up > "$2" 2>&1`, process.execPath, BIN, target], {
    cwd: root,
    env: { ...env, PRODSERVER_PYTHON: PYTHON },
  })

/** What is supervised gets ready, is started again, and stops, whatever becomes of the output. */
async function assertSupervised(site: Supervised, up: Running): Promise<void> {
  const first = await site.waitFor('other.1', ({ state }) => state === 'running')
  process.kill(first.pid as number, 'SIGKILL')
  await site.waitFor('other.1', ({ state, pid }) => state === 'running' && pid !== first.pid)
  up.signal('SIGINT')
  assert.deepEqual(await up.ended(), { code: 0, signal: null })
  assert.deepEqual(site.alive(), [])
}

test('up goes on where nobody reads what it prints', async (t) => {
  const site = createSupervised(t, { processes: PROCESSES })
  const pipe = join(site.root, 'pipe')
  await run(t, 'mkfifo', [pipe])
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  t.after(() => closeSync(reader))
  await assertSupervised(site, upTo(t, site, pipe))
})

test('up goes on where something prints without end', async (t) => {
  const site = createSupervised(t, { processes: PROCESSES })
  await assertSupervised(site, upTo(t, site, '/dev/null'))
})
