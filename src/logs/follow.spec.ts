import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createLog, createStateDir } from '../../test/support/logs.ts'
import { waitUntil } from '../../test/support/running.ts'
import { createEventReader, followEvents, readEvents } from './event-log.ts'
import { type Follower, followLogs } from './follow.ts'
import { linesIn, type LogLine } from './lines.ts'
import { readSet } from './read-log.ts'
import { followRun, tail } from './tail.ts'

const T0 = Date.UTC(2026, 0, 1)

interface Following {
  readonly follower: Follower
  readonly lines: string[]
  /** Waits until so many lines are there. */
  readonly until: (count: number) => Promise<readonly string[]>
}

/** Follows everything below a state directory, the past first, until the test ends. */
function follow(t: TestContext, stateDir: string): Following {
  const controller = new AbortController()
  const follower = followLogs({ stateDir, wants: () => true, signal: controller.signal })
  const lines: string[] = []
  const take = ({ instance, line }: LogLine): void => void lines.push(`${instance}: ${line.toString()}`)
  const over = (async () => {
    for (const line of readSet(stateDir, follower.set, {}, follower.ends)) take(line)
    for await (const batch of follower) for (const chunk of batch) for (const line of linesIn(chunk)) take(line)
  })()
  t.after(async () => {
    controller.abort()
    await over
    follower.close()
  })
  const until = (count: number): Promise<readonly string[]> =>
    waitUntil(
      () => (lines.length >= count ? lines : undefined),
      20_000,
      () => lines.join('\n'),
    )
  return { follower, lines, until }
}

test('the past comes first, then lines as they arrive', async (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, 'one\nhalf')
  const { until } = follow(t, stateDir)
  assert.deepEqual(await until(1), ['web.1: one'])
  log.write(T0 + 1, 1, ' and half\nthree\n')
  assert.deepEqual(await until(3), ['web.1: one', 'web.1: half and half', 'web.1: three'])
})

test('a line without its newline waits for it, or for the end of its run', async (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  const { until, lines, follower } = follow(t, stateDir)
  log.write(T0, 1, 'one\nunfinished')
  await until(1)
  log.write(T0 + 1, 2, 'next run\nlast words')
  assert.deepEqual(await until(3), ['web.1: one', 'web.1: unfinished', 'web.1: next run'])
  follower.endRun('web.1', 1)
  createLog(stateDir, 'web.2').write(T0 + 2, 1, 'a sign\n')
  await until(4)
  assert.equal(lines.includes('web.1: last words'), false)
  follower.endRun('web.1', 2)
  assert.equal((await until(5))[4], 'web.1: last words')
})

test('new instances are followed, and those that nobody asked for are not', async (t) => {
  const stateDir = createStateDir(t)
  const controller = new AbortController()
  const follower = followLogs({ stateDir, wants: (name) => name !== 'web.1', signal: controller.signal })
  t.after(() => follower.close())
  for (const name of ['web.1', 'worker.1']) createLog(stateDir, name).write(T0, 1, `${name}\n`)
  for await (const lines of follower) {
    assert.deepEqual(
      lines.map(({ instance }) => instance),
      ['worker.1'],
    )
    controller.abort()
  }
})

test('an old life that goes on in its full file is followed, also when that began before', async (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, 'old 1\n')
  const full = log.rotate()
  log.write(T0 + 1, 2, 'new 1\n')
  const { until } = follow(t, stateDir)
  await until(2)
  log.writeRotated(full, T0 + 2, 1, 'old 2\n')
  assert.equal((await until(3))[2], 'web.1: old 2')
  const next = log.rotate()
  log.writeRotated(next, T0 + 3, 2, 'new 2\n')
  log.write(T0 + 4, 3, 'newest\n')
  assert.deepEqual((await until(5)).slice(3).toSorted(), ['web.1: new 2', 'web.1: newest'])
})

test('no line is lost and none is doubled while files are rotated, compressed and removed', async (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  const { until, lines } = follow(t, stateDir)
  const expected: string[] = []
  for (let number = 0; number < 3000; number++) {
    log.write(T0 + number, 1, number % 7 === 0 ? `${number}` : `${number}\n`)
    if (number % 7 === 0) log.write(T0 + number, 1, '\n')
    expected.push(`web.1: ${number}`)
    if (number % 50 !== 49) continue
    const full = log.rotate()
    // What has been read may go at any time.
    await until(expected.length)
    if (full % 3 === 0) log.compress(full)
    else if (full > 5) rmSync(log.path(`.${full - 1}.log`), { force: true })
  }
  await until(expected.length)
  assert.deepEqual(lines, expected)
})

test('a log whose index was renamed just before it keeps it, and its lines their place', async (t) => {
  const stateDir = createStateDir(t)
  const controller = new AbortController()
  const follower = followLogs({ stateDir, wants: () => true, signal: controller.signal })
  t.after(() => follower.close())
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 7, 'before\n')
  renameSync(log.path('.idx'), log.path('.1.idx'))
  const lines: LogLine[] = []
  for await (const batch of follower) {
    lines.push(...batch.flatMap((chunk) => [...linesIn(chunk)]))
    if (lines.length === 2) controller.abort()
    if (lines.length > 1) continue
    renameSync(log.path('.log'), log.path('.1.log'))
    createLog(stateDir, 'web.1').write(T0 + 1, 7, 'after\n')
  }
  assert.deepEqual(
    lines.map(({ timeMs, run, line }) => [timeMs - T0, run, line.toString()]),
    [
      [0, 7, 'before'],
      [1, 7, 'after'],
    ],
  )
})

