import { type FSWatcher, mkdirSync, watch } from 'node:fs'

/** What changed in a folder since it was asked last. */
export interface Changes {
  /** A file came, went, or has another name. */
  readonly hasNames: boolean
  /** Files that were written to. */
  readonly written: readonly string[]
}

export interface FolderWatcher {
  /** Waits for changes; undefined when it is over. */
  readonly changes: () => Promise<Changes | undefined>
  /** Lets who waits look, though nothing changed. */
  readonly wake: () => void
  readonly close: () => void
}

/** Watches the files of a folder, which is made if it is not there. The system tells of changes: nothing is polled. */
export function watchFolder(folder: string, signal: AbortSignal): FolderWatcher {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let hasNames = false
  let isOver = signal.aborted
  let isAwake = false
  const written = new Set<string>()
  let waiting = Promise.withResolvers<void>()
  const tell = (): void => {
    isAwake = true
    waiting.resolve()
  }
  const end = (): void => {
    isOver = true
    tell()
  }
  const watcher: FSWatcher = watch(folder, (type, name) => {
    if (type === 'rename' || name === null) hasNames = true
    else written.add(name)
    tell()
  })
  watcher.on('error', end)
  signal.addEventListener('abort', end)
  return {
    changes: async () => {
      if (!isAwake && !isOver) await waiting.promise
      if (isOver) return undefined
      const changes = { hasNames, written: [...written] }
      hasNames = isAwake = false
      written.clear()
      waiting = Promise.withResolvers()
      return changes
    },
    wake: tell,
    close: () => {
      signal.removeEventListener('abort', end)
      watcher.close()
      end()
    },
  }
}
