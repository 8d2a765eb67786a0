import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ActionLine, InstanceStatus } from '../src/control/protocol.ts'
import { member, recordOf } from './support/member.ts'
import { freePort } from './support/net.ts'
import { waitUntil } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

/** What was printed, without what differs from one time to the next. */
const plain = (text: string): string =>
  text
    .replace(/\d+(\.\d+)?s\b/g, '0.0s')
    .replace(/pid \d+/g, 'pid 1')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')

const pidsOf = (all: readonly InstanceStatus[]): Readonly<Record<string, number | null>> =>
  Object.fromEntries(all.map(({ instance, pid }) => [instance, pid]))

test('each verb says what it did, and does nothing the second time', async (t) => {
  const port = await freePort()
  const site = createSupervised(t, {
    processes: {
      web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${port}` }, DEPENDS_ON: ['db'] },
      db: member('db'),
      load: { BACKEND: 'command', APP: `bash -c 'echo load >> record'`, RUN: 'once', DEPENDS_ON: ['web'] },
      night: { BACKEND: 'command', APP: 'false', SCHEDULE: '0 0 1 1 *' },
    },
  })
  const session: readonly (readonly [words: string, code: number, printed: string])[] = [
    [
      'up -d',
      0,
      `
  web.1       … waits for db
  load.1      … waits for web
  db.1        ✓ ready after 0.0s
  web.1       ✓ ready after 0.0s
  load.1      ✓ done
night  scheduled  next at TIME
Running in the background. Look: prodserver ps, prodserver logs -f. Stop: prodserver down
`,
    ],
    [
      'up -d',
      0,
      `
  load.1      ✓ done
db     unchanged
web    unchanged
night  unchanged
`,
    ],
    [
      'up',
      0,
      `
  load.1      ✓ done
db     unchanged
web    unchanged
night  unchanged
Supervised already, by pid 1, which was told. Logs: prodserver logs -f. Stop: prodserver down
`,
    ],
    ['stop web', 0, '\n  web.1       ✓ stopped\n'],
    ['stop web', 0, '\nweb.1  unchanged\n'],
    ['start web', 0, '\n  web.1       ✓ ready after 0.0s\n'],
    ['start web', 0, '\nweb.1  unchanged\n'],
    // What ran to completion is not run again because nobody was named.
    ['start', 0, '\nweb.1    unchanged\ndb.1     unchanged\nnight.1  unchanged\n'],
    [
      'restart web',
      0,
      '\n  web.1       ✓ ready after 0.0s\nweb.1  restarted  `prodserver reload` does it without dropping a request\n',
    ],
    ['restart db', 0, '\n  db.1        ✓ ready after 0.0s\n'],
    ['restart load', 0, '\n  load.1      ✓ done\n'],
    [
      'reload db',
      0,
      `
  db.1        ✓ ready after 0.0s
  db          ✓ 1 of 1 in 0.0s
db  reloaded  1 of 1 in 0.0s
`,
    ],
    [
      'scale db=2',
      0,
      '\n  db.2        ✓ ready after 0.0s\ndb  scaled  1 → 2; INSTANCES is 1, and the next `up` goes back to that\n',
    ],
    ['scale db=2', 0, '\ndb  unchanged  2 of it are there\n'],
    ['scale db=-1', 0, '\n  db.2        ✓ stopped\ndb  scaled  2 → 1\n'],
    ['stop db --quiet', 0, '\n'],
    ['up -d -q', 0, '\n'],
    [
      'down',
      0,
      `
  web.1       ✓ stopped
  db.1        ✓ stopped
Down. Nothing is left running.
`,
    ],
    ['down', 0, '\nNothing is running.\n'],
  ]
  for (const [words, expected, printed] of session) {
    const { code, stdout, stderr } = await site.cli(...words.split(' '))
    assert.deepEqual([words, code, `\n${plain(stdout + stderr)}`], [words, expected, printed])
  }
  assert.deepEqual(site.alive(), [])
})

test('what cannot be done is refused with what may have been meant, and then none of it is done', async (t) => {
  const site = createSupervised(t, {
    processes: { web: member('web'), worker: member('worker', {}, { INSTANCES: 2 }) },
  })
  for (const verb of ['start', 'stop', 'restart', 'reload'])
    assert.equal((await site.cli(verb, 'web')).code, 3, `${verb} where nothing runs`)
  assert.equal((await site.cli('scale', 'web=2')).code, 3)

  await site.up()
  const before = await site.ps()
  const wrong: readonly (readonly [words: string, code: number, says: RegExp])[] = [
    ['stop web wroker', 2, /There is no process or instance "wroker".*Did you mean worker\?/],
    ['restart web wroker', 2, /Did you mean worker\?/],
    ['start web something', 2, /There are: web, worker/],
    ['reload web wroker', 2, /Process 'wroker' not found[^]*Did you mean worker\?/],
    ['up -d web wroker', 2, /Process 'wroker' not found[^]*Did you mean worker\?/],
    ['stop web worker.3', 2, /There is no process or instance "worker.3"/],
    ["stop web 'x*'", 2, /No process or instance matches "x\*"/],
    ['stop web @scheduler', 2, /No process is of kind "@scheduler"/],
    ['scale web=2 wroker=3', 2, /Did you mean worker\?/],
    ['scale web=2 worker', 2, /worker is not NAME=COUNT/],
    ['scale web=2 worker=5000', 2, /worker=5000 is not a number of instances/],
    ['scale', 2, /NAME=COUNT/],
    ['stop web --timeout soon', 2, /--timeout takes a duration/],
  ]
  for (const [words, expected, says] of wrong) {
    const { code, stderr } = await site.cli(...words.replaceAll("'", '').split(' '))
    assert.equal(code, expected, words)
    assert.match(stderr, says, words)
  }
  assert.deepEqual(await site.ps().then(pidsOf), pidsOf(before))
})

test('a selector is a name, an instance, a pattern or a kind', async (t) => {
  const site = createSupervised(t, {
    processes: {
      web: { BACKEND: 'gunicorn', ARGS: { bind: `127.0.0.1:${await freePort()}` } },
      worker: member('worker', {}, { INSTANCES: 2 }),
      wares: member('wares'),
    },
  })
  const stopped = async (): Promise<string> =>
    (await site.ps())
      .filter(({ state }) => state === 'stopped')
      .map(({ instance }) => instance)
      .join(' ')
  await site.up()
  for (const [selector, expected] of [
    ['worker', 'worker.1 worker.2'],
    ['worker.2', 'worker.2'],
    ['worker.*', 'worker.1 worker.2'],
    ['*.1', 'web.1 worker.1 wares.1'],
    ['w?b', 'web.1'],
    ['w*r', 'worker.1 worker.2'],
    ['@web', 'web.1'],
    ['@worker', 'worker.1 worker.2 wares.1'],
    ['web worker.1', 'web.1 worker.1'],
    ['', 'web.1 worker.1 worker.2 wares.1'],
  ] as const) {
    const words = selector.split(' ').filter(Boolean)
    assert.equal((await site.cli('stop', ...words)).code, 0)
    assert.equal(await stopped(), expected, selector)
    assert.equal((await site.cli('start', ...words)).code, 0)
    assert.equal(await stopped(), '', selector)
  }
})

test('restart, reload and scale take the patterns that ps takes', async (t) => {
  const site = createSupervised(t, {
    processes: {
      web1: member('web1', {}, { INSTANCES: 2 }),
      web2: member('web2'),
      other: member('other'),
    },
  })
  await site.up()
  const invocations = async (): Promise<string> =>
    (await site.ps()).map(({ instance, invocation }) => `${instance}#${invocation}`).join(' ')
  for (const [words, expected] of [
    ['restart web1.*', 'web1.1#2 web1.2#2 web2.1#1 other.1#1'],
    ['restart *.1', 'web1.1#3 web1.2#2 web2.1#2 other.1#2'],
    ['reload web2.*', 'web1.1#3 web1.2#2 web2.1#3 other.1#2'],
    ['reload web?', 'web1.1#4 web1.2#3 web2.1#4 other.1#2'],
    ['scale web?=1', 'web1.1#4 web2.1#4 other.1#2'],
    ['scale web?=2 other=2', 'web1.1#4 web1.2#4 web2.1#4 web2.2#1 other.1#2 other.2#1'],
  ] as const) {
    const { code, stdout, stderr } = await site.cli(...words.split(' '))
    assert.equal(code, 0, `${words}: ${stdout}${stderr}`)
    assert.equal(await invocations(), expected, words)
  }
  for (const [words, says] of [
    ['restart x*', /No process or instance matches "x\*"\..*There are: web1, web2, other/],
    ['stop web3', /There is no process or instance "web3"\..*Did you mean web1\?/],
    ['scale web1.*=3', /"web1\.\*" selects single instances/],
    ['scale web1=3 web?=1', /web1 is given two counts/],
  ] as const) {
    const { code, stderr } = await site.cli(...words.split(' '))
    assert.equal(code, 2, words)
    assert.match(stderr, says, words)
  }
})

test('--json prints one object a line: events, and one result last', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web') } })
  for (const [words, did] of [
    ['up -d', 'started'],
    ['up -d', 'unchanged'],
    ['restart', 'restarted'],
    ['reload', 'reloaded'],
    ['scale web=2', 'scaled'],
    ['stop web', 'stopped'],
    ['start web', 'started'],
    ['down', 'stopped'],
  ] as const) {
    const { code, stdout, stderr } = await site.cli(...words.split(' '), '--json')
    assert.deepEqual([code, stderr], [0, ''], words)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ActionLine)
    const last = lines.at(-1)
    assert.ok(last && 'result' in last, words)
    assert.equal(last.result.exitCode, 0)
    for (const change of last.result.changes) {
      assert.match(change.process, /^web/)
      assert.equal(change.did, did, words)
      assert.equal(typeof change.message, 'string')
    }
    assert.ok(last.result.changes.length > 0)
    for (const line of lines.slice(0, -1)) {
      assert.ok('event' in line, words)
      const { id, time, type, message } = line.event
      assert.ok(Number.isInteger(id) && new Date(time).toISOString() === time && type && message, words)
    }
  }
})

test('--no-wait and --timeout leave what was asked for to go on', async (t) => {
  const site = createSupervised(t, { processes: { slow: member('slow', { ready: 1.5 }), web: member('web') } })
  // Of the command that starts the supervisor, and of one that finds it.
  for (const words of [
    ['up', '-d'],
    ['restart', 'slow'],
  ]) {
    const { code, stdout, stderr } = await site.cli(...words, '--timeout', '300ms')
    assert.equal(code, 5, stdout + stderr)
    assert.match(stderr, /^Not done within 0\.3s\. It goes on in the background; look: prodserver ps$/m)
    await site.waitFor('slow.1', ({ state }) => state === 'starting')
    await site.waitFor('slow.1', ({ state }) => state === 'running')
  }
  for (const words of [['restart', 'slow'], ['stop'], ['start']]) {
    const { code, stdout } = await site.cli(...words, '--no-wait')
    assert.equal(code, 0)
    assert.match(stdout, /It goes on in the background; look: prodserver ps\n$/)
  }
  assert.equal((await site.instance('slow.1')).state === 'running', false)
  await site.waitFor('slow.1', ({ state }) => state === 'running')

  await site.cli('down')
  const { code, stdout } = await site.cli('up', '-d', '--no-wait')
  assert.equal(code, 0)
  assert.match(stdout, /It goes on in the background; look: prodserver ps\n$/)
  await site.waitFor('slow.1', ({ state }) => state === 'running')
})

test('an interrupt while it is waited for leaves the action to go on', async (t) => {
  const site = createSupervised(t, { processes: { slow: member('slow', { ready: 2 }) } })
  const up = site.foreground('-d')
  await waitUntil(() => recordOf(site.root).includes('started slow') || undefined)
  up.signal('SIGINT')
  assert.equal((await up.ended()).code, 130)
  assert.match(up.stderr(), /It goes on in the background; look: prodserver ps/)
  await site.waitFor('slow.1', ({ state }) => state === 'running')
  assert.equal(recordOf(site.root).length, 2)
})

test('up again touches only what differs: what is new, gone, or declared otherwise', async (t) => {
  const same = { web: member('web'), worker: member('worker', {}, { INSTANCES: 2 }) }
  const site = createSupervised(t, { processes: { ...same, old: member('old'), changed: member('changed') } })
  await site.up()
  const before = pidsOf(await site.ps())
  site.declare({ ...same, changed: member('changed', {}, { ENV: { A: '1' } }), added: member('added') })
  const { stdout } = await site.up()
  const after = pidsOf(await site.ps())
  assert.match(stdout, /^old +removed +it is declared no more$/m)
  assert.match(stdout, /^changed +reloaded/m)
  assert.match(stdout, /^web +unchanged$/m)
  assert.deepEqual(Object.keys(after).toSorted(), ['added.1', 'changed.1', 'web.1', 'worker.1', 'worker.2'])
  for (const id of ['web.1', 'worker.1', 'worker.2']) assert.equal(after[id], before[id], id)
  assert.notEqual(after['changed.1'], before['changed.1'])
  assert.ok(recordOf(site.root).includes('gone old'))

  // Another number is no reason to touch those that are there, nor is what only the supervisor needs to know.
  site.declare({ ...same, worker: { ...same.worker, INSTANCES: 3, STOP: { timeout: '5s' } } })
  await site.up()
  const third = pidsOf(await site.ps())
  assert.deepEqual(Object.keys(third).toSorted(), ['web.1', 'worker.1', 'worker.2', 'worker.3'])
  for (const id of ['web.1', 'worker.1', 'worker.2']) assert.equal(third[id], before[id], id)
})

test('reload of a process does not reload what it needs', async (t) => {
  const site = createSupervised(t, {
    processes: { web: member('web', {}, { DEPENDS_ON: ['db'] }), db: member('db') },
  })
  await site.up()
  const before = pidsOf(await site.ps())
  assert.equal((await site.cli('reload', 'web')).code, 0)
  const after = pidsOf(await site.ps())
  assert.notEqual(after['web.1'], before['web.1'])
  assert.equal(after['db.1'], before['db.1'])
})

test('a scaled process goes back to the declared number at the next up', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web') } })
  await site.up()
  await site.cli('scale', 'web=3')
  assert.match((await site.up()).stdout, /^web +scaled +3 → 1$/m)
  assert.equal((await site.ps()).length, 1)
})

