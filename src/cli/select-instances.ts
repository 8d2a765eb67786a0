import { UsageError } from '../core/errors.ts'
import type { ProcessKind } from '../core/types.ts'
import { nearest } from '../core/values.ts'

/** What can be chosen: an instance, or a process that has none yet. */
export interface Selectable {
  readonly process: string
  readonly instance: string
  /** Unknown where only files tell of it. */
  readonly kind?: ProcessKind | undefined
}

/**
 * Those that the selectors mean: `web`, `web.2`, `'work*'`, `@worker`; all where there are none. In their own order.
 *
 * @throws {UsageError} for one that means nothing: a misspelt name must not become fewer instances.
 */
export function selectInstances<T extends Selectable>(selectors: readonly string[], known: readonly T[]): readonly T[] {
  if (selectors.length === 0) return known
  const chosen = new Set<T>()
  for (const selector of selectors) {
    const found = known.filter((one) => isSelected(selector, one))
    if (found.length === 0) throw unknown(selector, known)
    for (const one of found) chosen.add(one)
  }
  return known.filter((one) => chosen.has(one))
}

/** Whether one selector means it. */
export function isSelected(selector: string, { process, instance, kind }: Selectable): boolean {
  if (selector.startsWith('@')) return kind === selector.slice(1)
  if (!/[*?]/.test(selector)) return process === selector || instance === selector
  const escaped = selector.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  const pattern = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'u')
  return pattern.test(process) || pattern.test(instance)
}

function unknown(selector: string, known: readonly Selectable[]): UsageError {
  const kinds = [...new Set(known.flatMap(({ kind }) => (kind ? [`@${kind}`] : [])))]
  const names = [...new Set(known.flatMap(({ process, instance }) => [process, instance]))]
  const near = nearest(selector, [...names, ...kinds])
  const processes = [...new Set(known.map(({ process }) => process))]
  if (selector.startsWith('@') && kinds.length === 0)
    return new UsageError(`Nothing tells which processes are ${selector}.`, `Name them: ${processes.join(', ')}.`)
  const hint = near ? `Did you mean ${near}?` : processes.length > 0 ? `There are: ${processes.join(', ')}.` : undefined
  return new UsageError(`There is no ${selector}.`, hint)
}
