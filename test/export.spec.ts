import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createRecords, deploy, readRecord, recording } from './support/export.ts'
import { BIN, PYTHON } from './support/environment.ts'
import { type Finished, prodserver, run } from './support/running.ts'

const STACK = {
  web: { BACKEND: 'gunicorn', ARGS: { bind: '127.0.0.1:8000' } },
  worker: { BACKEND: 'command', APP: '/bin/sleep 600' },
}
const OPTIONS = ['export', 'systemd', '--name=shop', '--user=shop', '--out=units']
const FILES = ['shop-web.service', 'shop-web.socket', 'shop-worker.service', 'shop.target']

function createShop(t: TestContext, processes: Parameters<typeof deploy>[1] = STACK, settings = '') {
  const cwd = deploy(t, processes, settings)
  const shop = (...more: readonly string[]): Promise<Finished> => prodserver(t, [...OPTIONS, ...more], { cwd })
  const units = join(cwd, 'units')
  const read = (name: string): string => readFileSync(join(units, name), 'utf8')
  return { cwd, shop, units, read }
}

test('files are written once, and again only where something changed', async (t) => {
  const { shop, units, read } = createShop(t)
  const first = await shop()
  assert.deepEqual([first.code, first.stderr], [0, ''])
  assert.equal(
    first.stdout,
    `written   units/shop.target
written   units/shop-web.service
written   units/shop-web.socket
written   units/shop-worker.service

Next:
  sudo cp units/* /etc/systemd/system/
  sudo systemctl daemon-reload
  sudo systemctl enable --now shop.target
`,
  )
  assert.deepEqual(readdirSync(units).toSorted(), FILES)
  for (const name of FILES)
    assert.match(read(name), /^# Written by `prodserver export systemd` for shop; change the declaration/)
  const again = await shop()
  assert.deepEqual(again.stdout.match(/^\w+/gm), ['unchanged', 'unchanged', 'unchanged', 'unchanged', 'Next'])

  assert.deepEqual(await shop('--check'), { code: 0, stdout: 'Up to date: 4 files in units.\n', stderr: '' })
  writeFileSync(join(units, 'shop.target'), read('shop.target').replace('Description=shop\n', 'Description=old\n'))
  for (const [option, code] of [
    ['--diff', 0],
    ['--check', 1],
  ] as const) {
    const shown = await shop(option)
    assert.equal(shown.code, code)
    assert.match(shown.stdout, /^--- shop\.target\n\+\+\+ shop\.target\n/)
    assert.match(shown.stdout, /\n-Description=old\n\+Description=shop\n/)
    assert.match(read('shop.target'), /Description=old/)
  }
  assert.match((await shop()).stdout, /^written {3}units\/shop\.target\nunchanged/)
  assert.match(read('shop.target'), /Description=shop\n/)
})

test('what is not declared any more goes, and what somebody else has written stays', async (t) => {
  const { cwd, shop, units, read } = createShop(t)
  await shop()
  const others = {
    'nginx.service': '[Service]\nExecStart=/usr/sbin/nginx\n',
    'other-web.service':
      '# Written by `prodserver export systemd` for other; change the declaration and run it again.\n',
    'shop.conf': '# Written by `prodserver export supervisor` for shop; change the declaration and run it again.\n',
  }
  for (const [name, text] of Object.entries(others)) writeFileSync(join(units, name), text)
  const settings = join(cwd, 'mysite', 'settings.py')
  writeFileSync(settings, `${readFileSync(settings, 'utf8')}\ndel PRODUCTION_PROCESSES["worker"]\n`)
  assert.equal((await shop('--check')).code, 1)
  assert.match((await shop()).stdout, /^removed {3}units\/shop-worker\.service$/m)
  assert.deepEqual(
    readdirSync(units).toSorted(),
    [...FILES.filter((name) => !name.includes('worker')), ...Object.keys(others)].toSorted(),
  )
  for (const [name, text] of Object.entries(others)) assert.equal(read(name), text)

  // A folder below is another export's.
  const above = await shop('--out=.')
  assert.equal(above.code, 0, above.stderr)
  assert.doesNotMatch(above.stdout, /removed/)

  // In the way of one that is to be written.
  writeFileSync(join(units, 'shop-web.service'), '[Service]\nExecStart=/bin/true\n')
  rmSync(join(units, 'shop-web.socket'))
  const refused = await shop()
  assert.deepEqual(
    [refused.code, refused.stdout, refused.stderr],
    [
      4,
      '',
      `E803  units/shop-web.service
      This file is there, and prodserver has not written it for this target and name.
      → Move it away, or export to another folder: --out
`,
    ],
  )
  assert.equal(existsSync(join(units, 'shop-web.socket')), false)

  for (const make of [(path: string) => mkdirSync(path), (path: string) => symlinkSync('nginx.service', path)]) {
    rmSync(join(units, 'shop-web.service'), { recursive: true })
    make(join(units, 'shop-web.service'))
    assert.match((await shop()).stderr, /^E803 {2}units\/shop-web\.service\n/)
  }
  assert.equal(read('nginx.service'), others['nginx.service'])
})

test('where a folder cannot be written nothing is changed', async (t) => {
  const { cwd, shop, units } = createShop(t)
  writeFileSync(units, '')
  const inTheWay = await shop()
  assert.equal(inTheWay.code, 1)
  assert.match(
    inTheWay.stderr,
    /^E804 {2}.*\/units\n {6}The files cannot be written: ENOTDIR.*\n {6}→ Look: ls -ld .*; df .*\n$/,
  )
  rmSync(units)
  await shop()
  if (process.getuid?.() !== 0) return
  // A disk that is full, and one that cannot be written: the second of the files does not fit.
  const before = readFileSync(join(units, 'shop.target'), 'utf8')
  const script = (mount: string): string => `
mkdir -p full && mount -t tmpfs -o ${mount} tmpfs full && cp units/shop.target full/ && echo '# stale' >> full/shop.target
${mount.includes('size') ? 'head -c 100000 /dev/zero > full/fill 2>/dev/null' : 'mount -o remount,ro full'}
${process.execPath} ${BIN} ${OPTIONS.join(' ').replace('--out=units', '--out=full')}; code=$?
ls -A full; tail -n 1 full/shop.target; exit $code`
  for (const mount of ['size=4k', 'mode=755']) {
    const env = { PRODSERVER_PYTHON: PYTHON }
    const result = await run(t, 'unshare', ['--mount', 'sh', '-c', script(mount)], { cwd, env })
    assert.equal(result.code, 1, result.stdout + result.stderr)
    assert.match(result.stderr, /E804 {2}.*\/full\n {6}The files cannot be written: (ENOSPC|EROFS)/)
    assert.match(result.stdout, /^(fill\n)?shop\.target\n# stale\n$/)
  }
  assert.equal(readFileSync(join(units, 'shop.target'), 'utf8'), before)
})

test('no secret is written, whatever it stands in', async (t) => {
  const processes = {
    web: {
      BACKEND: 'gunicorn',
      ARGS: { bind: '127.0.0.1:8000', 'keyfile-password': 'hush-1' },
      ENV: { API_TOKEN: 'hush-2', DATABASE_URL: 'postgres://shop:hush-3@db/shop', PLAIN: 'shown' },
      READY: { http: 'http://admin:hush-4@127.0.0.1:8000/' },
    },
  }
  const { cwd, units } = createShop(t, processes)
  for (const target of ['systemd', 'supervisor', 'procfile']) {
    const { code, stdout, stderr } = await prodserver(t, ['export', target, '--out=units'], { cwd })
    assert.deepEqual([code, stdout, existsSync(units)], [4, '', false])
    assert.equal(
      stderr.replaceAll(/ {2}mysite\/settings\.py:\d+$/gm, ''),
      `E801  PRODUCTION_PROCESSES["web"]["ARGS"]["keyfile-password"]
      A value of the command line may be a secret, and an exported file contains no secrets.
      → Let the program read it from its environment or a file, or export with --run-via prodserver

E801  PRODUCTION_PROCESSES["web"]["READY"]
      A part of the probe may be a secret, and an exported file contains no secrets.
      → Probe an address that needs no password

E801  PRODUCTION_PROCESSES["web"]["ENV"]["API_TOKEN"]
      The value of API_TOKEN may be a secret, and an exported file contains no secrets.
      → Name its source: --env-from /etc/shop.env

E801  PRODUCTION_PROCESSES["web"]["ENV"]["DATABASE_URL"]
      The value of DATABASE_URL may be a secret, and an exported file contains no secrets.
      → Name its source: --env-from /etc/shop.env
`,
    )
    assert.doesNotMatch(stderr, /hush/)
  }
})

test('secrets come from a file that is named', async (t) => {
  const records = createRecords(t)
  const worker = { BACKEND: 'command', APP: recording(records, 'worker'), ENV: { API_TOKEN: 'hush', PLAIN: 'shown' } }
  const { cwd } = createShop(t, { worker })
  writeFileSync(join(cwd, 'secret.env'), 'API_TOKEN=from-the-file\n')
  for (const target of ['systemd', 'supervisor', 'procfile']) {
    const out = `out-${target}`
    const options = [`--env-from=${cwd}/secret.env`, `--out=${out}`, '--name=shop']
    const { code, stderr } = await prodserver(t, ['export', target, ...options], { cwd })
    assert.equal(code, 0, stderr)
    const texts = readdirSync(join(cwd, out)).map((name) => readFileSync(join(cwd, out, name), 'utf8'))
    assert.match(texts.join(''), /PLAIN=["']?shown/)
    assert.doesNotMatch(texts.join(''), /hush|from-the-file/)
  }
})

test('by prodserver run or without it, the same is started', async (t) => {
  const records = createRecords(t)
  const words = ['two words', '100%', '$HOME']
  const worker = {
    BACKEND: 'command',
    APP: recording(records, 'worker', ['--end', ...words]),
    ENV: { GREETING: 'hush % "$"' },
  }
  const { cwd, shop, read } = createShop(t, { worker })
  const seen = []
  for (const way of ['direct', 'prodserver']) {
    assert.equal((await shop(`--run-via=${way}`)).code, 0)
    const text = read('shop-worker.service')
    assert.equal(text.includes(`run --settings=mysite.settings --python=${PYTHON} worker`), way === 'prodserver')
    assert.equal(text.includes('GREETING'), way === 'direct')
    // Procfiles have a line that a shell can run.
    const { stdout } = await prodserver(t, ['export', 'procfile', `--run-via=${way}`, '--out=proc'], { cwd })
    assert.match(stdout, /written {3}proc\/Procfile\n/)
    const [, line = ''] = /^worker: (.*)$/m.exec(readFileSync(join(cwd, 'proc', 'Procfile'), 'utf8')) ?? []
    const result = await run(t, 'sh', ['-c', line], { env: { DJANGO_SETTINGS_MODULE: 'mysite.settings' } })
    assert.equal(result.code, 0, result.stderr)
    const { argv, env: given, cwd: folder } = await readRecord(records, 'worker')
    seen.push({ argv, folder, greeting: given['GREETING'] })
    rmSync(join(records, 'worker'))
  }
  assert.deepEqual(seen[0], seen[1])
  assert.equal(seen[0]?.greeting, 'hush % "$"')
})

const mistakes: readonly (readonly [args: readonly string[], says: string])[] = [
  [
    ['export'],
    'export takes a target: systemd, supervisor, procfile, compose, kubernetes, nomad. prodserver export systemd',
  ],
  [
    ['export', 'sytemd'],
    'There is no target "sytemd": systemd, supervisor, procfile, compose, kubernetes, nomad. Did you mean systemd?',
  ],
  [['export', 'systemd', '--image=x'], '--image means nothing for systemd.'],
  [['export', 'procfile', '--user=x'], '--user means nothing for Procfile.'],
  [['export', 'systemd', '--check'], '--check compares with files: say where they are with --out FOLDER.'],
  [
    ['export', 'systemd', '--name=my shop'],
    '--name takes up to 63 letters, digits, "-", "_" and ".", beginning with a letter or digit, not "my shop".',
  ],
  [['export', 'systemd', '--user='], '--user takes the name or the number of a user, not "".'],
  [['export', 'systemd', '--run-via=bus'], '--run-via takes direct or prodserver, not "bus".'],
]

test('a wrong use is explained, and nothing is written', async (t) => {
  const cwd = deploy(t, STACK)
  const before = readdirSync(cwd)
  for (const [args, says] of mistakes) {
    const { code, stdout, stderr } = await prodserver(t, args, { cwd })
    assert.deepEqual([code, stdout, stderr.split('\n')[0]], [2, '', `prodserver: ${says}`])
  }
  assert.deepEqual(readdirSync(cwd), before)
})

test('what a machine cannot do is refused or said, by name', async (t) => {
  const processes = {
    'my worker': { BACKEND: 'command', APP: '/bin/true', SCHEDULE: '0 0 15W * *' },
    web: { BACKEND: 'granian-wsgi', INSTANCES: 2, ENV: { 'A-B': 'x' } },
  }
  const cwd = deploy(t, processes)
  const { code, stderr } = await prodserver(t, ['export', 'systemd', '--env-from=secret.env'], { cwd })
  assert.equal(code, 4)
  assert.equal(
    stderr.replaceAll(/ {2}mysite\/settings\.py:\d+$/gm, ''),
    `E802  --env-from secret.env
      systemd needs the full path of an environment file.
      → For example: --env-from /etc/shop.env

W802  USER
      No USER is set, so systemd will run the processes as root.
      → For example: --user shop

E802  PRODUCTION_PROCESSES["my worker"]
      The name of a unit has up to 255 letters, digits, "-", "_" and ".".

E802  PRODUCTION_PROCESSES["my worker"]["SCHEDULE"]
      systemd cannot express the schedule "0 0 15W * *".

E802  PRODUCTION_PROCESSES["web"]["ENV"]["A-B"]
      systemd cannot set a variable with this name.

W801  PRODUCTION_PROCESSES["web"]["INSTANCES"]
      granian cannot share a socket that systemd opens, so one instance runs.
`,
  )
})