test('up after a kill of the supervisor says that it took over what runs', async (t) => {
  const site = createSupervised(t, { processes: { web: member('web'), stopped: member('stopped') } })
  await site.up()
  await site.cli('stop', 'stopped')
  const { pid } = await site.instance('web.1')
  process.kill((await site.supervisor()).pid, 'SIGKILL')
  const { stdout } = await site.up()
  assert.match(stdout, /^web +taken over +still running, nothing was interrupted$/m)
  assert.match(stdout, /stopped\.1 +✓ ready/)
  assert.doesNotMatch(stdout, /^web +started/m)
  assert.equal((await site.instance('web.1')).pid, pid)
})

const exits: readonly {
  readonly exitOn: string
  readonly app: string
  /** Of the whole; null where it goes on. */
  readonly code: number | null
}[] = [
  { exitOn: 'failure', app: 'exit 3', code: 1 },
  { exitOn: 'failure', app: 'exit 0', code: null },
  { exitOn: 'any', app: 'exit 0', code: 0 },
  { exitOn: 'any', app: 'exit 3', code: 1 },
  { exitOn: 'never', app: 'exit 3', code: null },
]

for (const { exitOn, app, code } of exits) {
  test(`--exit-on ${exitOn} ${code === null ? 'goes on' : `ends with ${code}`} when a process ends with ${app}`, async (t) => {
    const site = createSupervised(t, {
      processes: {
        web: member('web'),
        ends: {
          BACKEND: 'command',
          APP: `bash -c 'echo ready; until [ -f go ]; do sleep 0.02; done; ${app}'`,
          READY: { log: 'ready' },
          RESTART: app === 'exit 0' ? 'on-failure' : 'never',
        },
      },
    })
    const up = site.foreground('--exit-on', exitOn)
    await up.waitForOutput(/^Ready in /m)
    writeFileSync(join(site.root, 'go'), '')
    if (code === null) {
      await site.waitFor('ends.1', ({ state }) => state === 'failed' || state === 'done')
      assert.equal((await site.instance('web.1')).state, 'running')
      assert.equal(up.isRunning(), true)
      return
    }
    assert.equal((await up.ended()).code, code)
    assert.match(up.output(), new RegExp(`everything is stopped, as --exit-on=${exitOn} says`))
    assert.ok(recordOf(site.root).includes('gone web'))
    assert.deepEqual(site.alive(), [])
  })
}

