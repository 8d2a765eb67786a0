import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlannedProbe } from '../../plan/plan.ts'
import { type After, createProber, type Prober } from './prober.ts'
import type { ProbeResult } from './probe.ts'

interface Bench {
  readonly prober: Prober
  readonly reports: readonly ProbeResult[]
  /** Times that were waited, in milliseconds; the last is being waited. */
  readonly waits: readonly number[]
  readonly asked: () => number
  /** Lets the time pass that is being waited, and the answer come. */
  readonly tick: (answer: string | true) => Promise<void>
  readonly isWaiting: () => boolean
}

/** A prober whose time and answers are given by hand; an answer is `true` or the reply. */
function bench(purpose: 'ready' | 'alive', probe: Partial<PlannedProbe>): Bench {
  const reports: ProbeResult[] = []
  const waits: number[] = []
  let pending: (() => void) | undefined
  let asked = 0
  let answer: string | true = true
  const after: After = (ms, act) => {
    waits.push(Math.round(ms))
    pending = act
    return () => (pending = undefined)
  }
  const prober = createProber({
    purpose,
    probe: { startMs: 60_000, intervalMs: 100, timeoutMs: 1000, failures: 3, ...probe },
    target: { address: null, listen: [], env: {}, cwd: '/' },
    report: (result) => void reports.push(result),
    run: async () => {
      asked++
      return answer === true ? { ok: true } : { ok: false, reply: answer }
    },
    after,
  })
  const tick = async (given: string | true): Promise<void> => {
    answer = given
    const act = pending
    pending = undefined
    act?.()
    await new Promise(setImmediate)
  }
  return { prober, reports, waits, asked: () => asked, tick, isWaiting: () => pending !== undefined }
}

const OK: ProbeResult = { ok: true }

test('readiness is asked for quickly at first, then at the interval, until it passes', async () => {
  const { prober, reports, waits, tick, isWaiting, asked } = bench('ready', { tcp: '80' })
  for (let time = 1; time <= 6; time++) await tick(`no ${time}`)
  assert.deepEqual(waits, [25, 38, 56, 84, 100, 100, 100])
  assert.deepEqual(reports, [])
  assert.equal(prober.lastReply(), 'no 6')
  await tick(true)
  assert.deepEqual(reports, [OK])
  assert.equal(isWaiting(), false)
  assert.equal(asked(), 7)
})

test('an interval that is shorter than the first wait is kept to', () => {
  assert.deepEqual(bench('ready', { tcp: '80', intervalMs: 10 }).waits, [10])
})

test('an instance is not alive after failures in a row, and is again with the first answer', async () => {
  const { reports, waits, tick } = bench('alive', { http: '/' })
  for (const answer of ['a', 'b', true, 'c', 'd'] as const) await tick(answer)
  assert.deepEqual(reports, [])
  await tick('e')
  await tick('f')
  assert.deepEqual(reports, [{ ok: false, reply: 'e' }])
  await tick(true)
  await tick(true)
  assert.deepEqual(reports, [{ ok: false, reply: 'e' }, OK])
  assert.ok(waits.every((ms) => ms === 100))
})

test('who is stopped says nothing more, not even of an answer that was on its way', async () => {
  for (const purpose of ['ready', 'alive'] as const) {
    const { prober, reports, tick, isWaiting } = bench(purpose, { tcp: '80', failures: 1 })
    const under = tick(purpose === 'ready' ? true : 'no')
    prober.stop()
    prober.stop()
    await under
    assert.deepEqual(reports, [])
    assert.equal(isWaiting(), false)
  }
})

test('a delay passes when it is over, and asks nothing', async () => {
  const { reports, waits, tick, asked } = bench('ready', { delayMs: 5000 })
  assert.deepEqual(waits, [5000])
  await tick(true)
  assert.deepEqual(reports, [OK])
  assert.equal(asked(), 0)
})

test('of a line and a delay, whichever comes first passes, once', async () => {
  const byLine = bench('ready', { log: 'ready', delayMs: 5000 })
  byLine.prober.feed('celery@host ready.')
  assert.deepEqual([byLine.reports, byLine.isWaiting()], [[OK], false])
  const byTime = bench('ready', { log: 'ready', delayMs: 5000 })
  await byTime.tick(true)
  byTime.prober.feed('celery@host ready.')
  assert.deepEqual([byTime.waits, byTime.reports], [[5000], [OK]])
})

test('who tells by itself is not asked', () => {
  assert.deepEqual(bench('ready', { notify: true }).waits, [])
})

const lines: readonly (readonly [pattern: string, line: string, matches: boolean])[] = [
  ['ready\\.$', 'celery@host ready.', true],
  ['ready\\.$', 'celery@host ready. Not', false],
  ['Q Cluster .* running', '\x1b[32m10:00 [Q] INFO Q Cluster a-b running.\x1b[0m', true],
  ['Listening on (', 'Listening on (0.0.0.0)', true],
  ['Listening on (', 'Listening on [', false],
]

for (const [pattern, line, isMatch] of lines) {
  test(`the line ${JSON.stringify(line)} ${isMatch ? 'is' : 'is not'} what ${pattern} waits for`, () => {
    const { prober, reports, waits } = bench('ready', { log: pattern })
    prober.feed('something else')
    prober.feed(line)
    prober.feed(line)
    assert.deepEqual(reports, isMatch ? [OK] : [])
    assert.deepEqual(waits, [])
  })
}

test('a line is not looked at by other probes, and not after the stop', () => {
  const other = bench('ready', { tcp: '80' })
  other.prober.feed('ready')
  const stopped = bench('ready', { log: 'ready' })
  stopped.prober.stop()
  stopped.prober.feed('ready')
  assert.deepEqual([...other.reports, ...stopped.reports], [])
})
