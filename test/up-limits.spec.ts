import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { freePort, httpGet } from './support/net.ts'
import { waitUntil } from './support/running.ts'
import { createSupervised, endAll, type Supervised, type SupervisedFiles } from './support/supervised.ts'

type Keys = Readonly<Record<string, Json>>

const NOBODY = 65_534

const sh = (words: string, more: Keys = {}): Json => ({ BACKEND: 'command', APP: `sh -c '${words}'`, ...more })

const sleeper = (more: Keys = {}): Json => sh('echo up; exec sleep 600', { READY: { log: 'up' }, ...more })

/** Says loudly what is not tested, and fails in CI. */
function isRoot(t: TestContext): boolean {
  if (process.getuid?.() === 0) return true
  const line = `only root may become another user: "${t.name}" is not tested`
  if (process.env['CI']) throw new Error(line)
  process.stderr.write(`\n! ${line}\n\n`)
  t.skip(line)
  return false
}

/** A project that every user can enter. */
function createOpen(t: TestContext, files: SupervisedFiles): Supervised {
  const site = createSupervised(t, files)
  chmodSync(site.root, 0o755)
  return site
}

/** What the system knows of an instance's process. */
async function factsOf(site: Supervised, id: string): Promise<Facts> {
  const { pid } = await site.instance(id)
  const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1')
  const status = Object.fromEntries(
    read('status')
      .split('\n')
      .map((line) => line.split(/:\s*/, 2)),
  ) as Readonly<Record<string, string>>
  const numbers = (field: string): readonly number[] => (status[field] ?? '').split(/\s+/).filter(Boolean).map(Number)
  return {
    uids: numbers('Uid'),
    gids: numbers('Gid'),
    groups: numbers('Groups'),
    umask: status['Umask'],
    nice: Number(
      read('stat')
        .replace(/^.*\) /s, '')
        .split(' ')[16],
    ),
    limit: (name) => new RegExp(`^${name} +(\\S+) +(\\S+)`, 'm').exec(read('limits'))?.slice(1, 3),
    env: Object.fromEntries(
      read('environ')
        .split('\0')
        .map((entry) => entry.split('=', 2)),
    ) as Record<string, string>,
  }
}

interface Facts {
  readonly uids: readonly number[]
  readonly gids: readonly number[]
  readonly groups: readonly number[]
  readonly umask: string | undefined
  readonly nice: number
  /** Soft and hard. */
  readonly limit: (name: string) => readonly string[] | undefined
  readonly env: Readonly<Record<string, string>>
}

const four = (id: number): readonly number[] => [id, id, id, id]

test('UMASK, NICE and LIMITS are those of the started process, and of it alone', async (t) => {
  const site = createSupervised(t, {
    processes: {
      odd: sleeper({
        UMASK: '027',
        NICE: 7,
        LIMITS: { nofile: '512:1024', CORE: 0, fsize: 'infinity', cpu: '1000:', data: ':unlimited', locks: 7, rss: -1 },
      }),
      plain: sleeper(),
    },
  })
  await site.up()
  const { umask, nice, limit } = await factsOf(site, 'odd.1')
  assert.deepEqual({ umask, nice }, { umask: '0027', nice: 7 })
  assert.deepEqual(limit('Max open files'), ['512', '1024'])
  assert.deepEqual(limit('Max core file size'), ['0', '0'])
  assert.deepEqual(limit('Max cpu time'), ['1000', 'unlimited'])
  for (const name of ['Max file size', 'Max resident set']) assert.deepEqual(limit(name), ['unlimited', 'unlimited'])
  assert.deepEqual(limit('Max file locks'), ['7', '7'])
  const plain = await factsOf(site, 'plain.1')
  assert.equal(plain.nice, 0)
  const own = /^Umask:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  assert.equal(plain.umask, own, 'It has the one that `up` was started with.')
  assert.notDeepEqual(plain.limit('Max open files'), ['512', '1024'])
})

test('USER brings its groups, HOME, USER and LOGNAME, and no way back', async (t) => {
  if (!isRoot(t)) return
  const site = createOpen(t, {
    processes: {
      name: sleeper({ USER: 'nobody' }),
      number: sleeper({ USER: NOBODY }),
      grouped: sleeper({ USER: 'nobody', GROUP: 'daemon' }),
      group: sleeper({ GROUP: 'daemon' }),
      root: sleeper(),
    },
  })
  await site.up()
  for (const id of ['name.1', 'number.1']) {
    const { uids, gids, groups, env } = await factsOf(site, id)
    assert.deepEqual({ uids, gids }, { uids: four(NOBODY), gids: four(NOBODY) })
    assert.ok(!groups.includes(0), `${id} has the groups ${groups.join(', ')}`)
    const { HOME, USER, LOGNAME } = env
    assert.deepEqual({ HOME, USER, LOGNAME }, { HOME: homeOf('nobody'), USER: 'nobody', LOGNAME: 'nobody' })
  }
  const grouped = await factsOf(site, 'grouped.1')
  assert.deepEqual([grouped.uids, grouped.gids], [four(NOBODY), four(1)])
  assert.deepEqual(grouped.groups, [1])
  const group = await factsOf(site, 'group.1')
  assert.deepEqual([group.uids, group.gids], [four(0), four(1)])
  const root = await factsOf(site, 'root.1')
  assert.deepEqual([root.uids, root.gids], [four(0), four(0)])
  assert.equal(root.env['HOME'], process.env['HOME'])
  await endAll(site)
})