for (const [what, app, code] of [
  ['well', 'true', 0],
  ['badly', 'exit 3', 1],
] as const) {
  test(`up in the foreground ends by itself, with ${code}, when all that ran has ended ${what}`, async (t) => {
    const site = createSupervised(t, {
      processes: {
        job: { BACKEND: 'command', APP: `bash -c '${app}'`, RUN: 'once' },
        ends: {
          BACKEND: 'command',
          APP: `bash -c 'echo ready; until [ -f go ]; do sleep 0.02; done'`,
          READY: { log: 'ready' },
          RESTART: 'never',
        },
      },
    })
    const up = site.foreground()
    await site.waitFor('ends.1', ({ state }) => state === 'running')
    await site.waitFor('job.1', ({ state }) => state === 'done' || state === 'failed')
    assert.equal(up.isRunning(), true)
    writeFileSync(join(site.root, 'go'), '')
    assert.equal((await up.ended()).code, code, up.output())
    assert.match(up.output(), /nothing is left that runs/)
    assert.deepEqual(site.alive(), [])
  })
}

test('the lives of an instance that comes back after scaling have numbers of their own', async (t) => {
  const site = createSupervised(t, {
    processes: { db: { BACKEND: 'command', APP: 'sleep 1000', INSTANCES: 2, READY: { delay: '10ms' } } },
  })
  await site.up()
  assert.equal((await site.instance('db.2')).invocation, 1)
  for (const run of [2, 3]) {
    assert.equal((await site.cli('scale', 'db=1')).code, 0)
    assert.equal((await site.cli('scale', 'db=2')).code, 0)
    assert.equal((await site.instance('db.2')).invocation, run)
  }
})
