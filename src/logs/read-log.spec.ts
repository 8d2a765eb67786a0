import assert from 'node:assert/strict'
import { truncateSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { createLog, createStateDir } from '../../test/support/logs.ts'
import type { LogLine } from './lines.ts'
import { type LogQuery, readLines } from './read-log.ts'

const T0 = Date.UTC(2026, 0, 1)

const texts = (lines: Iterable<LogLine>): string[] => [...lines].map(({ line }) => line.toString())

function read(stateDir: string, query: LogQuery & { instances?: readonly string[] } = {}): string[] {
  return texts(readLines({ stateDir, ...query }))
}

/** Two lives of an instance, over a compressed file, a full one and the current one. */
function threeFiles(t: TestContext): string {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, 'one\ntwo\n')
  log.rotate()
  log.write(T0 + 1000, 1, 'three\nfo')
  log.write(T0 + 2000, 1, 'ur\n')
  log.rotate()
  log.write(T0 + 3000, 1, 'five\nunfinished')
  log.write(T0 + 4000, 2, 'six\nseven')
  log.compress(1)
  return stateDir
}

const ALL = ['one', 'two', 'three', 'four', 'five', 'unfinished', 'six', 'seven']

const queries: readonly (readonly [string, LogQuery, readonly string[]])[] = [
  ['everything', {}, ALL],
  ['the last lines of the current file', { last: 2 }, ['six', 'seven']],
  ['the last lines over several files', { last: 7 }, ALL.slice(1)],
  ['more lines than there are', { last: 100 }, ALL],
  ['no lines at all', { last: 0 }, []],
  ['what came since a time', { sinceMs: T0 + 1000 }, ALL.slice(2)],
  ['lines by when they began', { sinceMs: T0 + 1001 }, ALL.slice(4)],
  ['what came until a time', { untilMs: T0 + 1000 }, ALL.slice(0, 4)],
  ['the last ones until a time', { untilMs: T0 + 3000, last: 2 }, ['five', 'unfinished']],
  ['what came in between', { sinceMs: T0 + 500, untilMs: T0 + 3500 }, ALL.slice(2, 6)],
  ['nothing, where nothing came', { sinceMs: T0 + 5000 }, []],
  ['one life', { run: 1 }, ALL.slice(0, 6)],
  ['the last life', { run: -1 }, ['six', 'seven']],
  ['the life before it', { run: -2, last: 3 }, ['four', 'five', 'unfinished']],
  ['a life that never was', { run: 9 }, []],
  ['the last ones that match', { last: 2, matches: ({ line }) => line.includes('o') }, ['two', 'four']],
]

for (const [what, query, expected] of queries) {
  test(`reads ${what}`, (t) => {
    assert.deepEqual(read(threeFiles(t), query), expected)
  })
}

test('a line has the time of its first byte, its run, and whether it came to its end', (t) => {
  const lines = [...readLines({ stateDir: threeFiles(t) })].slice(3)
  assert.deepEqual(
    lines.map(({ line, timeMs, run, whole }) => [line.toString(), timeMs - T0, run, whole]),
    [
      ['four', 1000, 1, true],
      ['five', 3000, 1, true],
      ['unfinished', 3000, 1, false],
      ['six', 4000, 2, true],
      ['seven', 4000, 2, false],
    ],
  )
})

test('instances are merged in the order of arrival', (t) => {
  const stateDir = createStateDir(t)
  const [web, worker] = [createLog(stateDir, 'web.1'), createLog(stateDir, 'worker.1')]
  for (const [at, log, text] of [
    [1, web, 'a\n'],
    [2, worker, 'b\n'],
    [3, worker, 'c\n'],
    [4, web, 'd\n'],
    [4, worker, 'e\n'],
  ] as const) {
    log.write(T0 + at, 1, text)
  }
  assert.deepEqual(read(stateDir), ['a', 'b', 'c', 'd', 'e'])
  assert.deepEqual(read(stateDir, { last: 1 }), ['d', 'e'])
  assert.deepEqual(read(stateDir, { instances: ['worker.1'] }), ['b', 'c', 'e'])
})

test('the old life goes on in its full file while a reload begins another', (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, 'old 1\n')
  const full = log.rotate()
  log.write(T0 + 1, 2, 'new 1\n')
  log.writeRotated(full, T0 + 2, 1, 'old 2\n')
  log.write(T0 + 3, 2, 'new 2\n')
  assert.deepEqual(read(stateDir), ['old 1', 'new 1', 'old 2', 'new 2'])
  assert.deepEqual(read(stateDir, { last: 3 }), ['new 1', 'old 2', 'new 2'])
  assert.deepEqual(read(stateDir, { run: 1 }), ['old 1', 'old 2'])
})

