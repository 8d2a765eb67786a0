import type { Bytes } from './bytes.ts'
import {
  CURRENT,
  endOfLines,
  type FollowedLog,
  followFrom,
  readNewLines,
  ROUND_BYTES,
  sequenceOf,
} from './followed-log.ts'
import type { LogChunk } from './lines.ts'
import {
  inodeOf,
  instancesNamed,
  type LogFile,
  listLogFiles,
  logsDirectory,
  openLog,
  openUncompressed,
} from './log-files.ts'
import { type LogSet, openLogSet } from './log-set.ts'
import { type Changes, type FolderWatcher, watchFolder } from './watch-folder.ts'

interface FollowRequest {
  readonly stateDir: string
  readonly wants: (instance: string) => boolean
  readonly signal: AbortSignal
  /** Allows reuse of the memory of a batch when the caller asks for the next one; for callers that only pass bytes on. */
  readonly isPassedOn?: boolean
}

/** Gives lines as they arrive, in batches of the lines that were there together, each batch in the order of arrival. */
export interface Follower extends AsyncIterable<readonly LogChunk[]> {
  /** The files when following began. */
  readonly set: LogSet
  /** Offset by file at which following began: a reader of the past reads up to it. */
  readonly ends: ReadonlyMap<string, number>
  /** Gives what an instance has printed by now; the iteration continues after it. */
  readonly drain: (instance: string) => Iterable<readonly LogChunk[]>
  /** Reports the end of a run: its last line is complete without a newline. */
  readonly endRun: (instance: string, run: number) => void
  readonly close: () => void
}

interface Batch {
  readonly chunks: readonly LogChunk[]
  /** Says that the next batch can be read at once. */
  readonly hasMore: boolean
}

type Filter = (instance: string) => boolean

/** Attempts to see the same files before and after opening them. */
const LOOKS = 20
const NO_FILE = -1

/**
 * Follows the logs of instances, new ones included, through rotations: gives each line once. Sleeps until the system
 * reports a change. Gives a line when its newline is there or its run has ended. Ends when the signal is aborted; the
 * caller closes it.
 */
export const followLogs = (request: FollowRequest): Follower => new LogFollower(request)

class LogFollower implements Follower {
  readonly set: LogSet
  readonly ends = new Map<string, number>()
  readonly #request: FollowRequest
  readonly #watcher: FolderWatcher
  readonly #memory: Memory | undefined
  /** Files that are open, by inode and instance. */
  readonly #followed = new Map<string, FollowedLog>()
  /** Offset at which each full file ended, by its base name. Opened again if the file is written to. */
  readonly #idle = new Map<string, number>()
  /** The highest sequence of each instance's full files that were there at the beginning or were followed. */
  readonly #seen = new Map<string, number>()
  /** Number of each instance's files that were given to their end and removed before their sequence was seen. */
  readonly #unnumbered = new Map<string, number>()
  readonly #endedRuns = new Map<string, number>()

  constructor(request: FollowRequest) {
    this.#request = request
    const { stateDir, wants, signal, isPassedOn = false } = request
    // Watch before looking at the files, so that bytes written in between are noticed.
    this.#watcher = watchFolder(logsDirectory(stateDir), signal)
    this.#memory = isPassedOn ? createMemory() : undefined
    this.set = openLogSet(stateDir, wants)
    for (const file of this.set.files) this.#see(file)
    for (const file of this.set.files) if (!file.isCompressed) this.#begin(file)
  }

  *drain(instance: string): Generator<readonly LogChunk[], void, void> {
    this.#markChanged(instance)
    for (;;) {
      const { chunks, hasMore } = this.#readBatch((name) => name === instance)
      if (chunks.length > 0) yield chunks
      if (!hasMore) return
    }
  }

  endRun(instance: string, run: number): void {
    this.#endedRuns.set(instance, Math.max(run, this.#endedRuns.get(instance) ?? 0))
    this.#markChanged(instance)
    this.#watcher.wake()
  }

  close(): void {
    this.#watcher.close()
    for (const { log } of this.#followed.values()) log.close()
    this.#followed.clear()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly LogChunk[], void, void> {
    const { wants, signal } = this.#request
    this.#look(wants)
    for (;;) {
      const { chunks, hasMore } = this.#readBatch(wants)
      if (chunks.length > 0) yield chunks
      if (signal.aborted) return
      if (hasMore) {
        // A fast printer must not keep the event loop from other work.
        await new Promise((settle) => setImmediate(settle))
        continue
      }
      const changes = await this.#watcher.changes()
      if (changes === undefined) return
      this.#note(changes)
    }
  }

  #see({ instance, sequence = 0 }: LogFile): void {
    this.#seen.set(instance, Math.max(sequence, this.#seen.get(instance) ?? 0))
  }

  /** Follows a file that was there at the beginning, from its end on. */
  #begin(file: LogFile): void {
    const log = this.set.current.get(file) ?? openLog(this.#request.stateDir, file)
    if (!log) return
    const end = endOfLines(log)
    this.ends.set(file.base, end)
    if (file.sequence === undefined) {
      this.#followed.set(key(file.instance, log.inode), followFrom(log, end, file))
      return
    }
    this.#idle.set(file.base, end)
    log.close()
  }

  /** Finds new files and renamed ones, and forgets removed ones. */
  #look(isOf: Filter): void {
    const { stateDir, wants } = this.#request
    const list = (): readonly LogFile[] =>
      listLogFiles(stateDir).filter(({ instance }) => isOf(instance) && wants(instance))
    // A file that is rotated between the list and the opening has a new name, and its lines come first.
    let files = list().filter(isUncompressed)
    for (let attempt = 0; attempt < LOOKS; attempt++) {
      for (const file of files) this.#open(file)
      const now = list().filter(isUncompressed)
      if (names(now) === names(files)) break
      files = now
    }
    for (const file of list()) if (file.isCompressed) this.#takeCompressed(file)
    const present = new Set(files.map(({ base }) => base))
    for (const base of this.#idle.keys())
      if (instancesNamed(base).some(isOf) && !present.has(base)) this.#idle.delete(base)
  }

