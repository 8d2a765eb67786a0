import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../core/types.ts'
import type { OptionGrammar } from './grammar.ts'
import { translateArgs } from './translate.ts'

const grammar: OptionGrammar = {
  switches: ['preload'],
  pairs: ['access-log'],
  negatives: { sendfile: 'no-sendfile' },
  booleans: ['ws-per-message-deflate'],
  optionalValues: ['proxy-protocol'],
  separators: { queues: ',' },
  lists: { paths: ':', hosts: ', ' },
  positionals: { channels: ', ' },
  aliases: { accesslog: 'access-logfile' },
  short: { w: 'workers', p: 'preload', q: 'queues', H: 'hosts' },
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
  [{ paths: 'a b:c' }, ['--paths', 'a b', 'c']],
  [{ paths: ['a:b', 'c'] }, ['--paths', 'a:b', 'c']],
  [{ H: 'a, b c' }, ['-H', 'a', 'b', 'c']],
  [{ hosts: [] }, []],
  [{ hosts: '' }, []],
  [{ hosts: 1 }, ['--hosts', '1']],
  [{ channels: 'a,b' }, ['a', 'b']],
  [{ channels: ['a b', 1] }, ['a b', '1']],
  [{ channels: null }, []],
  [{ channels: true }, ['--channels']],
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

const problems = (args: Json): readonly { id: string; place: string; message: string; hint?: string | undefined }[] =>
  translateArgs({ args, grammar, place: 'ARGS', program: 'server' }).problems

const VALUES = 'Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers'
const KEYS = 'Keys are option names without dashes: "workers"'
const odd = (type: string, repr: string): Json => ({ __python__: type, repr })

const mistakes: readonly (readonly [args: Json, id: string, place: string, what: string, hint: string])[] = [
  ['--workers=4', 'E301', 'ARGS', 'ARGS must be a dictionary, not a string.', 'Write: "ARGS": {"workers": 4}'],
  [['a'], 'E301', 'ARGS', 'ARGS must be a dictionary, not a list.', 'Write: "ARGS": {"workers": 4}'],
  [
    odd('function', 'f'),
    'E301',
    'ARGS',
    'ARGS must be a dictionary, not a function (f).',
    'Write: "ARGS": {"workers": 4}',
  ],
  [{ a: {} }, 'E301', 'ARGS["a"]', '"a" is a dictionary, which cannot become an option.', VALUES],
  [{ a: odd('set', '{1}') }, 'E301', 'ARGS["a"]', '"a" is a set ({1}), which cannot become an option.', VALUES],
  [{ a: 'b\0' }, 'E301', 'ARGS["a"]', '"a" has a NUL byte, which no command line can carry.', VALUES],
  [{ a: ['b', 'c\0'] }, 'E301', 'ARGS["a"]', '"a" has a NUL byte, which no command line can carry.', VALUES],
  [{ a: ['b', null] }, 'E301', 'ARGS["a"]', '"a" has a list with None.', VALUES],
  [{ a: [true] }, 'E301', 'ARGS["a"]', '"a" has a list with True.', VALUES],
  [{ a: [['b']] }, 'E301', 'ARGS["a"]', '"a" has a list with a list.', VALUES],
  [
    { password: odd('bytes', "b'x'") },
    'E301',
    'ARGS["password"]',
    '"password" is a value, which cannot become an option.',
    VALUES,
  ],
  [{ '--workers': 4 }, 'E302', 'ARGS["--workers"]', 'the key "--workers" is not an option name.', 'Write "workers"'],
  [{ 'workers=4': true }, 'E302', 'ARGS["workers=4"]', 'the key "workers=4" is not an option name.', 'Write "workers"'],
  [{ 'workers 4': true }, 'E302', 'ARGS["workers 4"]', 'the key "workers 4" is not an option name.', 'Write "workers"'],
  [
    { 'worker class': 'sync' },
    'E302',
    'ARGS["worker class"]',
    'the key "worker class" is not an option name.',
    'Write "worker-class"',
  ],
  [{ '': 'x' }, 'E302', 'ARGS[""]', 'the key "" is not an option name.', KEYS],
  [{ '--': 'x' }, 'E302', 'ARGS["--"]', 'the key "--" is not an option name.', KEYS],
  [{ 8000: odd('key', '8000') }, 'E302', 'ARGS[8000]', 'the key 8000 is not a string.', KEYS],
  [
    { '--token=x': true },
    'E302',
    'ARGS["--token=••••"]',
    'the key "--token=••••" is not an option name.',
    'Write "token"',
  ],
]

for (const [args, id, place, what, hint] of mistakes) {
  test(`${JSON.stringify(args)} is refused: ${what}`, () => {
    assert.deepEqual(problems(args), [{ id, place, message: `Invalid ARGS configuration: ${what}`, hint }])
  })
}

test('an option that the program lacks is left out with a warning, the others stay', () => {
  const { options, problems } = translateArgs({
    args: { processes: 2, bind: 'a:1' },
    grammar,
    place: 'ARGS',
    program: 'server',
  })
  assert.deepEqual(
    options.flatMap((option) => option.tokens),
    ['--bind=a:1'],
  )
  assert.deepEqual(problems, [
    {
      id: 'W301',
      place: 'ARGS["processes"]',
      message: 'server has no option "processes"; it is left out.',
      hint: 'Declare INSTANCES',
    },
  ])
})

test('every mistake is reported, and what is right is translated', () => {
  const { options, problems } = translateArgs({
    args: { '--a': 1, b: {}, workers: 4, c: [null] },
    grammar,
    place: 'ARGS',
    program: 'server',
  })
  assert.deepEqual(
    problems.map(({ place }) => place),
    ['ARGS["--a"]', 'ARGS["b"]', 'ARGS["c"]'],
  )
  assert.deepEqual(
    options.flatMap((option) => option.tokens),
    ['--workers=4'],
  )
})

test('None is a switch where version 3 of django-prodserver is spoken', () => {
  assert.deepEqual(tokens({ preload: null, unknown: null, 'access-log': null }, 'switch'), [
    '--preload',
    '--unknown',
    '--access-log',
  ])
  assert.deepEqual(tokens({ sendfile: null }, 'switch'), [])
})
