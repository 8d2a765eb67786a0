import type { Json } from '../core/types.ts'
import { isDictionary } from '../core/values.ts'
import { flagName, longName, type OptionGrammar } from './grammar.ts'
import type { Option } from './translate.ts'

/**
 * The declared options without those that the command line gives again.
 *
 * Extra arguments come last, and the last one wins on most command lines; but a repeatable option such as gunicorn's
 * `--bind` would be given twice, and mean both.
 */
export function withoutOverridden(
  options: readonly Option[],
  extra: readonly string[],
  grammar: OptionGrammar,
): readonly Option[] {
  const given = new Set(parseNames(extra, grammar).map((name) => positive(name)))
  return options.filter((option) => !given.has(positive(longName(option.name, grammar))))
}

/**
 * `ARGS` without the keys that mean the same option as one that was overridden: `w` beside `workers`, `no-sendfile`
 * beside `sendfile`.
 */
export function withoutReplaced(
  args: Json | undefined,
  overridden: readonly string[],
  grammar: OptionGrammar,
): Json | undefined {
  if (overridden.length === 0 || !isDictionary(args)) return args
  const meaning = (key: string): string => {
    const name = flagName(key, grammar)
    return positive(longName(name, grammar))
  }
  const replaced = new Set(overridden.map(meaning))
  return Object.fromEntries(
    Object.entries(args).filter(([key]) => overridden.includes(key) || !replaced.has(meaning(key))),
  )
}

/** The flags among the tokens, as full names. */
function parseNames(tokens: readonly string[], grammar: OptionGrammar): string[] {
  return tokens.flatMap((token) => {
    if (token.startsWith('--')) return flagName(token.slice(2).split('=')[0] as string, grammar)
    const short = /^-([A-Za-z])/.exec(token)?.[1]
    return short === undefined ? [] : longName(short, grammar)
  })
}

const positive = (name: string): string => name.replace(/^no-/, '')

/** The values that an option ends up with, the command line's before the declared ones; empty when it is not given. */
export function optionValues(
  name: string,
  options: readonly Option[],
  extra: readonly string[],
  grammar: OptionGrammar,
): readonly string[] {
  const given = extra.flatMap((token, index) => {
    const flag = readFlag(token, grammar)
    return flag?.name === name ? [flag.value ?? extra[index + 1] ?? ''] : []
  })
  if (given.length > 0) return given
  return options.filter((option) => longName(option.name, grammar) === name).flatMap((option) => option.values)
}

/** The full name of the option in a token, and the value if the token has it. */
function readFlag(
  token: string,
  grammar: OptionGrammar,
): { readonly name: string; readonly value: string | undefined } | undefined {
  const [, long, value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(token) ?? []
  if (long !== undefined) return { name: flagName(long, grammar), value }
  const [, letter, rest = ''] = /^-([A-Za-z])([\s\S]*)$/.exec(token) ?? []
  if (letter === undefined) return undefined
  // argparse also takes `-b=x`, and no program takes that for the value "=x".
  return { name: longName(letter, grammar), value: rest.replace(/^=/, '') || undefined }
}
