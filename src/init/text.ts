import type { Json } from '../core/types.ts'

/** Text of a command line that may refer to the environment, as in `0.0.0.0:$PORT`. */
export type Text = string | { readonly parts: readonly (string | Reference)[] }

/** `$PORT`, or `${PORT:-8000}` with what stands for it where it is not set. */
export interface Reference {
  readonly variable: string
  readonly fallback: string | undefined
}

/** What stands for a variable that is not set: nothing, as in a shell; but a server listens somewhere. */
export const withoutFallback = ({ variable, fallback = variable === 'PORT' ? '8000' : '' }: Reference): string =>
  fallback

/** Joins parts; plain where no environment is in them. */
export function textOf(parts: readonly (string | Reference)[]): Text {
  const said = parts.filter((part) => part !== '')
  return said.every((part) => typeof part === 'string') ? said.join('') : { parts: said }
}

/** The text as a shell would write it: for comparing, and for what has to be plain. */
export const plain = (text: Text): string =>
  typeof text === 'string'
    ? text
    : text.parts.map((part) => (typeof part === 'string' ? part : plainReference(part))).join('')

const plainReference = ({ variable, fallback }: Reference): string =>
  fallback === undefined ? `$${variable}` : `\${${variable}:-${fallback}}`

/** What a file of data has, as text. */
export const jsonText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** What stands before and after the first `=`; undefined where there is none in the plain text before a reference. */
export function splitAtEquals(text: Text): readonly [name: string, value: Text] | undefined {
  const [first = '', ...rest] = typeof text === 'string' ? [text] : text.parts
  if (typeof first !== 'string' || !first.includes('=')) return undefined
  const at = first.indexOf('=')
  return [first.slice(0, at), textOf([first.slice(at + 1), ...rest])]
}
