export interface Saver {
  /** Soon: at once where nothing was saved just now, and many changes in a row together. */
  readonly save: () => void
  readonly saveNow: () => void
}

/** A hundred processes that start at once change a thousand times. */
const SAVE_EVERY_MS = 20

/** @param write Notes what is at that moment. */
export function createSaver(write: () => void): Saver {
  let isPlanned = false
  let savedMs = Number.NEGATIVE_INFINITY
  const saveNow = (): void => {
    isPlanned = false
    savedMs = performance.now()
    write()
  }
  const savePlanned = (): void => {
    if (isPlanned) saveNow()
  }
  return {
    saveNow,
    save: () => {
      if (isPlanned) return
      isPlanned = true
      const waitMs = savedMs + SAVE_EVERY_MS - performance.now()
      if (waitMs > 0) setTimeout(savePlanned, waitMs)
      else setImmediate(savePlanned)
    },
  }
}
