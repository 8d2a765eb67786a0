import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../core/errors.ts'
import { type OptionSpec, type ParsedOptions, parseOptions } from './options.ts'

const options: readonly OptionSpec[] = [
  { name: 'settings', value: 'MODULE', summary: '' },
  { name: 'verbosity', short: 'v', value: 'LEVEL', summary: '' },
  { name: 'pythonpath', value: 'PATH', repeatable: true, summary: '' },
  { name: 'set', value: 'NAME.KEY=VALUE', summary: '', like: /^[^=]+\.[^=]+=/ },
  { name: 'json', summary: '' },
  { name: 'quiet', short: 'q', summary: '' },
  { name: 'answer-fd', value: 'FD', summary: '', hidden: true },
]

/** A command that takes names, and one that passes on what follows the first. */
const NAMES = { options }
const PASSING = { options, passOn: ['settings', 'set'] }

const parsed = (
  values: ParsedOptions['values'],
  positionals: readonly string[] = [],
  rest: readonly string[] = [],
): ParsedOptions => ({ values, positionals, rest })

const names: readonly (readonly [argv: readonly string[], result: ParsedOptions])[] = [
  [[], parsed({})],
  [['web', 'api'], parsed({}, ['web', 'api'])],
  [['--json'], parsed({ json: ['true'] })],
  [['web', '--json', 'api'], parsed({ json: ['true'] }, ['web', 'api'])],
  [['--settings=a.b'], parsed({ settings: ['a.b'] })],
  [['--settings', 'a.b', 'web'], parsed({ settings: ['a.b'] }, ['web'])],
  [['--settings='], parsed({ settings: [''] })],
  [['--settings=a=b'], parsed({ settings: ['a=b'] })],
  [['--settings=a', '--settings=b'], parsed({ settings: ['a', 'b'] })],
  [['--pythonpath', 'a', '--pythonpath=b'], parsed({ pythonpath: ['a', 'b'] })],
  [['-q'], parsed({ quiet: ['true'] })],
  [['-v', '2'], parsed({ verbosity: ['2'] })],
  [['-v2'], parsed({ verbosity: ['2'] })],
  [['-v', '-1'], parsed({ verbosity: ['-1'] })],
  [['-'], parsed({}, ['-'])],
  [['--json', '--', '--json', 'web'], parsed({ json: ['true'] }, ['--json', 'web'])],
]

for (const [argv, result] of names) {
  test(`${JSON.stringify(argv)} is read`, () => {
    assert.deepEqual(parseOptions(argv, NAMES), result)
  })
}

const passed: readonly (readonly [argv: readonly string[], result: ParsedOptions])[] = [
  [['web'], parsed({}, ['web'])],
  [['web', '--workers=8', '-b', ':80', 'x'], parsed({}, ['web'], ['--workers=8', '-b', ':80', 'x'])],
  [['-q', 'web', '-q', '--json'], parsed({ quiet: ['true'] }, ['web'], ['-q', '--json'])],
  [['web', '--settings=a', '--workers=8'], parsed({ settings: ['a'] }, ['web'], ['--workers=8'])],
  [['web', '--settings', 'a', '-v'], parsed({ settings: ['a'] }, ['web'], ['-v'])],
  [['web', '--set', 'web.ENV.A=b', '-v'], parsed({ set: ['web.ENV.A=b'] }, ['web'], ['-v'])],
  [['web', '--set', 'a=b', '--set=1'], parsed({}, ['web'], ['--set', 'a=b', '--set=1'])],
  [['web', '--', '--settings=a'], parsed({}, ['web'], ['--settings=a'])],
  [['--', 'web', '--workers=8'], parsed({}, [], ['web', '--workers=8'])],
  [['web', '--unknown'], parsed({}, ['web'], ['--unknown'])],
]

for (const [argv, result] of passed) {
  test(`${JSON.stringify(argv)} is read, and passed on from the first name`, () => {
    assert.deepEqual(parseOptions(argv, PASSING), result)
  })
}

const refused: readonly (readonly [argv: readonly string[], message: string, hint?: string])[] = [
  [['--setings=a'], 'Unknown option --setings.', 'Did you mean --settings?'],
  [['--jsno'], 'Unknown option --jsno.', 'Did you mean --json?'],
  [['--bogus', 'x'], 'Unknown option --bogus.'],
  [['-x'], 'Unknown option -x.'],
  [['--answer-fdd=3'], 'Unknown option --answer-fdd.'],
  [['--settings'], 'Option --settings needs a value: --settings=MODULE'],
  [['--settings', '--json'], 'Option --settings needs a value: --settings=MODULE'],
  [['-v'], 'Option -v needs a value: --verbosity=LEVEL'],
  [['--json=yes'], 'Option --json takes no value.'],
  [['-qx'], 'Option --quiet takes no value.'],
]

for (const [argv, message, hint] of refused) {
  test(`${JSON.stringify(argv)} is refused`, () => {
    assert.throws(
      () => parseOptions(argv, NAMES),
      (error) => error instanceof UsageError && error.message === message && error.hint === hint,
    )
  })
}
