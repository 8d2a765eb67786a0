import { compact } from '../core/lists.ts'
import { toCamel } from '../core/notation.ts'
import type { Json } from '../core/types.ts'
import type { Proposal } from './propose.ts'
import type { ArgValue } from './recognize.ts'
import { type Text, withoutFallback } from './text.ts'

/** The longest line that a formatter of TypeScript leaves whole by default. */
const WIDTH = 80

/** The declaration as a config file. */
export const renderConfig = (proposals: readonly Proposal[]): string =>
  [
    'import { defineConfig } from "prodserver"',
    '',
    'export default defineConfig({',
    '  processes: {',
    ...proposals.flatMap(renderProcess),
    '  },',
    '})',
    '',
  ].join('\n')

function renderProcess({ name, from, backend, app, args, env, keys, notes }: Proposal): string[] {
  const entries = compact<[string, string]>([
    ['backend', quote(backend)],
    app !== undefined && ['app', quote(app)],
    ...dictionary('args', args),
    ...dictionary('env', env),
    ...Object.entries(keys).map(([key, value]): [string, string] => [toCamel(key), renderJson(value)]),
  ])
  return [
    `    // ${from}`,
    ...notes.map((note) => `    // ${note}.`),
    `    ${renderKey(name)}: {`,
    ...entries.map(([key, value]) => `      ${key}: ${value},`),
    '    },',
  ]
}

function dictionary(key: string, values: Readonly<Record<string, ArgValue>>): [string, string][] {
  const pairs = Object.entries(values).map(([name, value]) => `${renderKey(name)}: ${renderValue(value)}`)
  if (pairs.length === 0) return []
  const inOne = `{ ${pairs.join(', ')} }`
  if (`      ${key}: ${inOne},`.length <= WIDTH) return [[key, inOne]]
  return [[key, `{\n${pairs.map((pair) => `        ${pair},\n`).join('')}      }`]]
}

const renderKey = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name))

function renderValue(value: ArgValue): string {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  if (typeof value === 'object' && !('parts' in value)) return `[${value.map(renderValue).join(', ')}]`
  return renderText(value)
}

/** Text with variables is a template; a variable alone is itself. */
function renderText(text: Text): string {
  if (typeof text === 'string') return quote(text)
  const written = text.parts.map((part) =>
    typeof part === 'string'
      ? part.replaceAll(/[`\\]|\$\{/g, '\\$&')
      : `\${process.env[${quote(part.variable)}] ?? ${quote(withoutFallback(part))}}`,
  )
  const [only] = written
  return written.length === 1 && only !== undefined ? only.slice(2, -1) : `\`${written.join('')}\``
}

function renderJson(value: Json): string {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return `[${value.map(renderJson).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${renderKey(toCamel(key))}: ${renderJson(inner)}`)
    .join(', ')} }`
}

/** As formatters of TypeScript write it by default. */
const quote = (text: string): string => JSON.stringify(text)
