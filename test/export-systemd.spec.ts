import assert from 'node:assert/strict'
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { canBoot } from './support/engines.ts'
import { hasProgram } from './support/environment.ts'
import { createRecords, deploy, exportFromSystem, exportTo, readRecord, recording } from './support/export.ts'
import { startLoad } from './support/load.ts'
import { freePort, httpGet } from './support/net.ts'
import { run, waitUntil } from './support/running.ts'
import { bootSystemd, type Systemd } from './support/systemd.ts'

const OFFERED = 'apt-get install systemd'

/** How many ask at the same time. */
const CLIENTS = 2

async function ports(count: number): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort()))
}

test('real units: one command starts all in order, a restart refuses no connection, and a stop leaves nothing', async (t) => {
  if (!canBoot(t)) return
  const [web = 0, api = 0, asgi = 0, alone = 0, uwsgi = 0] = await ports(5)
  const records = createRecords(t)
  const cwd = deploy(t, {
    release: { BACKEND: 'command', APP: recording(records, 'release', ['--end']), RUN: 'release', USER: 'nobody' },
    web: {
      BACKEND: 'gunicorn',
      ARGS: { bind: `127.0.0.1:${web}`, workers: 2 },
      INSTANCES: 2,
      DEPENDS_ON: { release: 'completed' },
      MEMORY_LIMIT: '400M',
    },
    api: { BACKEND: 'uvicorn', ARGS: { host: '127.0.0.1', port: api } },
    asgi: { BACKEND: 'hypercorn', ARGS: { bind: `127.0.0.1:${asgi}` } },
    uwsgi: { BACKEND: 'uwsgi', ARGS: { 'http-socket': `127.0.0.1:${uwsgi}` } },
    alone: { BACKEND: 'granian-wsgi', ARGS: { host: '127.0.0.1', port: alone } },
    after: {
      BACKEND: 'command',
      APP: recording(records, 'after'),
      DEPENDS_ON: ['web', 'api'],
      USER: 'nobody',
      GROUP: 'daemon',
      UMASK: '027',
      NICE: 5,
      LIMITS: { nofile: '512:1024' },
    },
    later: { BACKEND: 'command', APP: recording(records, 'later', ['--end']), SCHEDULE: '* * * * * *' },
    broken: { BACKEND: 'command', APP: '/bin/false', RESTART: { delay: '10ms', limit: 3 } },
  })
  const said = await exportTo(t, cwd, 'systemd', '--out=units', '--name=shop')
  assert.match(
    said,
    /\nNext:\n {2}sudo cp units\/\* \/etc\/systemd\/system\/\n {2}sudo systemctl daemon-reload\n {2}sudo systemctl enable --now shop.target\n/,
  )
  const systemd = await bootSystemd(t, join(cwd, 'units'))
  const started = await systemd.run('systemctl', 'start', 'shop.target')
  assert.equal(started.code, 0, started.stderr)
  await serves(systemd, { web, api, asgi, uwsgi, alone })

  const release = await readRecord(records, 'release')
  const after = await readRecord(records, 'after')
  assert.deepEqual([release.uid, after.uid, after.gid], [65_534, 65_534, 1])
  assert.deepEqual([after.umask, after.nice], [0o027, 5])
  await readRecord(records, 'later')
  const shown = await systemd.run('systemctl', 'show', 'shop-after.service', '--property=LimitNOFILE,LimitNOFILESoft')
  assert.deepEqual(shown.stdout.trim().split('\n').toSorted(), ['LimitNOFILE=1024', 'LimitNOFILESoft=512'])
  const broken = (name: string): Promise<string> => property(systemd, 'shop-broken.service', name)
  await waitUntil(async () => (await broken('ActiveState')) === 'failed' || undefined, 60_000)
  assert.equal(await broken('NRestarts'), '3')

  for (const [service, port] of [
    ['shop-web@1.service', web],
    ['shop-api.service', api],
    ['shop-asgi.service', asgi],
    ['shop-uwsgi.service', uwsgi],
  ] as const) {
    const load = startLoad({ port, fresh: CLIENTS })
    await waitUntil(() => load.stats().requests > 20 || undefined)
    const restart = await systemd.run(
      'systemctl',
      'restart',
      ...(service.includes('@') ? [service, 'shop-web@2.service'] : [service]),
    )
    assert.equal(restart.code, 0, systemd.output(service))
    const { requests } = load.stats()
    await waitUntil(() => load.stats().requests > requests + 20 || undefined)
    const { failed } = await load.stop()
    // By themselves these two close what they have accepted and not read; connections are refused by none.
    const closes = service === 'shop-api.service' || service === 'shop-asgi.service'
    assert.deepEqual(
      failed.filter(({ kind }) => !(closes && kind === 'lost')),
      [],
      service,
    )
    assert.ok(failed.length <= CLIENTS, service)
  }

  const stopped = await systemd.run('systemctl', 'stop', 'shop.target')
  assert.equal(stopped.code, 0, stopped.stderr)
  await waitUntil(
    async () => (await running(systemd)) === '' || undefined,
    60_000,
    () => 'something is left',
  )
  for (const port of [web, api, asgi, uwsgi, alone]) await assert.rejects(httpGet({ port }))
  for (const unit of ['web@1', 'web@2', 'api', 'asgi', 'after'])
    assert.equal(await property(systemd, `shop-${unit}.service`, 'Result'), 'success', unit)
})

