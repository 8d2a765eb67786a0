import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { hasProgram } from './support/environment.ts'
import { inOrder, member, recordOf } from './support/member.ts'
import { run, waitUntil } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

/** A release task that fails while there is a file `broken`. */
const MIGRATE = {
  BACKEND: 'command',
  APP: `bash -c 'echo migrate >> record; test ! -f broken || { echo no such table; exit 2; }'`,
  RUN: 'release',
}

/** A release task that lasts until there is a file `go`. */
const SLOW = {
  ...MIGRATE,
  APP: `bash -c 'echo begun >> record; until [ -f go ]; do sleep 0.02; done; echo over >> record'`,
}

const countOf = (root: string, line: string): number => recordOf(root).filter((noted) => noted === line).length

test('a release task runs before all else, and once for each release, which --release names', async (t) => {
  const site = createSupervised(t, {
    processes: { web: member('web', {}, { DEPENDS_ON: ['db'] }), db: member('db'), migrate: MIGRATE },
  })
  await site.up(0, '--release', 'v1')
  const record = recordOf(site.root)
  assert.ok(inOrder(record, 'migrate', 'started db', 'started web'), record.join(', '))
  assert.match((await site.up(0, '--release', 'v1')).stdout, /migrate\.1 .*done before for release v1/)
  assert.equal(countOf(site.root, 'migrate'), 1)
  await site.up(0, '--release', 'v2')
  assert.equal(countOf(site.root, 'migrate'), 2)
  assert.equal((await site.instance('migrate.1')).state, 'done')
  assert.equal(countOf(site.root, 'started web'), 1)
})

test('what a release task needs itself comes up before it', async (t) => {
  const site = createSupervised(t, {
    processes: {
      web: member('web', {}, { DEPENDS_ON: ['db'] }),
      migrate: { ...MIGRATE, DEPENDS_ON: ['db'] },
      db: member('db', { ready: 0.1 }),
    },
  })
  await site.up()
  const record = recordOf(site.root)
  assert.ok(inOrder(record, 'ready db', 'migrate', 'started web'), record.join(', '))

  // Also when it is new, and others run.
  site.declare({
    web: member('web', {}, { DEPENDS_ON: ['db'] }),
    migrate: { ...MIGRATE, DEPENDS_ON: ['cache'] },
    db: member('db', { ready: 0.1 }),
    cache: member('cache', { ready: 0.1 }),
  })
  await site.up(0, '--release', 'next')
  assert.deepEqual(recordOf(site.root).slice(record.length), ['started cache', 'ready cache', 'migrate'])
})

const changes: readonly {
  readonly names: string
  readonly change: (site: ReturnType<typeof createSupervised>, commit: () => Promise<void>) => Promise<void>
  readonly runs: number
  readonly git: boolean
}[] = [
  { names: 'a new git revision', change: (_, commit) => commit(), runs: 2, git: true },
  {
    names: 'the same git revision with another declaration',
    change: async (site) => site.declare({ web: member('web', {}, { ENV: { A: '1' } }), migrate: MIGRATE }),
    runs: 1,
    git: true,
  },
  {
    names: 'another declaration, where there is no git',
    change: async (site) => site.declare({ web: member('web', {}, { ENV: { A: '1' } }), migrate: MIGRATE }),
    runs: 2,
    git: false,
  },
  { names: 'the same declaration, where there is no git', change: async () => {}, runs: 1, git: false },
]

for (const { names, change, runs, git } of changes) {
  test(`with ${names} a release task ${runs === 2 ? 'runs again' : 'does not run again'}`, async (t) => {
    if (git && !hasProgram(t, 'git', 'apt-get install git')) return
    const site = createSupervised(t, { processes: { web: member('web'), migrate: MIGRATE } })
    const inGit = async (...args: readonly string[]): Promise<void> => {
      const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.org']
      const { code, stderr } = await run(t, 'git', ['-C', site.root, ...who, ...args])
      assert.equal(code, 0, stderr)
    }
    const commit = (): Promise<void> => inGit('commit', '--quiet', '--allow-empty', '--message', 'release')
    if (git) {
      await inGit('init', '--quiet')
      await commit()
    }
    await site.up()
    await change(site, commit)
    await site.up()
    assert.equal(countOf(site.root, 'migrate'), runs)
  })
}

test('a release task that fails at the first start keeps everything from starting, until it is corrected', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web'), migrate: MIGRATE } })
  writeFileSync(join(site.root, 'broken'), '')
  const { stdout, stderr } = await site.up(1)
  assert.match(stdout, /no such table/)
  assert.match(stderr, /^migrate +failed .*exit 2/m)
  assert.match(stderr, /^web +failed .*cannot start: migrate failed$/m)
  assert.deepEqual(recordOf(site.root), ['migrate'])
  assert.equal((await site.instance('web.1')).state, 'waiting')
  assert.match((await site.cli('why', 'web')).stdout, /migrate/)

  rmSync(join(site.root, 'broken'))
  assert.equal((await site.cli('start', 'migrate')).code, 0)
  await site.waitFor('web.1', ({ state }) => state === 'running')
  // It has run for this release now, though it was not `up` that saw it end.
  await site.up()
  assert.equal(countOf(site.root, 'migrate'), 2)
})

