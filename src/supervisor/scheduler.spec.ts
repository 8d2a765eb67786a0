import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Managed } from './process/managed.ts'
import { createScheduler } from './scheduler.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const START = Date.parse('2026-01-01T12:00:30Z')

/** A process with a schedule, a clock that can be set, and the times at which it was started. */
function createClock(t: TestContext, cron: string) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = START
  const fired: string[] = []
  const managed = {
    spec: { schedule: { cron, tz: 'UTC' } },
    slots: [{ current: { nextMs: null } }],
    firedMs: null,
  } as unknown as Managed
  const scheduler = createScheduler(
    () => fired.push(new Date(nowMs).toISOString().slice(5, 19)),
    () => nowMs,
  )
  t.after(() => scheduler.close())
  return {
    managed,
    scheduler,
    fired,
    /** Time goes by, and the clock with it. */
    pass: (ms: number) => {
      for (const end = nowMs + ms; nowMs < end;) {
        nowMs += 1000
        t.mock.timers.tick(1000)
      }
    },
    /** Somebody sets the clock. */
    set: (byMs: number) => void (nowMs += byMs),
    next: () => managed.slots[0]?.current.nextMs,
  }
}

test('it is started at each of its times', (t) => {
  const { scheduler, managed, fired, pass, next } = createClock(t, '* * * * *')
  scheduler.plan(managed)
  assert.equal(next(), Date.parse('2026-01-01T12:01:00Z'))
  pass(3 * MINUTE)
  assert.deepEqual(fired, ['01-01T12:01:00', '01-01T12:02:00', '01-01T12:03:00'])
  assert.equal(next(), Date.parse('2026-01-01T12:04:00Z'))
})

test('a time that is further away than a timer reaches is waited for', (t) => {
  const { scheduler, managed, fired, pass } = createClock(t, '0 0 1 3 *')
  scheduler.plan(managed)
  pass(HOUR)
  assert.deepEqual(fired, [])
})

test('what a clock that is set forward jumps over is made up for once', (t) => {
  const { scheduler, managed, fired, pass, set } = createClock(t, '*/10 * * * *')
  scheduler.plan(managed)
  pass(MINUTE)
  set(2 * HOUR)
  pass(MINUTE)
  assert.equal(fired.length, 1)
  pass(10 * MINUTE)
  assert.deepEqual(fired.slice(1), ['01-01T14:10:00'])
})

test('a clock that is set back does not start it twice for one time', (t) => {
  const { scheduler, managed, fired, pass, set } = createClock(t, '*/10 * * * *')
  scheduler.plan(managed)
  pass(11 * MINUTE)
  assert.deepEqual(fired, ['01-01T12:10:00'])
  set(-5 * MINUTE)
  pass(10 * MINUTE)
  assert.deepEqual(fired, ['01-01T12:10:00'])
  pass(5 * MINUTE)
  assert.deepEqual(fired, ['01-01T12:10:00', '01-01T12:20:00'])
  // Nor does a new plan.
  set(-5 * MINUTE)
  scheduler.plan(managed)
  pass(4 * MINUTE)
  assert.equal(fired.length, 2)
})

for (const hasFired of [true, false]) {
  test(`a clock that was a day ahead is not waited for, ${hasFired ? 'after a start' : 'before the first start'}`, (t) => {
    const { scheduler, managed, fired, pass, set } = createClock(t, '0 * * * *')
    set(DAY)
    scheduler.plan(managed)
    if (hasFired) pass(HOUR)
    assert.equal(fired.length, hasFired ? 1 : 0)
    set(-DAY)
    pass(HOUR)
    assert.equal(fired.length, hasFired ? 2 : 1)
  })
}

test('after it was called off, and after the end, nothing is started', (t) => {
  const { scheduler, managed, fired, pass, next } = createClock(t, '* * * * *')
  scheduler.plan(managed)
  scheduler.cancel(managed)
  assert.equal(next(), null)
  pass(5 * MINUTE)
  scheduler.plan(managed)
  scheduler.close()
  pass(5 * MINUTE)
  assert.deepEqual(fired, [])
})