async function serves(systemd: Systemd, served: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, port] of Object.entries(served)) {
    const reply = await httpGet({ port }).catch((error: unknown) => String(error))
    assert.equal(
      typeof reply === 'string' ? reply : reply.status,
      200,
      `${name}: ${systemd.output(`shop-${name}.service`)}${systemd.output(`shop-${name}@1.service`)}`,
    )
  }
}

const property = async (systemd: Systemd, unit: string, name: string): Promise<string> =>
  (await systemd.run('systemctl', 'show', unit, `--property=${name}`, '--value')).stdout.trim()

const running = async (systemd: Systemd): Promise<string> =>
  (
    await systemd.run(
      'systemctl',
      'list-units',
      '--no-legend',
      '--state=active,activating,deactivating',
      'shop*.service',
      'shop*.socket',
      'shop*.timer',
    )
  ).stdout

test('what does not get ready has not started, and says so', async (t) => {
  if (!canBoot(t)) return
  const [port = 0, tcp = 0] = await ports(2)
  const sleep = { BACKEND: 'command', APP: '/bin/sleep 600', STOP: { timeout: '1s' } }
  const soon = { interval: '50ms', failures: 10, timeout: '1s' }
  const cwd = deploy(t, {
    silent: { ...sleep, READY: { tcp: port, ...soon } },
    refuses: { ...sleep, READY: { exec: ['/bin/false'], ...soon } },
    dies: { BACKEND: 'command', APP: '/bin/false', READY: { exec: ['/bin/false'] } },
    ready: { ...sleep, READY: { exec: ['/bin/true'], ...soon } },
    listens: {
      BACKEND: 'command',
      APP: `/usr/bin/python3 -m http.server --bind 127.0.0.1 ${tcp}`,
      READY: { http: `http://127.0.0.1:${tcp}/`, ...soon, failures: 200 },
    },
  })
  await exportTo(t, cwd, 'systemd', '--out=units', '--name=shop')
  const systemd = await bootSystemd(t, join(cwd, 'units'))
  const started = async (name: string): Promise<number | null> =>
    (await systemd.run('systemctl', 'start', `shop-${name}.service`)).code
  const names = ['silent', 'refuses', 'dies', 'ready', 'listens']
  const codes = await Promise.all(names.map(started))
  assert.deepEqual(
    names.filter((_, index) => codes[index] === 0),
    ['ready', 'listens'],
  )
})

