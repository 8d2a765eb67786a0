import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BIN, hasProgram, PYTHON, ROOT } from './support/environment.ts'
import { freePort, httpGet } from './support/net.ts'
import { createProject, writeFiles } from './support/project.ts'
import { type Finished, prodserver, run, start } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

const page = readFileSync(join(ROOT, 'docs', 'how-to', 'production.md'), 'utf8')
const unit = /```ini\n([\s\S]*?)```/.exec(page)?.[1] ?? ''

test('systemd finds nothing wrong with the unit of the documentation', async (t) => {
  if (!hasProgram(t, 'systemd-analyze', 'apt-get install systemd')) return
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-unit-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(BIN, join(folder, 'node_modules', '.bin', 'prodserver'))
  writeFiles(folder, { 'shop.service': unit.replaceAll('/srv/shop/current', folder) })
  const { code, stdout, stderr } = await run(t, 'systemd-analyze', ['verify', join(folder, 'shop.service')])
  // What the machine's own units are missing is not ours.
  const ours = (stdout + stderr).split('\n').filter((line) => line.includes('shop.service'))
  assert.deepEqual([code, ours], [0, []])
})

test('up tells systemd when all is ready, and when it stops', async (t) => {
  const site = createSupervised(t, {
    processes: { slow: { BACKEND: 'command', APP: 'sh -c "echo go; exec sleep 600"', READY: { log: 'go' } } },
  })
  const notifySocket = join(site.stateDir, 'notify.sock')
  // Node has no datagram sockets of this family.
  const systemd = start(t, PYTHON, [
    '-uc',
    `import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(${JSON.stringify(notifySocket)})
print("listening")
while True:
    print(s.recv(4096).decode())`,
  ])
  await systemd.waitForOutput(/listening/)
  const env = { ...site.env, NOTIFY_SOCKET: notifySocket, PRODSERVER_PYTHON: PYTHON }
  const up = start(t, process.execPath, [BIN, 'up'], { cwd: site.root, env })
  await systemd.waitForOutput(/^READY=1$/m)
  assert.equal((await site.instance('slow.1')).state, 'running')
  up.signal('SIGTERM')
  await systemd.waitForOutput(/^STOPPING=1$/m)
  assert.deepEqual(await up.ended(), { code: 0, signal: null })
})

test('a release in another folder comes in by a reload, and the one that does not work does not', async (t) => {
  const port = await freePort()
  const shop = mkdtempSync(join(tmpdir(), 'prodserver-shop-'))
  const current = join(shop, 'current')
  const deploy = (version: string, urls: string): void => {
    const settings = `PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:${port}"}, "READY": {"http": "/", "interval": "100ms", "failures": 10, "timeout": "2s"}}}\n`
    const release = createProject(t, { settings, files: { 'mysite/urls.py': urls, VERSION: version } })
    symlinkSync(release, `${current}.new`)
    renameSync(`${current}.new`, current)
  }
  const says = (text: string): string => `
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("${text}"))]
`
  const env = { PRODSERVER_STATE_DIR: join(shop, 'state') }
  const cli = (...args: readonly string[]): Promise<Finished> => prodserver(t, args, { cwd: current, env })
  t.after(async () => {
    await cli('down', '--force')
    rmSync(shop, { recursive: true, force: true, maxRetries: 3 })
  })
  deploy('1', says('one'))
  assert.equal((await cli('up', '-d')).code, 0)
  assert.equal((await httpGet({ port })).body, 'one')
  deploy('2', says('two'))
  assert.equal((await cli('reload')).code, 0)
  assert.equal((await httpGet({ port })).body, 'two')
  deploy('3', 'import nonsense\n')
  const { code, stderr } = await cli('reload')
  assert.equal(code, 4)
  assert.match(stderr, /^web {2}REFUSED {2}/m)
  assert.match(stderr, /nonsense/)
  assert.equal((await httpGet({ port })).body, 'two')
})
