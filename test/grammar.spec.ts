import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flagName, type OptionGrammar, switchFlags } from '../src/args/grammar.ts'
import { BACKENDS, findBackend } from '../src/backends/index.ts'
import { ONLY_IN_PYTHON, PROGRAM_OF, type Table, TABLES } from './support/option-tables.ts'

for (const [name, program] of Object.entries(PROGRAM_OF)) {
  const { options, names } = TABLES[program] as Table
  const backend = findBackend(name)
  const grammar = backend?.options ?? {}
  const flags = options.flatMap((option) => [
    ...option.names,
    ...(option.kind === 'pair' ? option.names.map((flag) => `no-${flag}`) : []),
  ])
  const sameOption = (flag: string): readonly string[] =>
    options.find((option) => option.names.includes(flag))?.names ?? []

  test(`${name} knows which options of ${program} take a value, and which may be repeated`, () => {
    const theirs = options.flatMap((option) =>
      option.names.map((flag) => [flag, describeKind(option.kind, option.repeatable ?? isRepeatable(flag, grammar))]),
    )
    const ours = theirs.map(([flag = '']) => [flag, describeKind(kindOf(flag, grammar), isRepeatable(flag, grammar))])
    assert.ok(theirs.length > 5, 'The program has told its options.')
    assert.deepEqual(Object.fromEntries(ours), Object.fromEntries(theirs))
  })

  const lists = options.filter(({ separator, repeatable }) => separator !== null && !repeatable)
  if (lists.length > 0) {
    test(`${name} joins a list for every option of ${program} that takes one in a single value`, () => {
      const theirs = lists.map((option) => [option.names[0], option.separator])
      const ours = lists.map((option) => [option.names[0], grammar.separators?.[option.names[0] as string]])
      assert.deepEqual(ours, theirs)
    })
  }

  test(`${name} knows the letters of ${program}`, () => {
    const theirs = options.flatMap((option) => option.letters.map((letter) => [letter, option.names[0]]))
    const ours = Object.entries(grammar.short ?? {}).map(([letter, flag]) => [letter, sameOption(flag)[0] ?? flag])
    assert.deepEqual(Object.fromEntries(ours), Object.fromEntries(theirs))
  })

  test(`${name} names no option that ${program} does not have`, () => {
    const mentioned = [
      ...(grammar.switches ?? []),
      ...(grammar.pairs ?? []),
      ...Object.values(grammar.negatives ?? {}),
      ...(grammar.booleans ?? []),
      ...(grammar.optionalValues ?? []),
      ...(grammar.repeatable ?? []),
      ...Object.keys(grammar.separators ?? {}),
      ...Object.keys(grammar.lists ?? {}),
      ...Object.values(grammar.aliases ?? {}).filter((flag) => grammar.positionals?.[flag] === undefined),
      ...Object.entries(grammar.substitutes ?? {}).flatMap(([flag, { name }]) => [flag, name]),
    ]
    assert.deepEqual(
      mentioned.filter((flag) => !flags.includes(flag)),
      [],
    )
    assert.deepEqual(
      Object.keys(grammar.missing ?? {}).filter((flag) => flags.includes(flag)),
      [],
      'They are not missing any more.',
    )
  })

  test(`${name} gives no other meaning to a name that ${program} has itself`, () => {
    const renamed = options.flatMap((option) =>
      option.names.filter((flag) => !option.names.includes(flagName(flag, grammar))),
    )
    assert.deepEqual(renamed, [])
  })

  const known = Object.entries(names).filter(([written]) => !ONLY_IN_PYTHON[program]?.includes(written))
  if (known.length > 0) {
    test(`${name} takes the names that ${program} has in Python`, () => {
      const wrong = known.filter(([written, expected]) => {
        const flag = flagName(written, grammar)
        const leadsTo = [flag, grammar.negatives?.[flag] ?? '']
        return !leadsTo.some((flag) => (expected.length > 0 ? expected : flags).includes(flag))
      })
      assert.deepEqual(wrong, [])
    })
  }
}

for (const [name, program] of Object.entries(PROGRAM_OF).filter(([name]) =>
  /^(celery|flower|procrastinate)/.test(name),
)) {
  test(`${name} puts the options of the program itself, and no others, before the sub-command`, () => {
    const { options } = TABLES[program] as Table
    const backend = findBackend(name)
    const all = options.flatMap((option) =>
      [...option.names, ...option.letters].map((flag) => ({ flag, isGlobal: option.global === true })),
    )
    const command = backend?.command({
      app: ['mysite'],
      options: all.map(({ flag }) => ({ name: flag, tokens: [dashed(flag)] })),
      extra: [],
      django: [],
    })
    const args = command?.args ?? []
    const subCommand = args.indexOf(program.split(' ')[1] as string)
    const before = all.filter(({ flag }) => args.indexOf(dashed(flag), 4) < subCommand)
    assert.deepEqual(
      before.map(({ flag }) => flag),
      all.filter(({ isGlobal }) => isGlobal).map(({ flag }) => flag),
    )
  })
}

test('every built-in backend that knows options of its program is compared with it', () => {
  // What these run is the user's own; and Node's programs have no table that could be asked for.
  const others = ['django-command', 'node', 'npm-script', 'next', 'bullmq', 'command']
  const known = BACKENDS.map(({ name }) => name).filter((name) => !others.includes(name))
  assert.deepEqual(known.toSorted(), Object.keys(PROGRAM_OF).toSorted())
})

const dashed = (flag: string): string => (flag.length === 1 ? `-${flag}` : `--${flag}`)

const describeKind = (kind: string, repeatable: boolean): string => (repeatable ? `${kind}, repeatable` : kind)

function kindOf(flag: string, grammar: OptionGrammar): string {
  const name = flagName(flag, grammar)
  if (grammar.pairs?.includes(name)) return 'pair'
  if (switchFlags(name, grammar)?.on !== undefined) return 'switch'
  if (grammar.booleans?.includes(name)) return 'boolean'
  if (grammar.lists?.[name] !== undefined) return 'list'
  return grammar.optionalValues?.includes(name) ? 'optional' : 'value'
}

const isRepeatable = (flag: string, grammar: OptionGrammar): boolean =>
  grammar.repeatable?.includes(flagName(flag, grammar)) ?? false
