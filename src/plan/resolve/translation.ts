import { longName } from '../../args/grammar.ts'
import { withoutReplaced } from '../../args/override.ts'
import { translateArgs, type TranslateRequest, type Translation } from '../../args/translate.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Json } from '../../core/types.ts'
import type { ResolvedBackend } from './backend.ts'

/**
 * Translates `ARGS`, or the list that a Python class made of them, to options. Runs once for each process.
 *
 * @param applications - words that name an application; a Python class may have put them into its list.
 */
export function translate(
  declaration: Declaration,
  { backend, prepared }: ResolvedBackend,
  applications: readonly string[],
): Translation {
  const request = requestOf(declaration, backend)
  if (!prepared) {
    const overridden = declaration.overrides.flatMap(({ key, inner }) => (key === 'args' ? (inner ?? []) : []))
    return translateArgs({
      ...request,
      args: withoutReplaced(declaration.args as Json | undefined, overridden, request.grammar),
    })
  }
  // The original puts the application, a program name and the interface into this list; the command line has its own.
  const own = prepared.filter(
    (token) => !applications.includes(token) && token !== backend.name && !token.startsWith('--interface='),
  )
  const results = withTheirValues(own).map((tokens) => translateTokens(tokens, request))
  return {
    options: results.flatMap(({ options }) => options),
    problems: results.flatMap(({ problems }) => problems),
  }
}

/** Adds the options that a backend has for everything that is not declared. */
export function withDefaults(declared: Translation, backend: Backend, declaration: Declaration): Translation {
  const { defaults, options: grammar = {}, title } = backend
  if (!defaults) return declared
  const given = new Set(declared.options.map(({ name }) => longName(name, grammar)))
  const args = Object.fromEntries(Object.entries(defaults).filter(([name]) => !given.has(name)))
  const { options } = translateArgs({ args, grammar, place: declaration.place, program: title })
  return { ...declared, options: [...options.map((option) => ({ ...option, isDefault: true })), ...declared.options] }
}

type ArgsRequest = Omit<TranslateRequest, 'args'>

const requestOf = (declaration: Declaration, { options = {}, title }: Backend): ArgsRequest => ({
  grammar: options,
  place: declaration.placeOf('args'),
  placeOf: (key) => declaration.placeOf('args', key),
  program: title,
  none: /\.(servers|workers)\./.test(declaration.backend) ? 'switch' : 'omit',
})

/** Translates one `--key=value` of a Python class by the rules for keys and values, and adds the words after it. */
function translateTokens([token = '', ...values]: readonly string[], request: ArgsRequest): Translation {
  const [, key, value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(token) ?? []
  const name = token.replace(/^-+/, '')
  const { options, problems } =
    key === undefined
      ? { options: [{ key: name, name, values: [], tokens: [token] }], problems: [] }
      : translateArgs({ ...request, args: { [key]: value ?? true } })
  const added = options.map((option) => ({
    ...option,
    values: [...option.values, ...values],
    tokens: [...option.tokens, ...values],
  }))
  return { options: added, problems }
}

/** Groups each option with the words after it that are not options, because its value may be a separate word. */
const withTheirValues = (tokens: readonly string[]): readonly (readonly string[])[] =>
  tokens.reduce<readonly (readonly string[])[]>((groups, token) => {
    const isOption = token.startsWith('-') && token !== '-'
    const last = groups.at(-1)
    if (isOption || !last) return [...groups, [token]]
    return [...groups.slice(0, -1), [...last, token]]
  }, [])
