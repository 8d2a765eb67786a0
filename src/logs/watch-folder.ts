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

/** Watches the files of a folder, which is made if it is not there. The system tells of changes: while there are none, nothing is done. */
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
  const stopWatching = startWatching(folder, end, (type, name) => {
    if (type === 'rename' || name === null) hasNames = true
    else written.add(name)
    tell()
  })
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
