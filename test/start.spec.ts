import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from './support/environment.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { start } from './support/running.ts'

test('npm start serves the example, says where, and ends with its server', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'prodserver-start-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const port = await freePort()
  const server = start(t, 'npm', ['start'], { cwd: ROOT, env: { PORT: String(port), DATA_DIR: data } })
  // The first start installs the example's Python packages.
  await server.waitForOutput(new RegExp(`http://127\\.0\\.0\\.1:${port}/`), 300_000)
  const page = await waitForHttp(server, { port })
  assert.equal(page.status, 200)
  assert.match(page.body, /gunicorn/)
  assert.match(page.body, /celery/i)
  server.signal('SIGTERM')
  await server.ended()
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`))
})
