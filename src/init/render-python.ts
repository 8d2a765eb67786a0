import { compact } from '../core/lists.ts'
import type { Json } from '../core/types.ts'
import type { Proposal } from './propose.ts'
import type { ArgValue } from './recognize.ts'
import { type Reference, type Text, withoutFallback } from './text.ts'

/** The longest line that a formatter of Python leaves whole by default. */
const WIDTH = 88

/** The declaration as lines of a settings module. `hasOs`: the module has imported `os` already. */
export function renderPython(proposals: readonly Proposal[], hasOs: boolean): string {
  const lines = ['PRODUCTION_PROCESSES = {', ...proposals.flatMap(renderProcess), '}', '']
  const needsOs =
    !hasOs && proposals.some((one) => [...values(one)].some((value) => typeof value === 'object' && 'parts' in value))
  return (needsOs ? 'import os\n\n' : '') + lines.join('\n')
}

function* values({ args, env }: Proposal): Generator<Exclude<ArgValue, readonly unknown[]>> {
  for (const value of [...Object.values(args), ...Object.values(env)])
    if (isList(value)) yield* value
    else yield value
}

const isList = (value: ArgValue): value is readonly (Text | number)[] => Array.isArray(value)

function renderProcess({ name, from, backend, app, args, env, keys, notes }: Proposal): string[] {
  const entries = compact<[string, string | readonly (readonly [string, string])[]]>([
    ['BACKEND', quote(backend)],
    app !== undefined && ['APP', quote(app)],
    ...dictionary('ARGS', args),
    ...dictionary('ENV', env),
    ...Object.entries(keys).map(([key, value]): [string, string] => [key, renderJson(value)]),
  ])
  return [
    `    # ${from}`,
    ...notes.map((note) => `    # ${note}.`),
    `    ${quote(name)}: {`,
    ...entries.flatMap(([key, value]) => renderEntry(key, value)),
    '    },',
  ]
}

const dictionary = (
  key: string,
  values_: Readonly<Record<string, ArgValue>>,
): [string, readonly (readonly [string, string])[]][] => {
  const pairs = Object.entries(values_).map(([name, value]) => [quote(name), renderValue(value)] as const)
  return pairs.length > 0 ? [[key, pairs]] : []
}

function renderEntry(key: string, value: string | readonly (readonly [string, string])[]): string[] {
  if (typeof value === 'string') return [`        ${quote(key)}: ${value},`]
  const inOne = `        ${quote(key)}: {${value.map(([name, inner]) => `${name}: ${inner}`).join(', ')}},`
  if (inOne.length <= WIDTH) return [inOne]
  return [`        ${quote(key)}: {`, ...value.map(([name, inner]) => `            ${name}: ${inner},`), '        },']
}

function renderValue(value: ArgValue): string {
  if (isList(value)) return `[${value.map(renderValue).join(', ')}]`
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'number' ? String(value) : renderText(value)
}

const lookUp = (reference: Reference, quoted: (text: string) => string): string =>
  `os.environ.get(${quoted(reference.variable)}, ${quoted(withoutFallback(reference))})`

/** Text with variables is an f-string, in which braces are doubled; a variable alone is itself. */
function renderText(text: Text): string {
  if (typeof text === 'string') return quote(text)
  const [only] = text.parts
  if (text.parts.length === 1 && only !== undefined && typeof only !== 'string') return lookUp(only, quote)
  const inner = text.parts.map((part) =>
    typeof part === 'string'
      ? quote(part).slice(1, -1).replaceAll('{', '{{').replaceAll('}', '}}')
      : `{${lookUp(part, (word) => `'${quote(word).slice(1, -1)}'`)}}`,
  )
  return `f"${inner.join('')}"`
}

function renderJson(value: Json): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return `[${value.map(renderJson).join(', ')}]`
  return `{${Object.entries(value)
    .map(([key, inner]) => `${quote(key)}: ${renderJson(inner)}`)
    .join(', ')}}`
}

/** JSON's strings are Python's, but for characters beyond the first plane, which JSON writes as they are. */
const quote = (text: string): string => JSON.stringify(text)
