import { toWholeSeconds } from '../../core/durations.ts'
import { splitSize } from '../../core/sizes.ts'
import type { YamlValue } from '../yaml.ts'

/** Fields of an object; an undefined field is left out. */
export type Fields = { readonly [key: string]: YamlValue }

/** An object without its name and labels. */
export type Manifest = readonly [apiVersion: string, kind: string, spec: Fields]

/** Kubernetes replaces `$(NAME)` by a variable of the container: a dollar sign is written twice. */
export const escape = (text: string): string => text.replaceAll('$', '$$$$')

/** Converts to whole seconds, at least one, because Kubernetes refuses a period or timeout of zero. */
export const atLeastOneSecond = (ms: number): number => Math.max(1, toWholeSeconds(ms))

/** Prints a size as a quantity of Kubernetes: `512Mi`. */
export function quantity(bytes: number): string {
  const [amount, unit] = splitSize(bytes)
  return unit === 'B' ? String(amount) : `${amount}${unit}i`
}
