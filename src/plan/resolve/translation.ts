import { withoutReplaced } from '../../args/override.ts'
import { translateArgs, type Translation } from '../../args/translate.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import type { Json } from '../../core/types.ts'
import type { Application } from './application.ts'
import type { ResolvedBackend } from './backend.ts'

/** `ARGS`, or what a Python class made of them, after what the backend has for those that are not declared. */
export function translate(
  declaration: Declaration,
  resolved: ResolvedBackend,
  application: Application | Problem | undefined,
): Translation {
  const declared = translateDeclared(declaration, resolved, application)
  const { defaults, options: grammar = {}, title } = resolved.backend
  if (!defaults) return declared
  const given = new Set(declared.options.map(({ name }) => grammar.short?.[name] ?? name))
  const args = Object.fromEntries(Object.entries(defaults).filter(([name]) => !given.has(name)))
  const { options } = translateArgs({ args, grammar, place: declaration.place, program: title })
  return { ...declared, options: [...options.map((option) => ({ ...option, isDefault: true })), ...declared.options] }
}

/** A Python class's `--key=value` are keys and values again, for the same rules. */
function translateDeclared(
  declaration: Declaration,
  { backend, prepared }: ResolvedBackend,
  application: Application | Problem | undefined,
): Translation {
  const place = declaration.placeOf('args')
  const base = {
    grammar: backend.options ?? {},
    place,
    placeOf: (key: string) => declaration.placeOf('args', key),
    program: backend.title,
    none: /\.(servers|workers)\./.test(declaration.backend) ? 'switch' : 'omit',
  } as const
  if (!prepared) {
    const overridden = declaration.overrides.flatMap(({ key, inner }) => (key === 'args' ? (inner ?? []) : []))
    const args = withoutReplaced(declaration.args as Json | undefined, overridden, base.grammar)
    return translateArgs({ ...base, args })
  }
  const target = application && 'words' in application ? application.words : []
  // The original puts the application, a program name and the interface into this list; the command line has its own.
  const own = prepared.filter(
    (token) => !target.includes(token) && token !== backend.name && !token.startsWith('--interface='),
  )
  const results = withTheirValues(own).map(([token = '', ...values]): Translation => {
    const match = /^--([^=]+)(?:=([\s\S]*))?$/.exec(token)
    const { options, problems } = match
      ? translateArgs({ ...base, args: { [match[1] as string]: match[2] ?? true } })
      : {
          options: [{ key: token.replace(/^-+/, ''), name: token.replace(/^-+/, ''), values: [], tokens: [token] }],
          problems: [],
        }
    const added = options.map((option) => ({
      ...option,
      values: [...option.values, ...values],
      tokens: [...option.tokens, ...values],
    }))
    return { options: added, problems }
  })
  return { options: results.flatMap(({ options }) => options), problems: results.flatMap(({ problems }) => problems) }
}

/** Each option with the words after it that are no options: its value may be a word of its own. */
const withTheirValues = (tokens: readonly string[]): readonly (readonly string[])[] =>
  tokens.reduce<readonly (readonly string[])[]>((groups, token) => {
    const isOption = token.startsWith('-') && token !== '-'
    if (isOption || groups.length === 0) return [...groups, [token]]
    return [...groups.slice(0, -1), [...(groups.at(-1) ?? []), token]]
  }, [])
