import { type FSWatcher, mkdirSync, watch } from 'node:fs'

/** What changed in a folder since it was asked last. */
export interface Changes {
  /** Files that came, went or have another name. */
  readonly renamed: ReadonlySet<string>
  /** Files that were written to. */
  readonly written: ReadonlySet<string>
  /** Others may have changed as well. */
  readonly mayHaveMore: boolean
}

/**
 * Linux keeps 16384 changes for a reader that is busy, and drops the rest without a word to who uses Node: with so many
 * at a time there may have been more.
 */
const MANY = 8192

export interface FolderWatcher {
  /** Waits for changes; undefined when it is over. */
  readonly changes: () => Promise<Changes | undefined>
  /** Lets who waits look, though nothing changed. */
  readonly wake: () => void
  readonly close: () => void
}

/** Watches the files of a folder, which is made if it is not there. The system tells of changes: while there are none, nothing is done. */
export function watchFolder(folder: string, signal: AbortSignal): FolderWatcher {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let isOver = signal.aborted
  let isAwake = false
  let isUnsure = false
  let count = 0
  let renamed = new Set<string>()
  let written = new Set<string>()
  let waiting = Promise.withResolvers<void>()
  const tell = (): void => {
    isAwake = true
    waiting.resolve()
  }
  const end = (): void => {
    isOver = true
    tell()
  }
  const stopWatching = startWatching(folder, end, (type, name) => {
    count++
    if (name === null) isUnsure = true
    else (type === 'rename' ? renamed : written).add(name)
    tell()
  })
  signal.addEventListener('abort', end)
  return {
    changes: async () => {
      if (!isAwake && !isOver) await waiting.promise
      if (isOver) return undefined
      const changes = { renamed, written, mayHaveMore: isUnsure || count >= MANY }
      isAwake = isUnsure = false
      count = 0
      renamed = new Set()
      written = new Set()
      waiting = Promise.withResolvers()
      return changes
    },
    wake: tell,
    close: () => {
      signal.removeEventListener('abort', end)
      stopWatching()
      end()
    },
  }
}

const POLL_MS = 500

function startWatching(
  folder: string,
  onEnd: () => void,
  onChange: (type: string, name: string | null) => void,
): () => void {
  try {
    const watcher: FSWatcher = watch(folder, onChange)
    watcher.on('error', onEnd)
    return () => watcher.close()
  } catch (error) {
    // Other programs of this user have taken all that the system gives: then looking is better than an error.
    if (!['ENOSPC', 'EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    const timer = setInterval(() => onChange('rename', null), POLL_MS)
    return () => clearInterval(timer)
  }
}
