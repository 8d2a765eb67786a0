import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decideRestart, NO_RESTARTS, type RestartDecision, type RestartHistory } from './restart.ts'

const PLANNED = { policy: 'always', delayMs: 1000, maxDelayMs: 60_000, limit: 100, windowMs: 600_000 } as const
/** In the middle: no jitter. */
const MIDDLE = 0.5

type Delay = Extract<RestartDecision, { delayMs: number }>

function decide(
  given: Partial<typeof PLANNED | Record<keyof typeof PLANNED, number>>,
  history: RestartHistory = NO_RESTARTS,
  { nowMs = 0, readyForMs = 0, random = MIDDLE } = {},
): RestartDecision {
  return decideRestart({ ...PLANNED, ...given } as typeof PLANNED, history, { nowMs, readyForMs, random })
}

function delayed(decision: RestartDecision): Delay {
  assert.ok('delayMs' in decision, 'giveUp' in decision ? decision.giveUp : '')
  return decision
}

/** Delays of as many ends in a row. */
function delays(count: number, given: Parameters<typeof decide>[0] = {}): readonly number[] {
  let history = NO_RESTARTS
  return Array.from({ length: count }, () => {
    const decision = delayed(decide(given, history))
    history = decision.history
    return decision.delayMs
  })
}

test('the delay doubles with every end in a row, up to the longest', () => {
  assert.deepEqual(delays(8), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
})

test('a longest delay that is shorter than the first does not shorten it', () => {
  assert.deepEqual(delays(3, { delayMs: 5000, maxDelayMs: 1000 }), [5000, 5000, 5000])
})

test('no delay stays none', () => {
  assert.deepEqual(delays(3, { delayMs: 0 }), [0, 0, 0])
})

test('ends without number do not make the delay infinite', () => {
  const { delayMs } = delayed(decide({}, { failures: 1_000_000, restartsMs: [] }))
  assert.equal(delayMs, 60_000)
})

test('instances that end together come back apart, by a tenth at most', () => {
  const at = (random: number): number => delayed(decide({}, NO_RESTARTS, { random })).delayMs
  assert.deepEqual([at(0), at(MIDDLE), at(0.999_999)], [900, 1000, 1100])
})

test('who ran well for the longest delay begins anew; who ran shorter does not', () => {
  const history = { failures: 5, restartsMs: [] }
  assert.equal(delayed(decide({}, history, { readyForMs: 59_999 })).history.failures, 6)
  const anew = delayed(decide({}, history, { readyForMs: 60_000 }))
  assert.deepEqual([anew.delayMs, anew.history.failures], [1000, 1])
})

test('it is given up when it ends once more than it may be started in the window', () => {
  const history = { failures: 3, restartsMs: [1000, 4000, 8000] }
  assert.deepEqual(decide({ limit: 3 }, history, { nowMs: 12_600 }), { giveUp: 'it ended 4 times in 12s' })
  assert.ok('delayMs' in decide({ limit: 4 }, history, { nowMs: 12_600 }))
})

test('restarts that are longer ago than the window count no more, and are forgotten', () => {
  const history = { failures: 3, restartsMs: [1000, 4000, 8000] }
  const { history: next } = delayed(decide({ limit: 3, windowMs: 10_000 }, history, { nowMs: 11_000 }))
  assert.deepEqual(next.restartsMs, [4000, 8000, 11_000])
  assert.ok('giveUp' in decide({ limit: 3, windowMs: 10_000 }, history, { nowMs: 10_999 }))
})

test('a clock that was set back neither crashes nor forgets', () => {
  const history = { failures: 1, restartsMs: [1_000_000] }
  assert.deepEqual(delayed(decide({}, history, { nowMs: 5 })).history.restartsMs, [1_000_000, 5])
})

test('whatever is declared, delays are within bounds and restarts within the limit', () => {
  const declared = fc.record({
    delayMs: fc.nat(100_000),
    maxDelayMs: fc.nat(1_000_000),
    limit: fc.integer({ min: 1, max: 20 }),
    windowMs: fc.integer({ min: 1, max: 1_000_000 }),
  })
  const end = fc.record({
    passed: fc.nat(200_000),
    readyForMs: fc.nat(200_000),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  fc.assert(
    fc.property(declared, fc.array(end, { maxLength: 40 }), (given, ends) => {
      const { delayMs, maxDelayMs, limit, windowMs } = given
      let history = NO_RESTARTS
      let nowMs = 0
      const starts: number[] = []
      for (const { passed, ...rest } of ends) {
        nowMs += passed
        const decision = decide(given, history, { nowMs, ...rest })
        if ('giveUp' in decision) {
          assert.ok(starts.filter((at) => nowMs - at < windowMs).length >= limit)
          return
        }
        starts.push(nowMs)
        history = decision.history
        assert.ok(decision.delayMs >= Math.floor(delayMs * 0.9))
        assert.ok(decision.delayMs <= Math.ceil(Math.max(delayMs, maxDelayMs) * 1.1))
        assert.ok(starts.filter((at) => nowMs - at < windowMs).length <= limit)
        assert.ok(history.restartsMs.length <= limit)
      }
    }),
  )
})
