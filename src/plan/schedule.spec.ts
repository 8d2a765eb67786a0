import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSchedule, dueBetween, nextRun } from './schedule.ts'

const BERLIN = 'Europe/Berlin'
const ms = (iso: string): number => Date.parse(iso)

/** The next times, one after the other. */
function runs(cron: string, tz: string, after: string, count: number): string[] {
  const found: string[] = []
  let from: number | null = ms(after)
  while (found.length < count && from !== null) {
    from = nextRun({ cron, tz }, from)
    if (from !== null) found.push(new Date(from).toISOString().replace(':00.000Z', 'Z'))
  }
  return found
}

const tables: readonly (readonly [what: string, cron: string, tz: string, after: string, runs: readonly string[]])[] = [
  ['minutes', '*/20 * * * *', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-01T00:20Z', '2026-01-01T00:40Z']],
  ['seconds first', '30 0 0 * * *', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-01T00:00:30.000Z']],
  ['a name', '@daily', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-02T00:00Z', '2026-01-03T00:00Z']],
  ['names of days', '0 0 * JAN MON-FRI', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-02T00:00Z', '2026-01-05T00:00Z']],
  ['Sunday as 7', '0 0 * * 7', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-04T00:00Z', '2026-01-11T00:00Z']],
  ['either kind of day', '0 0 3 * 5', 'UTC', '2026-01-01T00:00:00Z', ['2026-01-02T00:00Z', '2026-01-03T00:00Z']],
  ['leap days', '0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
  ['a day that never is', '0 0 30 2 *', 'UTC', '2026-01-01T00:00:00Z', []],
  ['another zone', '0 9 * * *', 'Asia/Kolkata', '2026-01-01T00:00:00Z', ['2026-01-01T03:30Z', '2026-01-02T03:30Z']],
  [
    'the gap of spring: at its end',
    '30 2 * * *',
    BERLIN,
    '2026-03-28T00:00:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  [
    'the gap of spring: hourly goes on',
    '30 * * * *',
    BERLIN,
    '2026-03-28T23:40:00Z',
    ['2026-03-29T00:30Z', '2026-03-29T01:30Z', '2026-03-29T02:30Z'],
  ],
  [
    'the overlap of autumn: the first of both',
    '30 2 * * *',
    BERLIN,
    '2026-10-24T00:00:00Z',
    ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'the overlap of autumn: hourly goes on',
    '30 * * * *',
    BERLIN,
    '2026-10-24T23:40:00Z',
    ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z'],
  ],
]

for (const [what, cron, tz, after, expected] of tables) {
  test(`${cron} in ${tz}: ${what}`, () => {
    assert.deepEqual(runs(cron, tz, after, Math.max(expected.length, 1)), expected)
  })
}

test('the next time is after the given one, to the millisecond', () => {
  const schedule = { cron: '0 0 * * *', tz: 'UTC' }
  const midnight = ms('2026-01-02T00:00:00Z')
  const next = ms('2026-01-03T00:00:00Z')
  for (const [after, expected] of [
    [midnight - 1, midnight],
    [midnight, next],
    [midnight + 0.5, next],
    [midnight + 1, next],
    [midnight + 999, next],
  ] as const)
    assert.equal(nextRun(schedule, after), expected)
})

test('what is due since the last look is found once, however the clock is set', () => {
  const schedule = { cron: '0 * * * *', tz: 'UTC' }
  const hour = ms('2026-01-01T10:00:00Z')
  assert.equal(dueBetween(schedule, hour - 1000, hour - 1), null)
  assert.equal(dueBetween(schedule, hour - 1000, hour), hour)
  assert.equal(dueBetween(schedule, hour, hour + 1000), null)
  // Set forward by five hours.
  assert.equal(dueBetween(schedule, hour - 1000, hour + 5 * 3_600_000), hour)
  // Set back.
  assert.equal(dueBetween(schedule, hour + 1000, hour - 1000), null)
  assert.equal(dueBetween(schedule, hour, hour), null)
})

const checks: readonly (readonly [cron: string, tz: string, sentence: string | null])[] = [
  ['*/5 * * * *', 'UTC', null],
  [' 0 0 * * * ', BERLIN, null],
  ['0 0 0 * * MON', 'UTC', null],
  ...['@yearly', '@monthly', '@weekly', '@daily', '@hourly'].map((cron) => [cron, 'UTC', null] as const),
  ['0 0 * * *', 'Mars/Olympus', 'There is no time zone "Mars/Olympus".'],
  ['0 0 * * *', '', 'There is no time zone "".'],
  ['', 'UTC', '"" is not a cron expression of five or six fields.'],
  ['* * * *', 'UTC', '"* * * *" is not a cron expression of five or six fields.'],
  ['* * * * * * *', 'UTC', '"* * * * * * *" is not a cron expression of five or six fields.'],
  ['2026-01-01T00:00:00', 'UTC', '"2026-01-01T00:00:00" is not a cron expression of five or six fields.'],
  ['61 * * * *', 'UTC', '"61 * * * *" is not a cron expression: Invalid value for minute: 61.'],
  ['*/0 * * * *', 'UTC', '"*/0 * * * *" is not a cron expression: Syntax error, illegal stepping: 0.'],
  ['0 0 30 2 *', 'UTC', '"0 0 30 2 *" has no next time.'],
]

for (const [cron, tz, sentence] of checks) {
  test(`${JSON.stringify(cron)} in ${JSON.stringify(tz)} is ${sentence === null ? 'a schedule' : 'refused'}`, () => {
    assert.equal(checkSchedule(cron, tz, ms('2026-01-01T00:00:00Z')), sentence)
  })
}

test('an event is not a schedule', () => {
  assert.match(
    checkSchedule('@reboot', 'UTC', 0) ?? '',
    /^"@reboot" is not a cron expression: @reboot is not supported/,
  )
  assert.match(checkSchedule('@often', 'UTC', 0) ?? '', /^"@often" is not a cron expression: /)
})
