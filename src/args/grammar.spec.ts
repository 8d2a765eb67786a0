import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flagName, type OptionGrammar, switchFlags } from './grammar.ts'

const grammar: OptionGrammar = {
  switches: ['preload'],
  pairs: ['access-log'],
  negatives: { sendfile: 'no-sendfile' },
  aliases: { accesslog: 'access-logfile', 'limit-field-size': 'limit-field_size', queue_name: 'queue-name' },
}

const names: readonly (readonly [key: string, flag: string])[] = [
  ['bind', 'bind'],
  ['worker_class', 'worker-class'],
  ['worker-class', 'worker-class'],
  ['accesslog', 'access-logfile'],
  ['limit_field_size', 'limit-field_size'],
  ['limit-field-size', 'limit-field_size'],
  ['w', 'w'],
]

for (const [key, flag] of names) {
  test(`the key ${key} means --${flag}`, () => {
    assert.equal(flagName(key, grammar), flag)
  })
}

test('a key keeps its underscores where options of the program may have some, but for the aliases', () => {
  const keeping = { ...grammar, hyphenate: false }
  assert.equal(flagName('dry_run', keeping), 'dry_run')
  assert.equal(flagName('queue_name', keeping), 'queue-name')
})

const switches: readonly (readonly [name: string, flags: ReturnType<typeof switchFlags>])[] = [
  ['preload', { on: 'preload', off: undefined }],
  ['access-log', { on: 'access-log', off: 'no-access-log' }],
  ['no-access-log', { on: 'no-access-log', off: undefined }],
  ['sendfile', { on: undefined, off: 'no-sendfile' }],
  ['no-sendfile', { on: 'no-sendfile', off: undefined }],
  ['no-preload', undefined],
  ['bind', undefined],
]

for (const [name, flags] of switches) {
  test(`${name} is ${flags ? `switched by ${JSON.stringify(flags)}` : 'no switch'}`, () => {
    assert.deepEqual(switchFlags(name, grammar), flags)
  })
}

test('an empty grammar has no switches', () => {
  assert.equal(switchFlags('preload', {}), undefined)
})
