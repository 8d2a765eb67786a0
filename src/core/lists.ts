/** Returns the list without undefined, null and false: `compact([first, isLong && second])`. Zero and '' stay. */
export const compact = <T>(list: readonly (T | undefined | null | false)[]): T[] =>
  list.filter((item): item is T => item !== undefined && item !== null && item !== false)
