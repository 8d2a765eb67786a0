import type { Json } from '../core/types.ts'
import { isDictionary } from '../core/values.ts'
import { flagName, type OptionGrammar } from './grammar.ts'
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
  return options.filter((option) => !given.has(positive(grammar.short?.[option.name] ?? option.name)))
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
    return positive(grammar.short?.[name] ?? name)
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
    return short === undefined ? [] : (grammar.short?.[short] ?? short)
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
  const given: string[] = []
  for (const [index, token] of extra.entries()) {
    const long = /^--([^=]+)(?:=([\s\S]*))?$/.exec(token)
    const short = /^-([A-Za-z])([\s\S]*)$/.exec(token)
    const flag =
      long?.[1] !== undefined
        ? flagName(long[1], grammar)
        : short?.[1] !== undefined
          ? (grammar.short?.[short[1]] ?? short[1])
          : undefined
    if (flag !== name) continue
    // argparse also takes `-b=x`, and no program takes it for the value "=x".
    given.push(long ? (long[2] ?? extra[index + 1] ?? '') : short?.[2]?.replace(/^=/, '') || (extra[index + 1] ?? ''))
  }
  if (given.length > 0) return given
  return options
    .filter((option) => (grammar.short?.[option.name] ?? option.name) === name)
    .flatMap((option) => option.values)
}
