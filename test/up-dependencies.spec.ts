import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Json } from '../src/core/types.ts'
import { inOrder, member, recordOf } from './support/member.ts'
import { createSupervised } from './support/supervised.ts'

/** `[process, state]` of each line of `ps`. */
const states = async (site: ReturnType<typeof createSupervised>): Promise<readonly string[]> =>
  (await site.ps()).map(({ process, state }) => `${process} ${state}`)

const graphs: readonly {
  readonly name: string
  readonly needs: Readonly<Record<string, readonly string[]>>
}[] = [
  // Declared the other way round, so that the order of the declaration cannot be what is seen.
  { name: 'a chain', needs: { web: ['cache'], cache: ['db'], db: [] } },
  { name: 'a diamond', needs: { web: ['left', 'right'], left: ['db'], right: ['db'], db: [] } },
]

for (const { name, needs } of graphs) {
  const edges = Object.entries(needs).flatMap(([process, others]) => others.map((other) => [process, other] as const))

  test(`${name} starts in order, each when what it needs is ready, and stops in reverse`, async (t) => {
    const site = createSupervised(t, {
      processes: Object.fromEntries(
        Object.entries(needs).map(([process, others]) => [
          process,
          member(process, { ready: 0.1, stop: 0.1 }, { DEPENDS_ON: [...others] }),
        ]),
      ),
    })
    await site.up()
    const started = recordOf(site.root)
    for (const [process, other] of edges)
      assert.ok(inOrder(started, `ready ${other}`, `started ${process}`), `${other} first: ${started.join(', ')}`)
    assert.equal((await site.cli('down')).code, 0)
    const stopped = recordOf(site.root).slice(started.length)
    assert.equal(stopped.length, 2 * Object.keys(needs).length, stopped.join(', '))
    for (const [process, other] of edges)
      assert.ok(inOrder(stopped, `gone ${process}`, `stopping ${other}`), `${process} first: ${stopped.join(', ')}`)
    assert.deepEqual(site.alive(), [])
  })
}

test('a circle is refused with the names in it, and nothing starts', async (t) => {
  const site = createSupervised(t, {
    processes: {
      db: member('db'),
      web: member('web', {}, { DEPENDS_ON: ['worker', 'db'] }),
      worker: member('worker', {}, { DEPENDS_ON: ['mail'] }),
      mail: member('mail', {}, { DEPENDS_ON: ['web'] }),
    },
  })
  for (const args of [['-d'], []]) {
    const { code, stderr } = await site.cli('up', ...args)
    assert.equal(code, 4)
    assert.match(stderr, /^E110 /)
    assert.match(stderr, /web → worker → mail → web/)
    assert.doesNotMatch(stderr, /db/)
  }
  assert.deepEqual(recordOf(site.root), [])
  assert.deepEqual(site.alive(), [])
  assert.equal((await site.cli('ps')).code, 3)
})

const conditions: readonly {
  readonly condition: 'started' | 'ready' | 'completed'
  readonly first: Readonly<Record<string, Json>>
  /** What is noted, in order. */
  readonly order: readonly string[]
}[] = [
  { condition: 'started', first: member('first', { ready: 2 }), order: ['started web', 'ready first'] },
  { condition: 'ready', first: member('first', { ready: 0.1 }), order: ['ready first', 'started web'] },
  {
    condition: 'completed',
    first: {
      BACKEND: 'command',
      APP: `bash -c 'echo started first >> record; sleep 0.1; echo done first >> record'`,
      RUN: 'once',
    },
    order: ['done first', 'started web'],
  },
]

for (const { condition, first, order } of conditions) {
  test(`a dependency can wait until another process is ${condition}`, async (t) => {
    const site = createSupervised(t, {
      processes: { web: member('web', {}, { DEPENDS_ON: { first: condition } }), first },
    })
    await site.up()
    const record = recordOf(site.root)
    assert.ok(inOrder(record, ...order), record.join(', '))
  })
}

