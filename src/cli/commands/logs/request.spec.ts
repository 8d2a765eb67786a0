import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../../core/errors.ts'
import { parseLine } from '../../options.ts'
import { FLAGS } from './flags.ts'
import { createRequest, type LogsRequest } from './request.ts'

const NOW = new Date(2026, 0, 10, 12, 30).getTime()
const parse = (...argv: string[]): LogsRequest => {
  const { options, operands } = parseLine(argv, FLAGS, NOW)
  return createRequest(options, operands)
}

const times: readonly (readonly [text: string, expected: number])[] = [
  ['10m', NOW - 600_000],
  ['1h30m', NOW - 5_400_000],
  ['90', NOW - 90_000],
  ['10m ago', NOW - 600_000],
  ['now', NOW],
  ['today', new Date(2026, 0, 10).getTime()],
  ['yesterday', new Date(2026, 0, 9).getTime()],
  ['9:05', new Date(2026, 0, 10, 9, 5).getTime()],
  ['09:05:01.5', new Date(2026, 0, 10, 9, 5, 1, 500).getTime()],
  ['2026-01-02', new Date(2026, 0, 2).getTime()],
  ['2026-01-02 03:04', new Date(2026, 0, 2, 3, 4).getTime()],
  ['2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5)],
  ['2026-01-02T03:04:05.5+01:00', Date.UTC(2026, 0, 2, 2, 4, 5, 500)],
]

for (const [text, expected] of times) {
  test(`${text} is a time`, () => {
    assert.equal(parse('--since', text).query.sinceMs, expected)
  })
}

const wrong: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
  [['--since', 'soon'], /--since takes a time, and soon is none/],
  [['--until', '2026-13-45'], /--until takes a time/],
  [['-n', 'many'], /--lines takes a number or all/],
  [['--run', '0'], /--run takes the number of a life/],
  [['--grep', '('], /--grep takes a regular expression/],
  [['-v'], /--invert needs --grep/],
  [['--prefix', 'huge'], /--prefix takes short, long or none, not "huge"/],
  [['-f', '--until', '1m'], /choose one/],
  [['--json', '--raw'], /choose one/],
]

for (const [argv, message] of wrong) {
  test(`${argv.join(' ')} is refused`, () => {
    assert.throws(
      () => parse(...argv),
      (error: Error) => error instanceof UsageError && message.test(error.message),
    )
  })
}

test('the last hundred lines, unless something else says how many', () => {
  assert.equal(parse().query.last, 100)
  assert.equal(parse('-n', '5').query.last, 5)
  assert.equal(parse('-n5').query.last, 5)
  for (const argv of [['-n', 'all'], ['--since=1h'], ['--run', '-1']])
    assert.equal(parse(...argv).query.last, undefined)
  assert.equal(parse('--since=1h', '-n', '5').query.last, 5)
})

test('raw lines have no prefix, unless one is asked for', () => {
  assert.deepEqual(
    [parse('--raw').prefix, parse('--raw', '--prefix=long').prefix, parse().prefix],
    ['none', 'long', 'short'],
  )
})
