import { join } from 'node:path'
import { test } from 'node:test'
import type { OptionKind } from '../scripts/generate/option-names.ts'
import { flagName } from '../src/args/grammar.ts'
import { findBackend } from '../src/backends/index.ts'
import { ROOT } from './support/environment.ts'
import { type KnownOption, ONLY_IN_PYTHON, PROGRAM_OF, TABLES } from './support/option-tables.ts'

test('the options that editors are told of are those that the programs have', (t) => {
  const names = Object.fromEntries(
    Object.entries(PROGRAM_OF).map(([name, program]) => [name, optionsOf(name, program)]),
  )
  t.assert.fileSnapshot(names, join(ROOT, 'scripts', 'generate', 'option-names.json'), {
    serializers: [(value) => JSON.stringify(value, null, 1)],
  })
})

/** By every name that may be written: flags, and names known from Python that are spelt in another way. */
function optionsOf(name: string, program: string): Readonly<Record<string, OptionKind>> {
  const { options = [], names = {} } = TABLES[program] ?? {}
  const grammar = findBackend(name)?.options ?? {}
  const kinds = new Map(options.flatMap((option) => option.names.map((flag) => [flag, kindOf(option)] as const)))
  for (const flag of [...kinds.keys()]) if (flag in (grammar.missing ?? {}) || flag === 'help') kinds.delete(flag)
  for (const words of Object.keys(grammar.positionals ?? {})) kinds.set(words, 'list')
  const written = [...Object.keys(names), ...Object.keys(grammar.aliases ?? {})]
    .filter((alias) => !ONLY_IN_PYTHON[program]?.includes(alias))
    .map((alias) => alias.replaceAll('_', '-'))
  for (const alias of written) {
    const kind = kinds.get(flagName(alias, grammar))
    if (kind !== undefined && !kinds.has(alias)) kinds.set(alias, kind)
  }
  for (const negative of Object.keys(grammar.negatives ?? {})) kinds.set(negative, 'switch')
  return Object.fromEntries([...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function kindOf({ kind, repeatable, separator }: KnownOption): OptionKind {
  if (kind === 'switch' || kind === 'pair' || kind === 'boolean') return 'switch'
  if (repeatable || separator !== null || kind === 'list') return 'list'
  return kind === 'optional' ? 'optional' : 'value'
}
