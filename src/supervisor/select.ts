import type { Managed } from './process/managed.ts'
import type { Instance } from './process/instance.ts'

/** What a selector found: whole processes, and single instances of others. */
export interface Selection {
  readonly processes: readonly Managed[]
  readonly instances: readonly Instance[]
}

/**
 * Finds `web`, `web.2`, `work*`, `@worker`; all for none. A selector that finds nothing is returned, and then nothing
 * else is: nobody wants half of what was typed.
 */
export function select(
  all: readonly Managed[],
  selectors: readonly string[],
): Selection | { readonly unknown: string } {
  if (selectors.length === 0) return { processes: all, instances: [] }
  const processes = new Set<Managed>()
  const instances = new Set<Instance>()
  for (const selector of selectors) {
    const found = all.filter((managed) => matches(managed, selector))
    for (const managed of found) processes.add(managed)
    const single = all.flatMap(({ slots }) => slots.map(({ current }) => current)).find(({ id }) => id === selector)
    if (single && found.length === 0) instances.add(single)
    if (found.length === 0 && !single) return { unknown: selector }
  }
  return {
    processes: [...processes],
    instances: [...instances].filter(({ spec }) => ![...processes].some((managed) => managed.spec.name === spec.name)),
  }
}

function matches({ spec }: Managed, selector: string): boolean {
  if (selector.startsWith('@')) return spec.kind === selector.slice(1)
  if (!selector.includes('*')) return spec.name === selector
  const pattern = selector.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`).test(spec.name)
}
