import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createFakeWorld, instanceAt } from '../../../test/support/world.ts'
import { ManagedProcess } from './managed.ts'
import { createProcessState } from './state.ts'
import { createSpec } from '../../../test/support/specs.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const START = Date.parse('2026-01-01T12:00:30Z')

/** A process with a schedule, a clock that can be set, and the times at which it was started. */
function createClock(t: TestContext, cron: string) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = START
  const fired: string[] = []
  const { dependencies } = createFakeWorld()
  const managed = new ManagedProcess(createProcessState(createSpec({ schedule: { cron, tz: 'UTC' } }), nowMs), {
    ...dependencies,
    nowMs: () => nowMs,
    changed: ({ state }) => {
      // Each run ends at once.
      const { key, machine } = state.slots[0]?.current ?? assert.fail()
      if (machine.phase.is !== 'waiting') return
      fired.push(new Date(nowMs).toISOString().slice(5, 19))
      managed.dispatch({ type: 'stop-instance', key })
    },
  })
  t.after(() => managed.leave())
  return {
    managed,
    plan: () => managed.dispatch({ type: 'start' }),
    fired,
    /** Lets time pass, and the clock with it. */
    pass: (ms: number) => {
      for (const end = nowMs + ms; nowMs < end;) {
        nowMs += 1000
        t.mock.timers.tick(1000)
      }
    },
    /** Sets the clock. */
    set: (byMs: number) => void (nowMs += byMs),
    next: () => managed.state.schedule.nextMs,
  }
}

test('it is started at each of its times', (t) => {
  const { plan, fired, pass, next } = createClock(t, '* * * * *')
  plan()
  assert.equal(next(), Date.parse('2026-01-01T12:01:00Z'))
  pass(3 * MINUTE)
  assert.deepEqual(fired, ['01-01T12:01:00', '01-01T12:02:00', '01-01T12:03:00'])
  assert.equal(next(), Date.parse('2026-01-01T12:04:00Z'))
})

test('a time that is further away than a timer reaches is waited for', (t) => {
  const { plan, fired, pass } = createClock(t, '0 0 1 3 *')
  plan()
  pass(HOUR)
  assert.deepEqual(fired, [])
})

test('what a clock that is set forward jumps over is made up for once', (t) => {
  const { plan, fired, pass, set } = createClock(t, '*/10 * * * *')
  plan()
  pass(MINUTE)
  set(2 * HOUR)
  pass(MINUTE)
  assert.equal(fired.length, 1)
  pass(10 * MINUTE)
  assert.deepEqual(fired.slice(1), ['01-01T14:10:00'])
})

test('a clock that is set back does not start it twice for one time', (t) => {
  const { plan, fired, pass, set } = createClock(t, '*/10 * * * *')
  plan()
  pass(11 * MINUTE)
  assert.deepEqual(fired, ['01-01T12:10:00'])
  set(-5 * MINUTE)
  pass(10 * MINUTE)
  assert.deepEqual(fired, ['01-01T12:10:00'])
  pass(5 * MINUTE)
  assert.deepEqual(fired, ['01-01T12:10:00', '01-01T12:20:00'])
  // Nor does a new plan.
  set(-5 * MINUTE)
  plan()
  pass(4 * MINUTE)
  assert.equal(fired.length, 2)
})

for (const hasFired of [true, false]) {
  test(`a clock that was a day ahead is not waited for, ${hasFired ? 'after a start' : 'before the first start'}`, (t) => {
    const { plan, fired, pass, set } = createClock(t, '0 * * * *')
    set(DAY)
    plan()
    if (hasFired) pass(HOUR)
    assert.equal(fired.length, hasFired ? 1 : 0)
    set(-DAY)
    pass(HOUR)
    assert.equal(fired.length, hasFired ? 2 : 1)
  })
}

test('after it was called off, and after the end, nothing is started', (t) => {
  const { managed, plan, fired, pass, next } = createClock(t, '* * * * *')
  plan()
  managed.dispatch({ type: 'stop' })
  assert.equal(next(), null)
  pass(5 * MINUTE)
  plan()
  managed.leave()
  pass(5 * MINUTE)
  assert.deepEqual(fired, [])
})

test('a run is skipped while the last one still runs', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { createProcess, spawn, news, advance } = createFakeWorld()
  const managed = createProcess({ name: 'night', schedule: { cron: '* * * * *', tz: 'UTC' } })
  t.after(() => managed.leave())
  managed.dispatch({ type: 'start' })
  const pass = (): void => {
    advance(MINUTE)
    managed.dispatch({ type: 'tick' })
  }
  pass()
  managed.dispatch({ type: 'dependencies', unmet: [], reason: '', isBlocked: false })
  spawn(instanceAt(managed))
  pass()
  const { type, message } = news.at(-1) ?? assert.fail()
  assert.deepEqual([type, message], ['skipped', 'skipped: the last one still runs'])
})
