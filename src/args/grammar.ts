/**
 * How one program reads its options. Data: everything that differs between two servers' command lines.
 *
 * Names are flags without dashes (`access-logfile`). What is not listed is an option that takes one value, so a
 * program's new options work before we know them.
 */
export interface OptionGrammar {
  /** Options without a value that only switch on. */
  readonly switches?: readonly string[]
  /** Options without a value that also exist as `--no-NAME`. */
  readonly pairs?: readonly string[]
  /** Things that can only be switched off: the positive name, and the flag that switches it off. */
  readonly negatives?: Readonly<Record<string, string>>
  /** Options that take `true` or `false` as their value. */
  readonly booleans?: readonly string[]
  /** Options whose value may be left out. */
  readonly optionalValues?: readonly string[]
  /** Any option is switched on and off by `true` and `false`: none takes these words for its value. Default false. */
  readonly trueMeansOn?: boolean
  /** Options that may be given several times. On the command line a later one still replaces what was declared. */
  readonly repeatable?: readonly string[]
  /** Options that take a list in one value, and what separates it. */
  readonly separators?: Readonly<Record<string, string>>
  /** Options that take several words, `--queues a b`, and the characters at which a text is split into such words. */
  readonly lists?: Readonly<Record<string, string>>
  /** Names for words without a flag, such as the queues of a worker, and the characters at which a text is split. */
  readonly positionals?: Readonly<Record<string, string>>
  /** Other names that people use for a flag: a setting's name, the original's alias, a long form of another version. */
  readonly aliases?: Readonly<Record<string, string>>
  /** One-letter forms, so that `-w 8` on the command line replaces a declared `workers`. */
  readonly short?: Readonly<Record<string, string>>
  /** `_` in a key becomes `-`. False where the program has options with `_` that we cannot know. Default true. */
  readonly hyphenate?: boolean
  /** Options that the program refuses in this use, except with one value, and the option that does what is meant. */
  readonly substitutes?: Readonly<
    Record<string, { readonly name: string; readonly unless: string; readonly reason: string }>
  >
  /** Options that the program lacks, and what the reader should do instead. They are left out with a warning. */
  readonly missing?: Readonly<Record<string, string>>
}

/** The flag that a key means on that program. */
export function flagName(key: string, grammar: OptionGrammar): string {
  const name = grammar.hyphenate === false ? key : key.replaceAll('_', '-')
  return grammar.aliases?.[name] ?? grammar.aliases?.[key] ?? name
}

/** Returns the long form of a one-letter flag; any other flag as it is. */
export const longName = (name: string, { short }: OptionGrammar): string => short?.[name] ?? name

/** What becomes of an option that takes no value: the flags for on and off, undefined where there is nothing to say. */
export function switchFlags(
  name: string,
  grammar: OptionGrammar,
): { on: string | undefined; off: string | undefined } | undefined {
  if (grammar.pairs?.includes(name)) return { on: name, off: `no-${name}` }
  if (grammar.switches?.includes(name)) return { on: name, off: undefined }
  if (name.startsWith('no-') && grammar.pairs?.includes(name.slice(3))) return { on: name, off: undefined }
  const negative = grammar.negatives?.[name]
  if (negative !== undefined) return { on: undefined, off: negative }
  if (Object.values(grammar.negatives ?? {}).includes(name)) return { on: name, off: undefined }
  return undefined
}
