import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../core/types.ts'
import type { OptionGrammar } from './grammar.ts'
import { optionValues, withoutOverridden, withoutReplaced } from './override.ts'
import { type Option, translateArgs } from './translate.ts'

const grammar: OptionGrammar = {
  switches: ['preload'],
  pairs: ['access-log'],
  repeatable: ['bind'],
  short: { b: 'bind', w: 'workers' },
  aliases: { accesslog: 'access-logfile' },
}

const declare = (args: Json): readonly Option[] =>
  translateArgs({ args, grammar, place: 'ARGS', program: 'server' }).options

const declared = declare({ bind: ['a:1', 'b:2'], workers: 4, preload: true, 'access-log': false, accesslog: '-' })

const overrides: readonly (readonly [extra: readonly string[], left: string])[] = [
  [[], '--bind=a:1 --bind=b:2 --workers=4 --preload --no-access-log --access-logfile=-'],
  [['--workers=8'], '--bind=a:1 --bind=b:2 --preload --no-access-log --access-logfile=-'],
  [['--workers', '8'], '--bind=a:1 --bind=b:2 --preload --no-access-log --access-logfile=-'],
  [['-w', '8'], '--bind=a:1 --bind=b:2 --preload --no-access-log --access-logfile=-'],
  [['-w8'], '--bind=a:1 --bind=b:2 --preload --no-access-log --access-logfile=-'],
  [['--bind=c:3'], '--workers=4 --preload --no-access-log --access-logfile=-'],
  [['-b', 'c:3', '-w8'], '--preload --no-access-log --access-logfile=-'],
  [['--preload'], '--bind=a:1 --bind=b:2 --workers=4 --no-access-log --access-logfile=-'],
  [['--access-log'], '--bind=a:1 --bind=b:2 --workers=4 --preload --access-logfile=-'],
  [['--no-access-log'], '--bind=a:1 --bind=b:2 --workers=4 --preload --access-logfile=-'],
  [['--access-logfile=x'], '--bind=a:1 --bind=b:2 --workers=4 --preload --no-access-log'],
  [['--accesslog=x'], '--bind=a:1 --bind=b:2 --workers=4 --preload --no-access-log'],
  [['workers=8', 'positional'], '--bind=a:1 --bind=b:2 --workers=4 --preload --no-access-log --access-logfile=-'],
]

for (const [extra, left] of overrides) {
  test(`beside ${JSON.stringify(extra)} what is declared leaves ${left}`, () => {
    const tokens = withoutOverridden(declared, extra, grammar).flatMap((option) => option.tokens)
    assert.equal(tokens.join(' '), left)
  })
}

test('an option that is declared by its letter is replaced by its name', () => {
  assert.deepEqual(withoutOverridden(declare({ w: 4 }), ['--workers=8'], grammar), [])
})

const values: readonly (readonly [name: string, extra: readonly string[], values: readonly string[]])[] = [
  ['bind', [], ['a:1', 'b:2']],
  ['bind', ['--bind=c:3'], ['c:3']],
  ['bind', ['--bind', 'c:3'], ['c:3']],
  ['bind', ['-b', 'c:3'], ['c:3']],
  ['bind', ['-bc:3'], ['c:3']],
  ['bind', ['-b=c:3'], ['c:3']],
  ['bind', ['--bind=c:3', '-b', 'd:4'], ['c:3', 'd:4']],
  ['bind', ['--bind='], ['']],
  ['bind', ['--bind'], ['']],
  ['workers', ['--bind=c:3'], ['4']],
  ['preload', [], []],
  ['timeout', [], []],
]

for (const [name, extra, expected] of values) {
  test(`beside ${JSON.stringify(extra)} the values of ${name} are ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(optionValues(name, declared, extra, grammar), expected)
  })
}

test('the value of an option that is declared by its letter is found by its name', () => {
  assert.deepEqual(optionValues('workers', declare({ w: 4 }), [], grammar), ['4'])
})

const replaced: readonly (readonly [args: Json, overridden: readonly string[], left: Json])[] = [
  [{ w: 2, workers: 8 }, ['workers'], { workers: 8 }],
  [{ w: 2, b: 'a:1' }, ['workers'], { b: 'a:1' }],
  [{ accesslog: '-', 'access-logfile': 'x' }, ['access-logfile'], { 'access-logfile': 'x' }],
  [{ 'no-access-log': true, access_log: true }, ['access_log'], { access_log: true }],
  [{ workers: 2 }, [], { workers: 2 }],
  [['workers'], ['workers'], ['workers']],
]

for (const [args, overridden, left] of replaced) {
  test(`with ${overridden.join() || 'nothing'} overridden, ${JSON.stringify(args)} is ${JSON.stringify(left)}`, () => {
    assert.deepEqual(withoutReplaced(args, overridden, grammar), left)
  })
}