  #open(file: LogFile): void {
    if (this.#idle.has(file.base)) return
    const known = this.#followed.get(key(file.instance, inodeOf(this.#request.stateDir, file) ?? NO_FILE))
    if (!known) return this.#openNew(file)
    known.sequence = sequenceOf(file)
    known.log.renamed(file)
    this.#see(file)
  }

  #openNew(file: LogFile): void {
    const log = openUncompressed(this.#request.stateDir, file)
    if (!log) return
    const name = key(file.instance, log.inode)
    // A rotation in between may have given a followed file this name.
    if (this.#followed.has(name)) log.close()
    else this.#followed.set(name, followFrom(log, 0, file))
    this.#see(file)
  }

  /**
   * Handles a file that was compressed before its number was seen. It may be the file that is followed as the current
   * one; any other is read as it is now.
   */
  #takeCompressed(file: LogFile): void {
    const { instance, sequence } = file
    if (sequence === undefined || sequence <= (this.#seen.get(instance) ?? 0)) return
    this.#see(file)
    const given = this.#unnumbered.get(instance) ?? 0
    if (given > 0) {
      this.#unnumbered.set(instance, given - 1)
      return
    }
    const rotated = this.#findRotated(file)
    if (rotated) {
      rotated.sequence = sequence
      rotated.isChanged = true
      return
    }
    const log = openLog(this.#request.stateDir, file)
    if (log) this.#followed.set(key(file.base, log.inode), followFrom(log, 0, file))
  }

  /** Finds the followed file that was the current one of an instance and is not any more. */
  #findRotated({ instance, ...file }: LogFile): FollowedLog | undefined {
    const now = inodeOf(this.#request.stateDir, { ...file, instance, base: instance, sequence: undefined })
    return [...this.#followed.values()].find(
      ({ log, sequence }) => log.instance === instance && sequence === CURRENT && log.inode !== now,
    )
  }

  #note({ renamed, written, mayHaveMore }: Changes): void {
    const touched = new Set([...renamed, ...written].flatMap(instancesNamed))
    const isTouched = (instance: string): boolean => mayHaveMore || touched.has(instance)
    for (const one of this.#followed.values()) if (isTouched(one.log.instance)) one.isChanged = true
    if (renamed.size > 0 || mayHaveMore) this.#look(isTouched)
    const bases = mayHaveMore ? this.#idle.keys() : [...written].map((name) => name.replace(/\.(log|idx)$/, ''))
    for (const base of bases) this.#reopenIdle(base)
  }

  /** Follows a full file again: a program may still write to it. */
  #reopenIdle(base: string): void {
    const end = this.#idle.get(base)
    if (end === undefined) return
    const file = listLogFiles(this.#request.stateDir).find((candidate) => candidate.base === base)
    const log = file && openLog(this.#request.stateDir, file)
    if (!log) return
    this.#idle.delete(base)
    this.#followed.set(key(file.instance, log.inode), followFrom(log, end, file))
  }

  #markChanged(instance: string): void {
    for (const one of this.#followed.values()) if (one.log.instance === instance) one.isChanged = true
  }

  #readBatch(isOf: Filter): Batch {
    this.#memory?.clear()
    const chunks: LogChunk[] = []
    const changed = [...this.#followed].filter(([, { isChanged, log }]) => isChanged && isOf(log.instance))
    for (const [name, one] of changed.toSorted(([, a], [, b]) => a.sequence - b.sequence)) this.#read(name, one, chunks)
    return {
      chunks: chunks.toSorted((a, b) => a.timeMs - b.timeMs),
      hasMore: changed.some(([, { isChanged }]) => isChanged),
    }
  }

  /** Appends the new lines of a file, and forgets the file at its end if nothing can be written to it any more. */
  #read(name: string, one: FollowedLog, chunks: LogChunk[]): void {
    const { log } = one
    const isRemoved = log.isRemoved()
    const endedRun = this.#endedRuns.get(log.instance)
    const isAtEnd = readNewLines(one, chunks, { endedRun, read: this.#memory?.readerOf(log.bytes) })
    one.isChanged = !isAtEnd
    if (!isAtEnd || !(isRemoved || log.file.isCompressed)) return
    if (one.sequence === CURRENT) this.#unnumbered.set(log.instance, (this.#unnumbered.get(log.instance) ?? 0) + 1)
    log.close()
    this.#followed.delete(name)
  }
}

interface Memory {
  readonly clear: () => void
  readonly readerOf: (bytes: Bytes) => Bytes['read']
}

/** Allocates one buffer for all batches: buffers of their own would pile up before they are collected. */
function createMemory(): Memory {
  const buffer = Buffer.allocUnsafeSlow(2 * ROUND_BYTES)
  let used = 0
  return {
    clear: () => void (used = 0),
    readerOf: (bytes) => (offset, length) => {
      const read = bytes.read(offset, length, buffer.subarray(used))
      if (read.buffer === buffer.buffer) used += read.length
      return read
    },
  }
}

const isUncompressed = ({ isCompressed }: LogFile): boolean => !isCompressed

const names = (files: readonly LogFile[]): string => files.map(({ base }) => base).join('\n')

// The system may give an inode to another instance's file later.
const key = (instance: string, inode: number): string => `${inode} ${instance}`