test('a file without an index has the time of the file, and no run', (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  writeFileSync(log.path('.log'), 'a\nb\n')
  assert.deepEqual(
    [...readLines({ stateDir, last: 5 })].map(({ line, run }) => [line.toString(), run]),
    [
      ['a', 0],
      ['b', 0],
    ],
  )
})

test('bytes before the first mark belong to it', (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  writeFileSync(log.path('.log'), 'before\n')
  log.write(T0, 3, 'after\n')
  assert.deepEqual(read(stateDir, { run: 3 }), ['before', 'after'])
  assert.deepEqual(read(stateDir, { sinceMs: T0 }), ['before', 'after'])
})

test('what a full disk took back is not missed', (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  log.write(T0, 1, 'kept\n')
  log.write(T0 + 1, 1, 'half a li')
  log.write(T0 + 2, 2, 'ne and more')
  truncateSync(log.path('.log'), 5)
  log.write(T0 + 3, 2, '[prodserver] 1 lines (20 bytes) could not be stored\nnext\n')
  const expected = ['kept', '[prodserver] 1 lines (20 bytes) could not be stored', 'next']
  assert.deepEqual(read(stateDir), expected)
  assert.deepEqual(read(stateDir, { last: 9 }), expected)
})

test('a line of ten megabytes is one line, forwards and backwards', (t) => {
  const stateDir = createStateDir(t)
  const log = createLog(stateDir, 'web.1')
  const long = Buffer.alloc(10_000_000, 'x')
  log.write(T0, 1, 'before\n')
  for (let at = 0; at < long.length; at += 1_000_000) log.write(T0 + at, 1, long.subarray(at, at + 1_000_000))
  log.write(T0 + 2e7, 1, '\nafter\n')
  for (const query of [{}, { last: 3 }, { sinceMs: T0 }]) {
    const lines = [...readLines({ stateDir, ...query })]
    assert.deepEqual(
      lines.map(({ line }) => line.length),
      [6, 10_000_000, 5],
    )
    assert.ok(lines[1]?.line.equals(long))
  }
})

test('any bytes come back as they were', (t) => {
  const stateDir = createStateDir(t)
  const bytes = Buffer.from([0, 255, 13, 27, 0xc3, 0x28, 10, 10, 0])
  createLog(stateDir, 'web.1').write(T0, 1, bytes)
  const lines = [...readLines({ stateDir })]
  assert.deepEqual(
    lines.map(({ line }) => [...line]),
    [[0, 255, 13, 27, 0xc3, 0x28], [], [0]],
  )
})

test('lines are the same however they were written and wherever files end', (t) => {
  const random = createRandom(7)
  for (let round = 0; round < 60; round++) {
    const stateDir = createStateDir(t)
    const expected: { text: string; timeMs: number; run: number; whole: boolean }[] = []
    const log = createLog(stateDir, 'web.1')
    let [time, run, open] = [T0, 1, false]
    for (let step = 0; step < 40; step++) {
      time += random(3)
      if (random(8) === 0) {
        run++
        open = false
      }
      if (random(6) === 0 && !open) {
        const sequence = log.rotate()
        if (random(2) === 0) log.compress(sequence)
      }
      const pieces = Array.from({ length: 1 + random(4) }, () => 'abc'.repeat(random(random(20) === 0 ? 90_000 : 6)))
      const bytes = `${pieces.join('\n')}${random(3) === 0 ? '' : '\n'}`
      if (bytes === '') continue
      log.write(time, run, bytes)
      const lines = bytes.split('\n')
      for (const [index, text] of lines.entries()) {
        const whole = index < lines.length - 1
        const last = expected.at(-1)
        if (index === 0 && open && last) Object.assign(last, { text: last.text + text, whole })
        else if (whole || text !== '') expected.push({ text, timeMs: time, run, whole })
      }
      open = !bytes.endsWith('\n')
    }
    const check = (query: LogQuery, wanted: typeof expected): void => {
      const found = [...readLines({ stateDir, ...query })]
      assert.deepEqual(
        found.map(({ line, timeMs, run, whole }) => ({ text: short(line.toString()), timeMs, run, whole })),
        wanted.map((line) => ({ ...line, text: short(line.text) })),
      )
    }
    const [middle, life, count] = [T0 + random(60), 1 + random(6), 1 + random(40)]
    const since = expected.filter(({ timeMs }) => timeMs >= middle)
    check({}, expected)
    check({ last: count }, expected.slice(-count))
    check({ sinceMs: middle }, since)
    check({ sinceMs: middle, last: 5 }, since.slice(-5))
    check(
      { untilMs: middle, run: life },
      expected.filter(({ timeMs, run }) => timeMs <= middle && run === life),
    )
  }
})

/** A failure shows all that it compares. */
const short = (text: string): string => (text.length > 50 ? `${text.length}`.padStart(50, 'x') : text)

/** The same numbers in every run, so that a failure can be looked at again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}