test('a release task that fails later leaves what runs alone, and starts nothing new', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web'), migrate: MIGRATE } })
  await site.up(0, '--release', 'v1')
  const { pid } = await site.instance('web.1')
  writeFileSync(join(site.root, 'broken'), '')
  site.declare({ web: member('web', {}, { ENV: { A: '1' } }), worker: member('worker'), migrate: MIGRATE })

  for (const args of [['up', '-d'], ['reload']]) {
    const { code, stderr } = await site.cli(...args, '--release', 'v2')
    assert.equal(code, 4, args.join(' '))
    assert.match(stderr, /migrate .*exit 2.*What runs is left alone, and nothing new was started/)
    assert.match(stderr, /no such table/)
    assert.equal((await site.instance('web.1')).pid, pid)
    assert.equal(countOf(site.root, 'started worker'), 0)
  }
  // A person may still do with it what has to be done.
  assert.equal((await site.cli('restart', 'web')).code, 0)

  rmSync(join(site.root, 'broken'))
  await site.up(0, '--release', 'v2')
  assert.equal(countOf(site.root, 'migrate'), 4)
  assert.equal(countOf(site.root, 'started worker'), 1)
  assert.equal(countOf(site.root, 'started web'), 3)
})

test('a failed release leaves alone what was taken over from a supervisor that was killed', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web'), migrate: MIGRATE } })
  await site.up(0, '--release', 'v1')
  const { pid } = await site.instance('web.1')
  process.kill((await site.supervisor()).pid, 'SIGKILL')
  writeFileSync(join(site.root, 'broken'), '')
  site.declare({ web: member('web', {}, { ENV: { A: '1' } }), worker: member('worker'), migrate: MIGRATE })
  const { stderr } = await site.up(4, '--release', 'v2')
  assert.match(stderr, /What runs is left alone/)
  const web = await site.instance('web.1')
  assert.deepEqual([web.pid, web.state], [pid, 'running'])
  assert.equal(countOf(site.root, 'started worker'), 0)
})

for (const [what, second] of [
  ['in the background', ['up', '-d']],
  ['in the foreground', ['up']],
] as const) {
  test(`two that start at the same moment, one of them ${what}, run a release task once`, async (t) => {
    const site = createSupervised(t, { processes: { web: member('web'), migrate: SLOW } })
    const first = site.foreground('-d')
    const other = second[1] === '-d' ? site.foreground('-d') : site.foreground()
    await waitUntil(() => recordOf(site.root).includes('begun') || undefined)
    // Whichever was first, the other one has been told by it or waits for it.
    const waits = await Promise.race([first, other].map((one) => one.waitForOutput(/migrate|web/)))
    assert.ok(waits)
    writeFileSync(join(site.root, 'go'), '')
    await site.waitFor('web.1', ({ state }) => state === 'running')
    // The one that supervises in the foreground goes on; all others end well.
    const isOver = async (one: typeof first): Promise<boolean> => !one.isRunning() && (await one.ended()).code === 0
    await waitUntil(async () => (await isOver(first)) || (await isOver(other)) || undefined)
    if (second[1] === '-d') for (const one of [first, other]) assert.equal((await one.ended()).code, 0, one.output())
    assert.deepEqual([countOf(site.root, 'begun'), countOf(site.root, 'over')], [1, 1])
    assert.equal(countOf(site.root, 'started web'), 1)
    assert.equal((await site.cli('down')).code, 0)
  })
}

test('a second `up` during a release task waits for it, and does not begin it anew', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web'), migrate: SLOW } })
  const first = site.foreground('-d', '--release', 'v1')
  await waitUntil(() => recordOf(site.root).includes('begun') || undefined)
  const others = [site.foreground('-d', '--release', 'v1'), site.foreground('-d', '--release', 'v1')]
  await Promise.all(others.map((other) => other.waitForOutput(/another `up` is under way/)))
  writeFileSync(join(site.root, 'go'), '')
  for (const one of [first, ...others]) assert.equal((await one.ended()).code, 0, one.output())
  assert.deepEqual([countOf(site.root, 'begun'), countOf(site.root, 'over')], [1, 1])
})

test('what was released is known after a kill of the supervisor, in the middle of it too, and after down', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web'), migrate: SLOW } })
  const up = site.foreground('-d', '--release', 'v1')
  await waitUntil(() => recordOf(site.root).includes('begun') || undefined)
  process.kill((await site.supervisor()).pid, 'SIGKILL')
  await up.ended()
  const again = site.foreground('-d', '--release', 'v1')
  await again.waitForOutput(/migrate\.1/)
  writeFileSync(join(site.root, 'go'), '')
  assert.equal((await again.ended()).code, 0, again.output())
  assert.deepEqual([countOf(site.root, 'begun'), countOf(site.root, 'over')], [1, 1])

  process.kill((await site.supervisor()).pid, 'SIGKILL')
  await site.up(0, '--release', 'v1')
  await site.cli('down')
  await site.up(0, '--release', 'v1')
  assert.equal(countOf(site.root, 'begun'), 1)
  assert.equal(countOf(site.root, 'started web'), 2)
})

test('what runs once runs at each up', async (t) => {
  const once: Readonly<Record<string, Json>> = { ...MIGRATE, RUN: 'once' }
  const site = createSupervised(t, {
    processes: { web: member('web', {}, { DEPENDS_ON: { load: 'completed' } }), load: once },
  })
  await site.up()
  await site.up()
  assert.equal(countOf(site.root, 'migrate'), 2)
  assert.equal(countOf(site.root, 'started web'), 1)
  assert.equal((await site.instance('load.1')).state, 'done')
})
