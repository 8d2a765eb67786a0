import leven from 'leven'
import type { Json } from './types.ts'

/** What Python's values have become, and how to speak of them to a Python developer. */

export function isDictionary(value: unknown): value is { readonly [key: string]: Json } {
  return isObject(value) && typeof value[ODD] !== 'string'
}

const isObject = (value: unknown): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The key by which the sources mark what JSON cannot carry. */
export const ODD = '__python__'

/** A value that JSON cannot carry, as the Python side marks it: its type's name and its repr. */
interface OddValue {
  readonly type: string
  readonly repr: string
}

/** The value, if it is one that JSON cannot carry; a dictionary key that is not a string has the type `key`. */
export function asOdd(value: unknown): OddValue | undefined {
  const type = isObject(value) ? value[ODD] : undefined
  return typeof type === 'string'
    ? { type, repr: JSON.stringify((value as { repr?: string }).repr ?? '').slice(1, -1) }
    : undefined
}

/** `a list`, `None`, `a function (<function f at 0x7f>)`. */
export function describeType(value: Json): string {
  const odd = asOdd(value)
  if (odd) return `${withArticle(odd.type)} (${odd.repr})`
  if (value === null) return 'None'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'object' ? 'a dictionary' : `a ${typeof value}`
}

/** `a function`, `an int`, and `bytes` as it is. */
function withArticle(type: string): string {
  if (type === 'bytes') return type
  return /^[aeiou]/i.test(type) ? `an ${type}` : `a ${type}`
}

/** The nearest of the known names, if one is near enough to have been meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
  const near = Math.max(1, Math.floor(Math.max(name.length, 4) / 3))
  return best && best.distance <= near ? best.candidate : undefined
}

/** Edits between two names. Two neighbours in the wrong order, the commonest slip of all, are one and not two. */
function distance(a: string, b: string): number {
  const at = a.split('').findIndex((letter, index) => letter !== b[index])
  const swapped = `${a.slice(0, at)}${a[at + 1]}${a[at]}${a.slice(at + 2)}`
  return at >= 0 && swapped === b ? 1 : leven(a, b)
}