test('a log that was renamed before its index was found waits for news of its name', async (t) => {
  const stateDir = createStateDir(t)
  const controller = new AbortController()
  const follower = followLogs({ stateDir, wants: () => true, signal: controller.signal })
  t.after(() => follower.close())
  const early = createLog(stateDir, 'web.1')
  rmSync(early.path('.idx'))
  createLog(stateDir, 'web.2').write(T0, 1, 'a sign\n')
  const lines: LogLine[] = []
  for await (const batch of follower) {
    lines.push(...batch.flatMap((chunk) => [...linesIn(chunk)]))
    if (lines.length === 3) controller.abort()
    if (lines.length > 1) continue
    const log = createLog(stateDir, 'web.1')
    log.write(T0 + 1, 7, 'before\n')
    log.rotate()
    log.write(T0 + 2, 7, 'after\n')
    for (const chunks of follower.drain('web.1')) lines.push(...chunks.flatMap((chunk) => [...linesIn(chunk)]))
  }
  assert.deepEqual(
    lines.map(({ timeMs, run, line }) => [timeMs - T0, run, line.toString()]),
    [
      [0, 1, 'a sign'],
      [1, 7, 'before'],
      [2, 7, 'after'],
    ],
  )
})

test('what was compressed before anybody looked is given once', async (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, 'past\n')
  log.compress(log.rotate())
  log.write(T0 + 1, 1, 'one\n')
  const { until, lines } = follow(t, stateDir)
  await until(2)
  // All of it between two looks: the file that is followed, and one that nobody has seen.
  log.write(T0 + 2, 1, 'two\n')
  log.compress(log.rotate())
  log.write(T0 + 3, 1, 'three\n')
  log.compress(log.rotate())
  log.write(T0 + 4, 1, 'four\n')
  await until(5)
  log.write(T0 + 5, 1, 'five\n')
  await until(6)
  assert.deepEqual(
    lines,
    ['past', 'one', 'two', 'three', 'four', 'five'].map((line) => `web.1: ${line}`),
  )
})

/** Writes as the shim does, as fast as it can: through a pipe and splice, and a rotation every so often. */
const SPLICER = `
import os, struct, sys, time
folder = sys.argv[1]
r, w = os.pipe()
def begin():
    return (os.open(folder + "/web.1.log", os.O_RDWR | os.O_CREAT, 0o600),
            os.open(folder + "/web.1.idx", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), 0)
log, idx, size = begin()
sequence = 0
for number in range(20000):
    os.write(w, b"%d\\n" % number)
    os.write(idx, struct.pack("<QII", time.time_ns() // 1000, size, 1))
    size += os.splice(r, log, 1 << 16) if hasattr(os, "splice") else os.write(log, os.read(r, 1 << 16))
    if number % 1000 == 999:
        sequence += 1
        for suffix in (".idx", ".log"):
            os.rename(folder + "/web.1" + suffix, folder + "/web.1.%d%s" % (sequence, suffix))
        os.close(log); os.close(idx)
        log, idx, size = begin()
`

test('keeps up with a shim that writes and rotates as fast as it can', async (t) => {
  const stateDir = createStateDir(t)
  const { until, lines } = follow(t, stateDir)
  const writer = spawn('python3', ['-c', SPLICER, join(stateDir, 'logs')], { stdio: ['ignore', 'ignore', 'inherit'] })
  t.after(() => writer.kill('SIGKILL'))
  await until(20_000)
  assert.deepEqual(
    lines,
    Array.from({ length: 20_000 }, (_, number) => `web.1: ${number}`),
  )
})

test('followRun gives the lines of one life, those before included, and ends with its signal', async (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, 'first life\n')
  log.write(T0 + 1, 2, 'starting\n')
  const controller = new AbortController()
  const lines: string[] = []
  const over = followRun(
    stateDir,
    'web.1',
    2,
    ({ line }) => {
      lines.push(line.toString())
      if (line.includes('ready')) controller.abort()
    },
    controller.signal,
  )
  log.write(T0 + 2, 2, 'ready\nmore\n')
  await over
  assert.deepEqual(lines, ['starting', 'ready'])
  await followRun(stateDir, 'web.1', 2, () => assert.fail('it is over'), controller.signal)
})

test('tail gives the last lines of a life', (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, 'a\nb\nc\n')
  log.write(T0, 2, 'd\n')
  const lines = (run?: number): string[] => tail(stateDir, 'web.1', { run, n: 2 }).map(({ line }) => line.toString())
  assert.deepEqual([lines(), lines(1), lines(-1), lines(7)], [['c', 'd'], ['b', 'c'], ['d'], []])
  assert.deepEqual(tail(join(stateDir, 'nothing'), 'web.1', { n: 3 }), [])
})

test('events are read, and followed as they are written; what was cut off is passed over', async (t) => {
  const stateDir = createStateDir(t)
  assert.deepEqual(readEvents(stateDir), [])
  const path = join(stateDir, 'events.jsonl')
  const event = (id: number): string => JSON.stringify({ id, time: new Date(T0).toISOString(), type: 'note' })
  appendFileSync(path, `${event(1)}\n{"id":2,"ti\n${event(3)}\n`)
  const reader = createEventReader(stateDir)
  t.after(() => reader.close())
  const controller = new AbortController()
  const ids: number[] = []
  for await (const events of followEvents(stateDir, reader, controller.signal)) {
    ids.push(...events.map(({ id }) => id))
    if (ids.length === 2) appendFileSync(path, `${event(4)}\n`)
    if (ids.length === 3) controller.abort()
  }
  assert.deepEqual(ids, [1, 3, 4])
})
