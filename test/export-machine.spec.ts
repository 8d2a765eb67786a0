import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { headerLine } from '../src/export/header.ts'
import { exportPlan, prepareExport, TARGETS } from '../src/export/index.ts'
import type { Plan } from '../src/plan/plan.ts'
import { startSupervisord, supervisorctl } from './support/engines.ts'
import { PYTHON } from './support/environment.ts'
import { createRecords, deploy, exportTo, readRecord, recording } from './support/export.ts'
import { exportInput } from './support/exported.ts'
import { assertGolden } from './support/golden.ts'
import { freePort, httpGet } from './support/net.ts'
import { prodserver, run, start, waitUntil } from './support/running.ts'
import { createStack } from './support/stack.ts'

test("the reference's complete stack, as files that stand in the repository", async (t) => {
  const { root } = createStack(t)
  const { code, stdout, stderr } = await prodserver(t, ['show', '--json', '--python', PYTHON], { cwd: root })
  assert.equal(code, 0, stderr)
  // What is written depends on where the project lies: as if it were where projects are deployed to.
  const plan = JSON.parse(stdout.replaceAll(root, '/srv/shop').replaceAll(PYTHON, '/srv/shop/.venv/bin/python')) as Plan
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-golden-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const target of TARGETS.filter(({ runsIn }) => runsIn === 'machine')) {
    const processes = plan.processes.map((planned) => {
      const request = { via: undefined, image: undefined, hasEnvFrom: true, envFromExample: '' }
      return prepareExport(planned, request).process
    })
    const options = { project: plan.project, user: 'shop', image: undefined, envFrom: ['/etc/shop.env'] }
    const { files, problems } = exportPlan(target, exportInput(processes, options))
    assert.deepEqual(problems, [])
    for (const { path, text } of files) {
      const file = join(folder, target.name, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, headerLine({ target: target.name, name: 'shop' }) + text)
    }
    assertGolden(target.name, join(folder, target.name))
  }
})

test('supervisord runs it: instances, restarts, once, signals and the order of the declaration', async (t) => {
  const records = createRecords(t)
  const port = await freePort()
  const cwd = deploy(t, {
    web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` }, DEPENDS_ON: { once: 'completed' } },
    once: { BACKEND: 'command', APP: recording(records, 'once', ['--end']), RUN: 'once' },
    worker: { BACKEND: 'command', APP: '/bin/sleep 600', INSTANCES: 2, UMASK: '027' },
    nightly: { BACKEND: 'command', APP: recording(records, 'nightly', ['--end']), SCHEDULE: '0 3 * * *' },
    ends: { BACKEND: 'command', APP: '/bin/true', RESTART: 'never' },
    user: {
      BACKEND: 'command',
      APP: recording(records, 'user'),
      USER: 'nobody',
      NICE: 3,
      UMASK: '027',
      ENV: { HOME: '/nowhere' },
    },
  })
  const said = await exportTo(t, cwd, 'supervisor', '--out=out', '--name=shop')
  assert.match(
    said,
    /Next:\n {2}sudo cp out\/shop\.conf \/etc\/supervisor\/conf\.d\/\n {2}sudo supervisorctl reread\n {2}sudo supervisorctl update\n/,
  )
  const folder = join(cwd, 'out')
  const supervisord = startSupervisord(t, join(folder, 'shop.conf'))
  const states = async (): Promise<Readonly<Record<string, string>>> => {
    const { stdout } = await supervisorctl(t, folder, 'status')
    return Object.fromEntries(
      [...stdout.matchAll(/^shop:shop-(\S+)\s+([A-Z]+)/gm)].map(([, name = '', state = '']) => [name, state]),
    )
  }
  const expected = {
    ends: 'EXITED',
    nightly: 'STOPPED',
    once: 'EXITED',
    user: process.getuid?.() === 0 ? 'RUNNING' : 'FATAL',
    web: 'RUNNING',
    'worker-1': 'RUNNING',
    'worker-2': 'RUNNING',
  }
  let last = {}
  await waitUntil(
    async () => {
      last = await states()
      return JSON.stringify(last, Object.keys(last).toSorted()) === JSON.stringify(expected) || undefined
    },
    30_000,
    () => JSON.stringify(last) + supervisord.output(),
  )
  assert.equal((await waitUntil(() => httpGet({ port }).catch(() => undefined))).status, 200)
  await readRecord(records, 'once')
  if (process.getuid?.() === 0) {
    const { uid, nice, umask, env } = await readRecord(records, 'user')
    assert.deepEqual([uid, nice, umask, env['HOME']], [65_534, 3, 0o027, '/nowhere'])
  }
  await supervisorctl(t, folder, 'start', 'shop:shop-nightly')
  await readRecord(records, 'nightly')
  const stopped = await supervisorctl(t, folder, 'shutdown')
  assert.equal(stopped.code, 0, stopped.stdout)
  assert.equal((await supervisord.ended()).code, 0)
  await assert.rejects(httpGet({ port }))
})

test('what is printed next starts a Procfile: what ends by itself first, then the others', async (t) => {
  const records = createRecords(t)
  const cwd = deploy(t, {
    migrate: { BACKEND: 'command', APP: recording(records, 'migrate', ['--end']), RUN: 'release' },
    worker: { BACKEND: 'command', APP: recording(records, 'worker'), INSTANCES: 2 },
    other: { BACKEND: 'command', APP: recording(records, 'other'), UMASK: '027' },
    nightly: { BACKEND: 'command', APP: recording(records, 'nightly', ['--end']), SCHEDULE: '@daily' },
  })
  writeFileSync(join(cwd, 'secret.env'), 'API_TOKEN=hush\n')
  const said = await exportTo(t, cwd, 'procfile', '--out=out', '--env-from=secret.env')
  const [, next = ''] = /\nNext:\n([\s\S]*?\n)(?!\s)/.exec(`${said}\n`) ?? []
  const [first = '', second = ''] = next.split('\n').map((line) => line.trim())
  assert.equal(first, 'honcho -f out/Procfile -e out/Procfile.env,secret.env start migrate')
  assert.equal(second, 'honcho -f out/Procfile -e out/Procfile.env,secret.env start -c worker=2 worker other')
  assert.equal(
    readFileSync(join(cwd, 'out', 'Procfile.env'), 'utf8').split('\n')[1],
    "DJANGO_SETTINGS_MODULE='mysite.settings'",
  )
  const env = { PATH: `${dirname(PYTHON)}:${process.env['PATH']}` }
  assert.equal((await run(t, 'sh', ['-c', first], { cwd, env })).code, 0)
  await readRecord(records, 'migrate')
  const running = start(t, 'sh', ['-c', `exec ${second}`], { cwd, env })
  await running.waitForOutput(/worker\.2.*started/)
  assert.equal((await readRecord(records, 'worker', running.output)).env['API_TOKEN'], 'hush')
  assert.equal((await readRecord(records, 'other', running.output)).umask, 0o027)
  running.signal('SIGTERM')
  await running.ended()
})
