import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { nextRun } from '../../plan/schedule.ts'
import { calendarOf } from './calendar.ts'

const expected: readonly (readonly [cron: string, ...times: readonly string[]])[] = [
  ['* * * * *', '*-*-* *:*:00'],
  ['*/5 * * * * *', '*-*-* *:*:00/5'],
  ['30 3 * * *', '*-*-* 03:30:00'],
  ['*/15 8-18 * * 1-5', 'Mon,Tue,Wed,Thu,Fri *-*-* 08..18:00/15:00'],
  ['0 0 1,15 * *', '*-*-01,15 00:00:00'],
  ['0 0 13 * FRI', '*-*-13 00:00:00', 'Fri *-*-* 00:00:00'],
  ['0 0 L * *', '*-*~01 00:00:00'],
  ['0 0 15,L * *', '*-*-15 00:00:00', '*-*~01 00:00:00'],
  ['0 0 * * 5#2', 'Fri *-*-08..14 00:00:00'],
  ['0 0 * * 1#L', 'Mon *-*~07/1 00:00:00'],
  ['0 6 * jan-mar,DEC 0', 'Sun *-01,02,03,12-* 06:00:00'],
  ['0 0 * * 7', 'Sun *-*-* 00:00:00'],
  ['0 0 ? * ?', '*-*-* 00:00:00'],
  ['@daily', '*-*-* 00:00:00'],
  ['@yearly', '*-01-01 00:00:00'],
]

test('a cron expression becomes calendar events', () => {
  for (const [cron, ...times] of expected)
    assert.deepEqual(
      calendarOf({ cron, tz: 'UTC' }),
      times.map((time) => `${time} UTC`),
      cron,
    )
})

test('what systemd has no word for is no calendar event', () => {
  for (const cron of ['0 0 15W * *', '0 0 LW * *', '0 0 1 * +MON', '0 0 * * 5L', '0 0 32 * *'])
    assert.equal(calendarOf({ cron, tz: 'UTC' }), undefined, cron)
})

test('systemd finds the same next times', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) return t.skip('systemd-analyze is not installed')
  const field = (from: number, to: number): fc.Arbitrary<string> => {
    const number = fc.integer({ min: from, max: to })
    const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
    const step = fc.integer({ min: 1, max: to - from })
    const stepped = fc.tuple(range, step).map(([span, by]) => `${span}/${by}`)
    const part = fc.oneof(number.map(String), range, stepped)
    return fc.oneof(
      fc.constant('*'),
      step.map((by) => `*/${by}`),
      fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(',')),
    )
  }
  const weekday = fc.oneof(
    field(0, 7),
    fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 5 })).map(([day, nth]) => `${day}#${nth}`),
  )
  const crons = fc
    .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), weekday)
    .map((fields) => fields.join(' '))
  fc.assert(
    fc.property(crons, (cron) => {
      const times = calendarOf({ cron, tz: 'UTC' })
      assert.ok(times, cron)
      assert.deepEqual(systemdTimes(times), cronTimes(cron), cron)
    }),
    { numRuns: 60 },
  )
})

const BASE = '2027-01-15 12:34:56'
const COUNT = 5

function cronTimes(cron: string): readonly string[] {
  const found: string[] = []
  for (
    let at = nextRun({ cron, tz: 'UTC' }, Date.parse(`${BASE.replace(' ', 'T')}Z`));
    at !== null && found.length < COUNT;
    at = nextRun({ cron, tz: 'UTC' }, at)
  )
    found.push(new Date(at).toISOString().slice(0, 19).replace('T', ' '))
  return found
}

function systemdTimes(times: readonly string[]): readonly string[] {
  const args = ['calendar', `--base-time=${BASE} UTC`, `--iterations=${COUNT}`, ...times]
  const { stdout, stderr } = spawnSync('systemd-analyze', args, {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
  })
  const found = [
    ...stdout.matchAll(/(?:Next elapse|Iter(?:ation|\.) #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC/g),
  ].map(([, time = '']) => time)
  assert.equal(stderr, '', times.join(' | '))
  return [...new Set(found)].toSorted().slice(0, COUNT)
}
