/** Returns the list without undefined, null and false: `compact([first, isLong && second])`. Zero and '' stay. */
export const compact = <T>(list: readonly (T | undefined | null | false)[]): T[] =>
  list.filter((item): item is T => item !== undefined && item !== null && item !== false)

/** Appends a value to the list that a map has for a key. */
export function addTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
