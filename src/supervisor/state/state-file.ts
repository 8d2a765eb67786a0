import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What a supervisor leaves for the next one, so that it can go on with what runs. Small, and without secrets: what to
 * run comes from the declaration again.
 */
export interface SavedState {
  readonly version: typeof STATE_VERSION
  /** Pids and start ticks mean nothing after the system was started again. */
  readonly bootId: string
  readonly processes: Readonly<Record<string, SavedProcess>>
  readonly lives: readonly SavedLife[]
  /** What ran once for a release: its name to the release. */
  readonly releases: Readonly<Record<string, string>>
  /** What was begun for a release, and has not come to a good end: its name to the release. */
  readonly releasing?: Readonly<Record<string, string>> | undefined
}

export interface SavedProcess {
  readonly wanted: 'running' | 'stopped'
  /** What `scale` made of the declared number; null where it did not. */
  readonly scaled: number | null
  /** The last life of each instance, so that the numbers in its log go on. */
  readonly runs: readonly number[]
}

export interface SavedLife {
  readonly instance: string
  readonly process: string
  readonly run: number
  readonly pid: number
  readonly startTicks: number
  readonly hash: string
  readonly startedMs: number
  readonly ready: boolean
  readonly restarts: number
  /** It was asked to stop, and must not be asked twice: a second signal aborts what several workers are doing. */
  readonly stopping: boolean
  /** It is not the instance's own yet: a reload started it beside the one that serves. */
  readonly beside: boolean
  readonly probeAddress: string | null
  /** For a process that is not declared any more when the next supervisor comes. */
  readonly stop: { readonly signal: string; readonly timeoutMs: number }
}

/** Grows when an older prodserver would misread the file. A newer one reads every version before it. */
export const STATE_VERSION = 1

export const emptyState = (bootId: string): SavedState => ({
  version: STATE_VERSION,
  bootId,
  processes: {},
  lives: [],
  releases: {},
})

/** What the last supervisor left. After a new start of the system none of its lives can be left. */
export function readState(stateDir: string, bootId: string): SavedState {
  let saved: SavedState | null
  try {
    saved = JSON.parse(readFileSync(join(stateDir, FILE), 'utf8')) as SavedState | null
  } catch {
    // There is none, or it was cut off when the power went.
    return emptyState(bootId)
  }
  if (saved?.version !== STATE_VERSION) return emptyState(bootId)
  return saved.bootId === bootId ? saved : { ...saved, bootId, lives: [] }
}

/** Whoever reads it finds the old one or the new one whole. */
export function writeState(stateDir: string, state: SavedState): void {
  const path = join(stateDir, FILE)
  writeFileSync(`${path}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const FILE = 'state.json'
