/** Something to be merged, which is opened only when its turn comes. */
export interface Source<T> {
  /** No item of it has a smaller key. */
  readonly bound: number
  readonly open: () => Iterator<T>
}

interface Active<T> {
  readonly items: Iterator<T>
  item: T
  key: number
}

/** Items in the order of their keys; those of one source stay in its order. Of equal ones, the earlier source is first. */
export function* mergeSources<T>(sources: readonly Source<T>[], keyOf: (item: T) => number): Generator<T, void, void> {
  const pending = sources.toSorted((a, b) => a.bound - b.bound)
  const active: Active<T>[] = []
  try {
    for (;;) {
      let { first, nextKey } = smallest(active)
      while (pending[0] && pending[0].bound <= (first?.key ?? Number.POSITIVE_INFINITY)) {
        const items = (pending.shift() as Source<T>).open()
        const started = items.next()
        if (!started.done) active.push({ items, item: started.value, key: keyOf(started.value) })
        ;({ first, nextKey } = smallest(active))
      }
      if (!first) return
      const limit = Math.min(nextKey, pending[0]?.bound ?? Number.POSITIVE_INFINITY)
      // Most lines follow others of the same source.
      do {
        yield first.item
        const { done, value } = first.items.next()
        if (done) {
          active.splice(active.indexOf(first), 1)
          break
        }
        first.item = value
        first.key = keyOf(value)
      } while (first.key < limit)
    }
  } finally {
    for (const { items } of active) items.return?.()
  }
}

function smallest<T>(active: readonly Active<T>[]): { first: Active<T> | undefined; nextKey: number } {
  let first: Active<T> | undefined
  let nextKey = Number.POSITIVE_INFINITY
  for (const candidate of active) {
    if (!first || candidate.key < first.key) {
      nextKey = first?.key ?? nextKey
      first = candidate
    } else nextKey = Math.min(nextKey, candidate.key)
  }
  return { first, nextKey }
}