const homeOf = (user: string): string | undefined =>
  readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === user)?.[5]

test('a program of another user may open its standard streams by their names', async (t) => {
  if (!isRoot(t)) return
  const words = 'echo out > /dev/stdout && echo error > /dev/stderr && echo self > /proc/self/fd/1 && exec sleep 600'
  const site = createOpen(t, {
    processes: {
      plain: sh(words, { USER: 'nobody', READY: { log: 'self' } }),
      grouped: sh(words, { USER: 'nobody', GROUP: 'daemon', READY: { log: 'self' } }),
    },
  })
  await site.up()
  for (const name of ['plain', 'grouped'])
    assert.equal((await site.cli('logs', name, '--raw')).stdout, 'out\nerror\nself\n')
  // They are still nobody else's.
  for (const folder of ['.', 'run', 'logs']) assert.equal(statSync(join(site.stateDir, folder)).mode & 0o077, 0)
})

test('a server runs as another user', async (t) => {
  if (!isRoot(t)) return
  const port = await freePort()
  const site = createOpen(t, {
    processes: { web: sh(`exec python3 -S server.py`, { USER: 'nobody', READY: { tcp: port } }) },
    files: { 'server.py': serverOn(port) },
  })
  await site.up()
  assert.deepEqual(JSON.parse((await httpGet({ port })).body), { uid: NOBODY })
})

const serverOn = (port: number): string => `
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"uid": os.getuid()}).encode())

http.server.HTTPServer(("127.0.0.1", ${port}), Handler).serve_forever()
`

test('an instance of another user is stopped, swept and started again as any other', async (t) => {
  if (!isRoot(t)) return
  const words = 'sleep 600 & setsid sleep 600 & echo up; wait'
  const site = createOpen(t, {
    processes: { odd: sh(words, { USER: 'nobody', READY: { log: 'up' }, RESTART: { delay: '10ms' } }) },
  })
  await site.up()
  const { pid } = await site.instance('odd.1')
  process.kill(pid as number, 'SIGKILL')
  await site.waitFor('odd.1', ({ state, invocation }) => state === 'running' && invocation === 2)
  // The supervisor, its shim, the shell and two that sleep.
  await waitUntil(
    () => site.alive().length === 5 || undefined,
    10_000,
    () => site.alive().join(', '),
  )
  await endAll(site)
})

const MISTAKES: readonly (readonly [name: string, keys: Keys, says: RegExp, needsRoot?: true])[] = [
  ['a user that does not exist', { USER: 'nobody-of-that-name' }, /user nobody-of-that-name: there is no user/, true],
  ['a group that does not exist', { GROUP: 'no-such-group' }, /group no-such-group: there is no group/, true],
  ['a group beside a user', { USER: 'nobody', GROUP: 'no-such-group' }, /there is no group no-such-group/, true],
  [
    'a limit above what this user may have',
    { USER: 'nobody', LIMITS: { nofile: 1 << 30 } },
    /LIMITS cannot be set: nofile=1073741824: .*not/,
    true,
  ],
]

for (const [name, keys, says, needsRoot] of MISTAKES) {
  test(`${name} is a failure at once that says so`, async (t) => {
    if (needsRoot && !isRoot(t)) return
    const site = createOpen(t, { processes: { bad: sleeper(keys), good: sleeper() } })
    const { stderr } = await site.up(1)
    assert.match(stderr, says)
    const { state, invocation, reason } = await site.instance('bad.1')
    assert.deepEqual({ state, invocation }, { state: 'failed', invocation: 1 })
    assert.match(reason ?? '', says)
    assert.match((await site.cli('why', 'bad')).stdout, says)
    assert.equal((await site.instance('good.1')).state, 'running')
  })
}

test('a probe that is a program asks as the user of the process', async (t) => {
  if (!isRoot(t)) return
  const site = createOpen(t, {
    processes: {
      web: sleeper({ USER: 'nobody', READY: { exec: ['sh', '-c', 'test "$(id -un)" = nobody'], interval: '50ms' } }),
      own: sleeper({ READY: { exec: ['sh', '-c', 'test "$(id -un)" = root'], interval: '50ms' } }),
    },
  })
  await site.up()
  assert.equal((await site.cli('down')).code, 0)
})

for (const [what, more, umask] of [
  ['UMASK alone', { UMASK: '027' }, '0027'],
  ['NICE without UMASK', { NICE: 1 }, null],
  ['neither', {}, null],
] as const) {
  test(`with ${what}, the umask is the declared one, or that of up`, async (t) => {
    const site = createSupervised(t, { processes: { web: sleeper(more) } })
    await site.up()
    const own = (process.umask() & 0o777).toString(8).padStart(4, '0')
    assert.equal((await factsOf(site, 'web.1')).umask, umask ?? own)
    assert.equal((await site.cli('down')).code, 0)
  })
}
