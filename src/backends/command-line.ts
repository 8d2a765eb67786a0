/** Functions that make a backend's command line. */
import { flagName, longName, type OptionGrammar, switchFlags } from '../args/grammar.ts'
import type { Command, CommandInput, OptionTokens } from './backend.ts'

/** Joins the tokens of all options, for programs that take options in any order. */
export const allTokens = (options: readonly OptionTokens[]): readonly string[] =>
  options.flatMap((option) => option.tokens)

/** Makes the usual command line of a Python server: `python -m MODULE [FIXED] [options] APP`. */
export const pythonModule =
  (module: string, ...fixed: readonly string[]) =>
  ({ options, extra, app }: CommandInput): Command => ({
    program: 'python',
    args: ['-m', module, ...fixed, ...allTokens(options), ...extra, ...app],
  })

/** Makes the command line of a management command: `python -m django NAME [options]`. */
export const managementCommand =
  (name: string) =>
  ({ options, extra, django }: CommandInput): Command => ({
    program: 'python',
    args: ['-m', 'django', name, ...django, ...allTokens(options), ...extra],
  })

/**
 * Puts the positional arguments that an option stands for after all options, for parsers that take them in one piece.
 * Positional arguments on the command line replace the declared ones.
 */
export function wordsLast(name: string, { options, extra }: CommandInput, grammar: OptionGrammar): readonly string[] {
  const isWord = (option: OptionTokens): boolean => option.name === name
  const declared = hasWords(extra, grammar) ? [] : options.filter(isWord)
  return [...allTokens(options.filter((option) => !isWord(option))), ...extra, ...allTokens(declared)]
}

/** Finds out if a token is neither an option nor the value of one. */
function hasWords(tokens: readonly string[], grammar: OptionGrammar): boolean {
  let isValue = false
  return tokens.some((token) => {
    const wasValue = isValue
    isValue = !wasValue && takesNext(token, grammar)
    return !wasValue && !token.startsWith('-')
  })
}

/** Finds out if the token is an option whose value is the next token. */
function takesNext(token: string, grammar: OptionGrammar): boolean {
  const [, long, short] = /^(?:--([^=]+)|-([A-Za-z]))$/.exec(token) ?? []
  const name = short === undefined ? flagName(long ?? '', grammar) : longName(short, grammar)
  return (long ?? short) !== undefined && switchFlags(name, grammar) === undefined
}

/** Finds out if the declaration or the command line gives one of these options. */
export function isGiven(names: readonly string[], { options, extra }: CommandInput, grammar: OptionGrammar): boolean {
  const full = (name: string): string => longName(name, grammar)
  const given = new Set(options.filter(({ tokens }) => tokens.length > 0).map(({ name }) => full(name)))
  for (const token of extra) {
    if (token.startsWith('--')) given.add(flagName(token.slice(2).split('=')[0] ?? '', grammar))
    else if (token.startsWith('-')) given.add(full(token.slice(1, 2)))
  }
  return names.some((name) => given.has(name))
}

/** Returns the input without these declared options. */
export function withoutOptions(names: readonly string[], input: CommandInput, grammar: OptionGrammar): CommandInput {
  return { ...input, options: input.options.filter(({ name }) => !names.includes(longName(name, grammar))) }
}