test('a sandbox shows the system, the project and a folder for temporary files that all of them share', async (t) => {
  if (!canBoot(t)) return
  const script = `
name=$1
if [ "$name" = first ]; then echo shared > /tmp/prodserver-shared; fi
{
  cat /tmp/prodserver-shared
  for path in . /usr /etc /home; do touch $path/prodserver-written 2>/dev/null && echo $path; done
} > result.$name.new
mv result.$name.new result.$name
exec sleep 600
`
  const settings = deploy(
    t,
    {
      first: { BACKEND: 'command', APP: '/bin/sh share.sh first' },
      second: { BACKEND: 'command', APP: '/bin/sh share.sh second', DEPENDS_ON: ['first'] },
      third: { BACKEND: 'command', APP: '/bin/sh share.sh third', DEPENDS_ON: ['first'] },
    },
    '',
    { 'share.sh': script },
  )
  // One that lies in a folder for temporary files sees those of everybody.
  const cwd = mkdtempSync('/srv/prodserver-test-')
  t.after(() => rmSync(cwd, { recursive: true, force: true }))
  cpSync(settings, cwd, { recursive: true })
  await exportTo(t, cwd, 'systemd', '--out=units', '--name=shop', '--python=/usr/bin/python3', 'first', 'second')
  const via = ['--out=units', '--name=via', '--run-via=prodserver']
  await exportFromSystem(t, cwd, 'systemd', ...via, 'third')
  const systemd = await bootSystemd(t, join(cwd, 'units'))
  for (const target of ['shop.target', 'via.target'])
    assert.equal((await systemd.run('systemctl', 'start', target)).code, 0)
  const result = (name: string): Promise<string> =>
    waitUntil(
      () => (existsSync(join(cwd, `result.${name}`)) ? readFileSync(join(cwd, `result.${name}`), 'utf8') : undefined),
      20_000,
      () => systemd.output(`shop-${name}.service`) + systemd.output(`via-${name}.service`),
    )
  assert.deepEqual([await result('first'), await result('second')], ['shared\n.\n', 'shared\n.\n'])
  // Through prodserver, with Node in the same sandbox; another group of units has another folder.
  assert.equal(await result('third'), '.\n')
  assert.equal(existsSync('/tmp/prodserver-shared'), false)
})

test('units of every kind are found correct by systemd itself, and expose little', async (t) => {
  if (!hasProgram(t, 'systemd-analyze', OFFERED)) return
  const files = { 'server.js': '' }
  const cwd = deploy(
    t,
    {
      web: {
        BACKEND: 'gunicorn',
        ARGS: { bind: ['127.0.0.1:8000', 'unix:/run/shop/web.sock', '[::1]:8000'] },
        INSTANCES: 3,
      },
      low: { BACKEND: 'waitress', ARGS: { host: '0.0.0.0', port: 80 } },
      front: { BACKEND: 'node', APP: 'server.js', ARGS: { port: 3000 }, RELOAD: 'signal', STOP: { signal: 'QUIT' } },
      tells: { BACKEND: 'command', APP: '/bin/sleep 60', READY: { notify: true } },
      clean: { BACKEND: 'command', APP: '/bin/true', SCHEDULE: '0 3 1,15 * MON-FRI', TZ: 'Europe/Berlin' },
    },
    '',
    files,
  )
  const said = await exportTo(
    t,
    cwd,
    'systemd',
    '--out=units',
    '--user=daemon',
    '--name=shop',
    '--env-from=/etc/hostname',
  )
  assert.doesNotMatch(said, /E8/)
  const units = globSync('units/*', { cwd }).map((path) => join(cwd, path))
  const verified = await run(t, 'systemd-analyze', ['verify', ...units])
  assert.deepEqual([verified.code, verified.stdout, verified.stderr], [0, '', ''])
  for (const unit of units.filter((path) => path.endsWith('.service'))) {
    const threshold = await run(t, 'systemd-analyze', ['security', '--offline=yes', '--threshold=25', unit])
    assert.equal(threshold.code, 0, threshold.stdout)
  }
})
