import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import {
  belongsTo,
  bootId,
  descendants,
  describeRow,
  isSameProcess,
  parseStat,
  type ProcessRow,
  type ProcessTable,
  readCommandLine,
  readEnvironMark,
  readProcess,
  readProcessTable,
  shortCommand,
} from './process-table.ts'

const row = (pid: number, ppid: number, more: Partial<ProcessRow> = {}): ProcessRow => ({
  pid,
  ppid,
  pgid: pid,
  sid: pid,
  state: 'S',
  startTicks: 1000 + pid,
  cpuTicks: 0,
  command: 'python',
  ...more,
})

const tableOf = (...rows: readonly ProcessRow[]): ProcessTable => new Map(rows.map((each) => [each.pid, each]))
const pids = (rows: readonly ProcessRow[]): number[] => rows.map(({ pid }) => pid)
const inSession = (sid: number): Partial<ProcessRow> => ({ sid, pgid: sid })

test('a line of stat is read, whatever the name of the program', () => {
  const line = (name: string, state: string, threads: number): string =>
    `42 (${name}) ${state} 7 42 40 0 -1 4194304 122 0 0 0 3 4 5 6 20 0 ${threads} 0 1525410 3932160 528 0 0\n`
  const expected = { pid: 42, ppid: 7, pgid: 42, sid: 40, state: 'R', startTicks: 1_525_410, cpuTicks: 18 }
  for (const name of ['python', '', 'a b', ') R 1 1 1', '((', 'two\nlines'])
    assert.deepEqual(parseStat(line(name, 'R', 1)), { ...expected, command: name })
  assert.equal(parseStat(line('x', 'Z', 1))?.state, 'Z')
  assert.equal(parseStat(line('x', 'Z', 2))?.state, 'S')
  for (const broken of ['', '42', '42 (x', '42 (x) R 1']) assert.equal(parseStat(broken), undefined)
})

test('descendants are found over all generations, parents first', () => {
  const table = tableOf(row(4, 3), row(3, 2), row(2, 1), row(5, 2), row(9, 1), row(1, 0))
  assert.deepEqual(pids(descendants(table, 2)), [3, 5, 4])
  assert.deepEqual(descendants(table, 77), [])
})

const nothing: ReadonlyMap<number, number> = new Map()

test('an instance is its main process and all below it', () => {
  const table = tableOf(
    row(10, 1),
    row(11, 10, inSession(10)),
    // A worker that made a session of its own.
    row(12, 11),
    row(13, 12, inSession(12)),
    row(20, 1),
  )
  const tree = belongsTo(table, { pid: 10, startTicks: 1010, known: nothing })
  assert.deepEqual(pids(tree.alive), [10, 11, 12, 13])
  assert.deepEqual(tree.zombies, [])
})

test('what stays in the session or the group of a main process that is gone belongs to it', () => {
  const table = tableOf(row(11, 1, inSession(10)), row(12, 1, { sid: 5, pgid: 10 }), row(13, 12), row(20, 1))
  const tree = belongsTo(table, { pid: 10, startTicks: 1010, known: nothing })
  assert.deepEqual(pids(tree.alive), [11, 12, 13])
})

test('what left the session and lost its parent is known from an earlier sight, with what it started since', () => {
  const table = tableOf(row(12, 1), row(30, 12), row(20, 1))
  const known = new Map([
    [11, 1011],
    [12, 1012],
    [20, 7],
  ])
  assert.deepEqual(pids(belongsTo(table, { pid: 10, startTicks: 1010, known }).alive), [12, 30])
})

test('of a pid that a stranger has now, nothing is taken', () => {
  const table = tableOf(row(10, 1, { startTicks: 5000 }), row(11, 10, inSession(10)), row(12, 1))
  const known = new Map([
    [10, 1010],
    [12, 1012],
  ])
  assert.deepEqual(pids(belongsTo(table, { pid: 10, startTicks: 1010, known }).alive), [12])
})

test('what is older than the main process is not of its session', () => {
  const table = tableOf(row(11, 1, { ...inSession(10), startTicks: 1009 }))
  assert.deepEqual(belongsTo(table, { pid: 10, startTicks: 1010, known: nothing }).alive, [])
})

