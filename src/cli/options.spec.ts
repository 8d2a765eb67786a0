import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../core/errors.ts'
import { flag, list, parsed, parseLine, value, withDefault } from './options.ts'

const options = {
  settings: value('MODULE', ''),
  verbosity: value('LEVEL', '', { short: 'v' }),
  pythonpath: list('PATH', ''),
  set: list('NAME.KEY=VALUE', '', { like: /^[^=]+\.[^=]+=/ }),
  count: withDefault(
    parsed('N', '', (text, { option, nowMs }) => {
      if (text === 'now') return nowMs
      if (/^\d+$/.test(text)) return Number(text)
      throw new UsageError(`--${option} takes a number.`)
    }),
    1,
  ),
  json: flag(''),
  quiet: flag('', { short: 'q' }),
  'answer-fd': value('FD', '', { hidden: true }),
} as const

/** A command that takes names, and one that passes on what follows the first. */
const NAMES = { options }
const PASSING = { options, passOn: ['settings', 'set'] }

const NONE = {
  settings: undefined,
  verbosity: undefined,
  pythonpath: [],
  set: [],
  count: 1,
  json: false,
  quiet: false,
  'answer-fd': undefined,
}

type Result = ReturnType<typeof parseLine<typeof options>>

const result = (
  given: Partial<Result['options']>,
  operands: readonly string[] = [],
  passedOn: readonly string[] = [],
): Result => ({ options: { ...NONE, ...given }, operands, passedOn })

const read: readonly (readonly [argv: readonly string[], expected: Result])[] = [
  [[], result({})],
  [['web', 'api'], result({}, ['web', 'api'])],
  [['--json'], result({ json: true })],
  [['web', '--json', 'api'], result({ json: true }, ['web', 'api'])],
  [['--settings=a.b'], result({ settings: 'a.b' })],
  [['--settings', 'a.b', 'web'], result({ settings: 'a.b' }, ['web'])],
  [['--settings='], result({ settings: '' })],
  [['--settings=a=b'], result({ settings: 'a=b' })],
  [['--settings=a', '--settings=b'], result({ settings: 'b' })],
  [['--pythonpath', 'a', '--pythonpath=b'], result({ pythonpath: ['a', 'b'] })],
  [['--count=8'], result({ count: 8 })],
  [['--count=x', '--count=now'], result({ count: 12 })],
  [['-q'], result({ quiet: true })],
  [['-v', '2'], result({ verbosity: '2' })],
  [['-v2'], result({ verbosity: '2' })],
  [['-v', '-1'], result({ verbosity: '-1' })],
  [['-'], result({}, ['-'])],
  [['--json', '--', '--json', 'web'], result({ json: true }, ['--json', 'web'])],
]

for (const [argv, expected] of read) {
  test(`${JSON.stringify(argv)} is read`, () => {
    assert.deepEqual(parseLine(argv, NAMES, 12), expected)
  })
}

const passed: readonly (readonly [argv: readonly string[], expected: Result])[] = [
  [['web'], result({}, ['web'])],
  [['web', '--workers=8', '-b', ':80', 'x'], result({}, ['web'], ['--workers=8', '-b', ':80', 'x'])],
  [['-q', 'web', '-q', '--json'], result({ quiet: true }, ['web'], ['-q', '--json'])],
  [['web', '--settings=a', '--workers=8'], result({ settings: 'a' }, ['web'], ['--workers=8'])],
  [['web', '--settings', 'a', '-v'], result({ settings: 'a' }, ['web'], ['-v'])],
  [['web', '--set', 'web.ENV.A=b', '-v'], result({ set: ['web.ENV.A=b'] }, ['web'], ['-v'])],
  [['web', '--set', 'a=b', '--set=1'], result({}, ['web'], ['--set', 'a=b', '--set=1'])],
  [['web', '--', '--settings=a'], result({}, ['web'], ['--settings=a'])],
  [['--', 'web', '--workers=8'], result({}, [], ['web', '--workers=8'])],
  [['web', '--unknown'], result({}, ['web'], ['--unknown'])],
]

for (const [argv, expected] of passed) {
  test(`${JSON.stringify(argv)} is read, and passed on from the first name`, () => {
    assert.deepEqual(parseLine(argv, PASSING), expected)
  })
}

const refused: readonly (readonly [argv: readonly string[], message: string, hint?: string])[] = [
  [['--setings=a'], 'Unknown option --setings.', 'Did you mean --settings?'],
  [['--jsno'], 'Unknown option --jsno.', 'Did you mean --json?'],
  [['--bogus', 'x'], 'Unknown option --bogus.'],
  [['--constructor'], 'Unknown option --constructor.'],
  [['-x'], 'Unknown option -x.'],
  [['--answer-fdd=3'], 'Unknown option --answer-fdd.'],
  [['--settings'], 'Option --settings needs a value: --settings=MODULE'],
  [['--settings', '--json'], 'Option --settings needs a value: --settings=MODULE'],
  [['-v'], 'Option -v needs a value: --verbosity=LEVEL'],
  [['--json=yes'], 'Option --json takes no value.'],
  [['-qx'], 'Option --quiet takes no value.'],
  [['--count=many'], '--count takes a number.'],
]

for (const [argv, message, hint] of refused) {
  test(`${JSON.stringify(argv)} is refused`, () => {
    assert.throws(
      () => parseLine(argv, NAMES),
      (error) => error instanceof UsageError && error.message === message && error.hint === hint,
    )
  })
}
