import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../types.ts'
import type { OptionGrammar } from './grammar.ts'
import { translateArgs } from './translate.ts'

const grammar: OptionGrammar = {
  switches: ['preload'],
  pairs: ['access-log'],
  negatives: { sendfile: 'no-sendfile' },
  booleans: ['ws-per-message-deflate'],
  optionalValues: ['proxy-protocol'],
  separators: { queues: ',' },
  aliases: { accesslog: 'access-logfile' },
  short: { w: 'workers', p: 'preload', q: 'queues' },
  missing: { processes: 'Declare INSTANCES' },
}

const tokens = (args: Json, none?: 'omit' | 'switch'): readonly string[] => {
  const { options, problems } = translateArgs({
    args,
    grammar,
    place: 'ARGS',
    program: 'server',
    ...(none && { none }),
  })
  assert.deepEqual(problems, [])
  return options.flatMap((option) => option.tokens)
}

const table: readonly (readonly [args: Json, expected: readonly string[]])[] = [
  [{ bind: '0.0.0.0:8000', workers: '4' }, ['--bind=0.0.0.0:8000', '--workers=4']],
  [{ workers: 4, timeout: 0.5 }, ['--workers=4', '--timeout=0.5']],
  [{ workers: '1' }, ['--workers=1']],
  [{ name: '' }, ['--name=']],
  [{ name: `a 'b' "c" % $D\n\\` }, [`--name=a 'b' "c" % $D\n\\`]],
  [{ preload: true }, ['--preload']],
  [{ preload: false }, []],
  [{ preload: null }, []],
  [{ preload: 'True' }, ['--preload']],
  [{ preload: 'on' }, ['--preload']],
  [{ preload: 1 }, ['--preload']],
  [{ preload: 'no' }, []],
  [{ 'access-log': 'False' }, ['--no-access-log']],
  [{ access_log: 0 }, ['--no-access-log']],
  [{ 'access-log': true }, ['--access-log']],
  [{ 'no-access-log': 'True' }, ['--no-access-log']],
  [{ 'no-access-log': 'False' }, []],
  [{ sendfile: false }, ['--no-sendfile']],
  [{ sendfile: true }, []],
  [{ 'no-sendfile': true }, ['--no-sendfile']],
  [{ 'ws-per-message-deflate': true }, ['--ws-per-message-deflate=true']],
  [{ 'ws-per-message-deflate': false }, ['--ws-per-message-deflate=false']],
  [{ 'ws-per-message-deflate': 'false' }, ['--ws-per-message-deflate=false']],
  [{ 'proxy-protocol': true }, ['--proxy-protocol']],
  [{ 'proxy-protocol': 'v2' }, ['--proxy-protocol=v2']],
  [{ 'proxy-protocol': 'False' }, []],
  [{ unknown: true }, ['--unknown']],
  [{ unknown: false }, []],
  [{ unknown: 'True' }, ['--unknown=True']],
  [{ bind: ['a:1', 'b:2'] }, ['--bind=a:1', '--bind=b:2']],
  [{ bind: [] }, []],
  [{ queues: ['a', 'b'] }, ['--queues=a,b']],
  [{ queues: 'a,b' }, ['--queues=a,b']],
  [{ accesslog: '-' }, ['--access-logfile=-']],
  [{ worker_class: 'sync' }, ['--worker-class=sync']],
  [{ w: 4 }, ['-w', '4']],
  [{ q: ['a', 'b'] }, ['-q', 'a,b']],
  [{ w: '' }, ['-w', '']],
  [{ p: 'True' }, ['--preload']],
  [null, []],
  [{}, []],
]

for (const [args, expected] of table) {
  test(`${JSON.stringify(args)} becomes ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(tokens(args), expected)
  })
}

test('an option that is refused in this use becomes the one that is meant, and says so', () => {
  const refusing: OptionGrammar = {
    substitutes: { 'blocking-threads': { name: 'runtime-threads', unless: '1', reason: 'It is refused' } },
  }
  const translate = (value: Json) =>
    translateArgs({ args: { 'blocking-threads': value }, grammar: refusing, place: 'ARGS', program: 'server' })
  assert.deepEqual(
    translate('2').options.flatMap((option) => option.tokens),
    ['--runtime-threads=2'],
  )
  assert.deepEqual(
    translate('2').problems.map(({ id }) => id),
    ['W302'],
  )
  assert.deepEqual(
    translate(1).options.flatMap((option) => option.tokens),
    ['--blocking-threads=1'],
  )
  assert.deepEqual(translate(1).problems, [])
})