test('zombies are apart, whether the main process or others', () => {
  const table = tableOf(row(10, 1, { state: 'Z' }), row(11, 1, inSession(10)), row(12, 1, { pgid: 10, state: 'X' }))
  const tree = belongsTo(table, { pid: 10, startTicks: 1010, known: nothing })
  assert.deepEqual(pids(tree.alive), [11])
  assert.deepEqual(pids(tree.zombies), [10, 12])
})

test('a table with a circle is walked once', () => {
  const table = tableOf(row(10, 11), row(11, 10))
  const known = new Map([
    [10, 1010],
    [11, 1011],
  ])
  assert.deepEqual(pids(belongsTo(table, { pid: 10, startTicks: 1010, known }).alive), [10, 11])
})

test('a process is described for a person', () => {
  assert.equal(
    describeRow(row(4121, 1, { state: 'D' }), 'python worker.py'),
    'pid 4121 `python worker.py`, state D (waiting for the disk), parent 1',
  )
  assert.equal(describeRow(row(5, 4)), 'pid 5 `python`, state S, parent 4')
})

test('a long command line keeps its beginning and its end, and never the folder of the program', () => {
  assert.equal(shortCommand('/srv/app/.venv/bin/python -m celery'), 'python -m celery')
  assert.equal(shortCommand('nginx: master process /usr/sbin/nginx'), 'nginx: master process /usr/sbin/nginx')
  const long = shortCommand(`/usr/bin/python ${'/folder'.repeat(20)}/leaves.py detached`)
  assert.equal(long.length, 80)
  assert.match(long, /^python \/folder.*….*\/leaves\.py detached$/)
})

/** A shell that leads its own session, with a child in the same and one in a session of its own. */
async function startTree(t: TestContext): Promise<ChildProcess & { pid: number }> {
  const child = spawn('/bin/sh', ['-c', 'sleep 60 & setsid sleep 61 & echo ready; wait'], {
    detached: true,
    env: { PATH: '/usr/bin:/bin', PRODSERVER_INSTANCE: 'web.1', EMPTY: '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const pid = child.pid as number
  t.after(() => {
    for (const { pid: each } of [...descendants(readProcessTable(), pid), { pid }])
      try {
        process.kill(each, 'SIGKILL')
      } catch {
        // Already gone.
      }
  })
  await once(child.stdout, 'data')
  return Object.assign(child, { pid })
}

test('real processes are found, and told from later ones', async (t) => {
  const child = await startTree(t)
  const main = readProcess(child.pid)
  assert.ok(main)
  assert.deepEqual([main.ppid, main.pgid, main.sid, main.command], [process.pid, child.pid, child.pid, 'sh'])
  const tree = belongsTo(readProcessTable(), { pid: child.pid, startTicks: main.startTicks, known: nothing })
  assert.equal(tree.alive[0]?.pid, child.pid)
  assert.equal(tree.alive.length, 3)
  assert.ok(tree.alive.every(({ pid }) => readEnvironMark(pid, 'PRODSERVER_INSTANCE') === 'web.1'))
  assert.equal(readEnvironMark(child.pid, 'EMPTY'), '')
  assert.equal(readEnvironMark(child.pid, 'PRODSERVER'), undefined)
  assert.match(readCommandLine(child.pid) ?? '', /^\/bin\/sh -c sleep 60 & setsid/)
  assert.equal(isSameProcess(child.pid, main.startTicks), true)
  assert.equal(isSameProcess(child.pid, main.startTicks + 1), false)

  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  assert.equal(isSameProcess(child.pid, main.startTicks), false)
  const known = new Map(tree.alive.map(({ pid, startTicks }) => [pid, startTicks]))
  const left = belongsTo(readProcessTable(), { pid: child.pid, startTicks: main.startTicks, known })
  assert.equal(left.alive.length, 2)
  for (const { pid } of left.alive) process.kill(pid, 'SIGKILL')
})

test('what cannot be read is not there', () => {
  const none = '/nowhere'
  assert.equal(readProcess(1, none), undefined)
  assert.equal(readEnvironMark(1, 'PATH', none), undefined)
  assert.equal(readCommandLine(1, none), undefined)
  assert.equal(isSameProcess(1, 1, none), false)
  assert.equal(bootId(none), '')
  assert.match(bootId(), /^[0-9a-f-]{36}$/)
})
