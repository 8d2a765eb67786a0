import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { freePort, waitForHttp } from './support/net.ts'
import { createProject } from './support/project.ts'
import { prodserver, startProdserver } from './support/running.ts'

test('dev becomes the development server, with the arguments that it is given', async (t) => {
  const port = await freePort()
  const cwd = createProject(t)
  const server = startProdserver(t, ['dev', `127.0.0.1:${port}`, '--noreload'], { cwd })
  const { status } = await waitForHttp(server, { port })
  assert.equal(status, 200)
  assert.match(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8'), /manage\.py\0runserver\0/)
  server.signal('SIGINT')
  assert.deepEqual(await server.ended(), { code: 0, signal: null })
})

test('dev works without a declaration, and with other settings', async (t) => {
  const cwd = createProject(t, {
    files: { 'mysite/other.py': 'from .settings import *\nraise RuntimeError("other settings")\n' },
  })
  const { stderr, code } = await prodserver(t, ['dev', '--settings', 'mysite.other', '--help'], { cwd })
  assert.equal(code, 0, stderr)
  const checked = await prodserver(t, ['dev', '--settings', 'mysite.other', '--noreload'], { cwd })
  assert.match(checked.stderr, /RuntimeError: other settings/)
})
