import { longName, type OptionGrammar } from '../../args/grammar.ts'
import type { Option } from '../../args/translate.ts'
import { type Check, eachResolved, type ProcessProblem } from './check.ts'

/** An option is declared by one of its names only: of two, the last one wins, whichever was meant. */
export const repeatedOptions: Check<'thorough'> = {
  when: 'thorough',
  find: eachResolved(({ declaration, backend, translation }) => {
    const grammar = backend.options ?? {}
    const first = new Map<string, Option>()
    return translation.options.flatMap((option): ProcessProblem[] => {
      const name = longName(option.name, grammar).replace(/^no-/, '')
      const other = first.get(name)
      if (!other) first.set(name, option)
      if (!other || other.key === option.key || takesMany(name, grammar)) return []
      const message = `${JSON.stringify(option.key)} and ${JSON.stringify(other.key)} are the same option, --${name}.`
      return [{ id: 'W304', place: declaration.placeOf('args', option.key), message, hint: 'Keep one of them' }]
    })
  }),
}

const takesMany = (name: string, { repeatable, separators }: OptionGrammar): boolean =>
  repeatable?.includes(name) === true || separators?.[name] !== undefined