test('what depends on a job that fails does not start, and everything says why', async (t) => {
  const site = createSupervised(t, {
    processes: {
      web: member('web', {}, { DEPENDS_ON: ['worker'] }),
      worker: member('worker', {}, { DEPENDS_ON: { load: 'completed' } }),
      load: {
        BACKEND: 'command',
        APP: `bash -c 'test -f data && echo loaded >> record || { echo there is no data; exit 3; }'`,
        RUN: 'once',
      },
      mail: member('mail'),
    },
  })
  const { stdout, stderr } = await site.up(1)
  assert.deepEqual(recordOf(site.root), ['started mail', 'ready mail'])
  assert.deepEqual(await states(site), ['web waiting', 'worker waiting', 'load failed', 'mail running'])
  assert.equal((await site.cli('ps')).code, 1)
  assert.match(stdout, /load\.1 .*exit 3/)
  assert.match(stdout, /there is no data/)
  assert.match(stderr, /^load +failed .*exit 3/m)
  assert.match(stderr, /^worker +failed .*cannot start: load failed/m)
  assert.match(stderr, /^web +failed .*cannot start: worker cannot start/m)
  assert.deepEqual((await site.instance('worker.1')).waitingFor, ['load'])

  const why = await site.cli('why', 'web')
  assert.match(why.stdout, /waits for worker/)
  assert.match(why.stdout, /prodserver why worker/)
  assert.match((await site.cli('why', 'load')).stdout, /there is no data[^]*prodserver start load/)

  // What the hint says is what helps.
  writeFileSync(join(site.root, 'data'), '')
  assert.equal((await site.cli('start', 'load')).code, 0)
  await site.waitFor('web.1', ({ state }) => state === 'running')
  assert.ok(inOrder(recordOf(site.root), 'loaded', 'ready worker', 'started web'))
  assert.equal((await site.cli('ps')).code, 0)
})

test('naming a process starts what it needs, and nothing else', async (t) => {
  const site = createSupervised(t, {
    processes: {
      web: member('web', {}, { DEPENDS_ON: ['cache'] }),
      cache: member('cache', {}, { DEPENDS_ON: ['db'] }),
      db: member('db'),
      worker: member('worker', {}, { DEPENDS_ON: ['db'] }),
      job: { BACKEND: 'command', APP: `bash -c 'echo job >> record'`, RUN: 'once' },
    },
  })
  await site.up(0, 'web')
  assert.deepEqual(recordOf(site.root), [
    'started db',
    'ready db',
    'started cache',
    'ready cache',
    'started web',
    'ready web',
  ])
  assert.deepEqual(await states(site), ['web running', 'cache running', 'db running', 'worker stopped', 'job stopped'])
  assert.equal((await site.cli('ps')).code, 0)

  await site.up(0, 'worker')
  assert.deepEqual(recordOf(site.root).slice(6), ['started worker', 'ready worker'])
})

test('what is not enabled is not started for what needs it either', async (t) => {
  const site = createSupervised(t, {
    processes: {
      web: member('web', {}, { DEPENDS_ON: ['db'] }),
      db: member('db', {}, { ENABLED: false }),
    },
  })
  const { stderr } = await site.up(1)
  assert.match(stderr, /^web +failed .*cannot start: db is not enabled$/m)
  assert.equal(existsSync(join(site.root, 'record')), false)
})

test('what stops waits for what depends on it, and for nobody else', async (t) => {
  const site = createSupervised(t, {
    processes: {
      front: member('front', { ready: 0, stop: 0 }, { DEPENDS_ON: ['db'] }),
      db: member('db', { ready: 0, stop: 0 }),
      slow: member('slow', { ready: 0, stop: 2 }),
    },
  })
  await site.up()
  const started = recordOf(site.root).length
  assert.equal((await site.cli('down')).code, 0)
  const stopped = recordOf(site.root).slice(started)
  assert.ok(inOrder(stopped, 'gone front', 'stopping db'), stopped.join(', '))
  assert.ok(inOrder(stopped, 'gone db', 'gone slow'), stopped.join(', '))
})

test('a reload stops nothing for what could not start again, and the next one goes on', async (t) => {
  const processes = (needs: readonly string[]): Readonly<Record<string, Json>> => ({
    off: { BACKEND: 'command', APP: 'sleep 600', ENABLED: false },
    web: { BACKEND: 'command', APP: 'sleep 600', READY: { delay: '10ms' }, RELOAD: 'restart', DEPENDS_ON: [...needs] },
  })
  const site = createSupervised(t, { processes: processes([]) })
  await site.up()
  const { pid } = await site.instance('web.1')
  site.declare(processes(['off']))
  for (let time = 0; time < 2; time++) {
    const { code, stdout, stderr } = await site.cli('reload')
    assert.equal(code, 4, stdout + stderr)
    assert.match(stderr, /web\.1: cannot start: off is not enabled\. The old version goes on; nothing was changed\./)
  }
  assert.deepEqual((await site.instance('web.1')).pid, pid)
  site.declare(processes([]))
  await site.up()
  assert.equal((await site.cli('reload')).code, 0)
  assert.notEqual((await site.instance('web.1')).pid, pid)
  assert.equal((await site.cli('down')).code, 0)
})
