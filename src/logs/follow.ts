import type { Bytes } from './bytes.ts'
import {
  inodeOf,
  instancesNamed,
  type LogFile,
  listLogFiles,
  logsDirectory,
  type OpenLog,
  openLog,
  openUncompressed,
} from './log-files.ts'
import { type LogSet, openLogSet } from './log-set.ts'
import { chunksForward, lineStartBefore, type LogChunk, type LogContent, type Position } from './lines.ts'
import { type Changes, watchFolder } from './watch-folder.ts'

interface FollowRequest {
  readonly stateDir: string
  readonly wants: (instance: string) => boolean
  readonly signal: AbortSignal
  /** The bytes of a batch are gone when the next one is asked for: who only passes them on needs no more. */
  readonly isPassedOn?: boolean
}

/** Lines as they arrive, in batches of those that were there together, each in the order of arrival. */
export interface Follower extends AsyncIterable<readonly LogChunk[]> {
  /** The files when following began, and where in each it began: what comes before is for who reads the past. */
  readonly set: LogSet
  readonly ends: ReadonlyMap<string, number>
  /** What an instance has printed by now and was not given yet; the iteration goes on after it. */
  readonly drain: (instance: string) => Iterable<readonly LogChunk[]>
  /** A run is over: what it printed last is a line, though no newline came. */
  readonly endRun: (instance: string, run: number) => void
  readonly close: () => void
}

interface Batch {
  readonly chunks: readonly LogChunk[]
  /** There is more already. */
  readonly hasMore: boolean
}

interface Followed {
  readonly log: OpenLog
  readonly position: Position
  sequence: number
  /** Something may have been written to it, or it may have been removed. */
  isChanged: boolean
}

/** Bytes of a file that are looked at before the next file has its turn: memory has an end. */
const ROUND_BYTES = 1 << 18
/** Files come faster than they can be opened only for a moment. */
const LOOKS = 20
const NO_FILE = -1
/** The order of the file that is written to now: after all that have a number. */
const CURRENT = Number.POSITIVE_INFINITY

/**
 * Follows the logs of instances, new ones included, through rotations: no line is lost, none is given twice. Waits for
 * the system to tell of a change, and does nothing in between. A line is given when its newline is there, or its run
 * has ended. Ends when the signal is aborted; the caller closes it.
 */
export function followLogs({ stateDir, wants, signal, isPassedOn = false }: FollowRequest): Follower {
  // Watched before the files are looked at: what is written between the two is noticed.
  const watcher = watchFolder(logsDirectory(stateDir), signal)
  const set = openLogSet(stateDir, wants)
  const followed = new Map<string, Followed>()
  const ends = new Map<string, number>()
  const idle = new Map<string, number>()
  /** The highest number of the full files of each instance that were there at the beginning, or were followed. */
  const seen = new Map<string, number>()
  const see = ({ instance, sequence = 0 }: LogFile): void =>
    void seen.set(instance, Math.max(sequence, seen.get(instance) ?? 0))
  set.files.forEach(see)
  /** How many files of each instance were given to their end, and then were gone before their number was seen. */
  const unnumbered = new Map<string, number>()
  const endedRuns = new Map<string, number>()
  for (const file of set.files.filter(({ isCompressed }) => !isCompressed)) {
    const log = set.current.get(file) ?? openLog(stateDir, file)
    if (!log) continue
    const end = endOfLines(log)
    ends.set(file.base, end)
    // Almost always nobody writes to a full file any more; one that is written to is opened again.
    if (file.sequence !== undefined) {
      idle.set(file.base, end)
      log.close()
    } else followed.set(key(file.instance, log.inode), follow(log, end, file))
  }

  /** Files that are new, and full ones that are written to; what is gone is let go. */
  const look = (isOf: (instance: string) => boolean): void => {
    const list = (): readonly LogFile[] =>
      listLogFiles(stateDir).filter(({ instance, isCompressed }) => !isCompressed && isOf(instance) && wants(instance))
    // A file that was rotated between the list and the opening has another name by now, and its lines come first.
    let files = list()
    for (let attempt = 0; attempt < LOOKS; attempt++) {
      open(files)
      const now = list()
      if (names(now) === names(files)) break
      files = now
    }
    takeCompressed(listLogFiles(stateDir).filter(({ instance }) => isOf(instance) && wants(instance)))
    const present = new Set(files.map(({ base }) => base))
    for (const base of idle.keys()) if (instancesNamed(base).some(isOf) && !present.has(base)) idle.delete(base)
  }

  const open = (files: readonly LogFile[]): void => {
    for (const file of files) {
      if (idle.has(file.base)) continue
      const known = followed.get(key(file.instance, inodeOf(stateDir, file) ?? NO_FILE))
      if (!known) openNew(file)
      else {
        known.sequence = order(file)
        known.log.renamed(file)
        see(file)
      }
    }
  }

  const openNew = (file: LogFile): void => {
    const log = openUncompressed(stateDir, file)
    if (!log) return
    const name = key(file.instance, log.inode)
    // It was rotated a moment ago.
    if (followed.has(name)) log.close()
    else followed.set(name, follow(log, 0, file))
    see(file)
  }

  /**
   * Files that were compressed before anybody looked. The first may be the one that is followed as the current one, whose
   * new name was never seen; the others are read as they are now.
   */
  const takeCompressed = (files: readonly LogFile[]): void => {
    for (const file of files) {
      const { instance, sequence, isCompressed } = file
      if (!isCompressed || sequence === undefined || sequence <= (seen.get(instance) ?? 0)) continue
      see(file)
      const given = unnumbered.get(instance) ?? 0
      unnumbered.set(instance, Math.max(0, given - 1))
      if (given > 0) continue
      const now = inodeOf(stateDir, { ...file, base: instance, sequence: undefined })
      const one = [...followed.values()].find(
        ({ log, sequence: number }) => log.instance === instance && number === CURRENT && log.inode !== now,
      )
      if (one) {
        one.sequence = sequence
        one.isChanged = true
        continue
      }
      const log = openLog(stateDir, file)
      if (log) followed.set(key(file.base, log.inode), follow(log, 0, file))
    }
  }

  const wake = (base: string): void => {
    const end = idle.get(base)
    const file = end === undefined ? undefined : listLogFiles(stateDir).find((candidate) => candidate.base === base)
    if (end === undefined || !file) return
    const log = openLog(stateDir, file)
    if (!log) return
    idle.delete(base)
    followed.set(key(file.instance, log.inode), follow(log, end, file))
  }

  const note = ({ renamed, written, mayHaveMore }: Changes): void => {
    const touched = new Set([...renamed, ...written].flatMap(instancesNamed))
    const isTouched = (instance: string): boolean => mayHaveMore || touched.has(instance)
    for (const one of followed.values()) if (isTouched(one.log.instance)) one.isChanged = true
    if (renamed.size > 0 || mayHaveMore) look(isTouched)
    for (const base of mayHaveMore ? idle.keys() : [...written].map((name) => name.replace(/\.(log|idx)$/, '')))
      wake(base)
  }

  const change = (instance: string): void => {
    for (const one of followed.values()) if (one.log.instance === instance) one.isChanged = true
  }

  const memory = isPassedOn ? createMemory() : undefined
  const read = (isOf: (instance: string) => boolean): Batch => {
    memory?.clear()
    const chunks: LogChunk[] = []
    let hasMore = false
    const changed = [...followed].filter(([, { isChanged, log }]) => isChanged && isOf(log.instance))
    for (const [name, one] of changed.toSorted(([, a], [, b]) => a.sequence - b.sequence)) {
      const isRemoved = one.log.isRemoved()
      const isAtEnd = readOn(one, endedRuns.get(one.log.instance), chunks, memory?.readerOf(one.log.bytes))
      one.isChanged = !isAtEnd
      if (!isAtEnd) hasMore = true
      if (!isAtEnd || !(isRemoved || one.log.file.isCompressed)) continue
      const { instance } = one.log
      if (one.sequence === CURRENT) unnumbered.set(instance, (unnumbered.get(instance) ?? 0) + 1)
      one.log.close()
      followed.delete(name)
    }
    return { chunks: chunks.toSorted((a, b) => a.timeMs - b.timeMs), hasMore }
  }

  return {
    set,
    ends,
    *drain(instance) {
      change(instance)
      for (;;) {
        const { chunks, hasMore } = read((name) => name === instance)
        if (chunks.length > 0) yield chunks
        if (!hasMore) return
      }
    },
    endRun: (instance, run) => {
      endedRuns.set(instance, Math.max(run, endedRuns.get(instance) ?? 0))
      change(instance)
      watcher.wake()
    },
    close: () => {
      watcher.close()
      for (const { log } of followed.values()) log.close()
      followed.clear()
    },
    async *[Symbol.asyncIterator]() {
      look(wants)
      for (;;) {
        const { chunks, hasMore } = read(wants)
        if (chunks.length > 0) yield chunks
        if (signal.aborted) return
        if (hasMore) {
          // Who prints as fast as it is read must not keep everything else waiting.
          await new Promise((settle) => setImmediate(settle))
          continue
        }
        const changes = await watcher.changes()
        if (changes === undefined) return
        note(changes)
      }
    },
  }
}

/** One piece of memory that is used again and again: what is taken anew each time piles up before it is given back. */
function createMemory(): { clear: () => void; readerOf: (bytes: Bytes) => Bytes['read'] } {
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

const names = (files: readonly LogFile[]): string => files.map(({ base }) => base).join('\n')

// The same inode may be another instance's later.
const key = (instance: string, inode: number): string => `${inode} ${instance}`
const order = ({ sequence }: LogFile): number => sequence ?? CURRENT
const follow = (log: OpenLog, end: number, file: LogFile): Followed => ({
  log,
  position: { lineStart: end, scanned: end },
  sequence: order(file),
  isChanged: true,
})

/** Takes what is new in a file; false where there is more. */
function readOn(
  { log, position }: Followed,
  endedRun: number | undefined,
  chunks: LogChunk[],
  read: Bytes['read'] | undefined,
): boolean {
  const size = log.bytes.size()
  // A disk without room: the keeper takes back what is no whole line.
  if (size < position.scanned) {
    position.scanned = position.lineStart = Math.min(position.lineStart, size)
  }
  // Without its index it is not known when its lines arrived, and they would come out of order. News of its name comes.
  if (!log.refresh()) return true
  const to = Math.min(size, position.scanned + ROUND_BYTES)
  const isOver = endedRun !== undefined && runAtEnd(log, position) <= endedRun
  if (to > position.scanned || (isOver && size > position.lineStart)) {
    for (const chunk of chunksForward(log, position, { to, rest: isOver && to === size, ...(read && { read }) }))
      chunks.push(chunk)
  }
  return to === size
}

function runAtEnd({ index }: LogContent, { lineStart }: Position): number {
  const mark = index.find(lineStart)
  return index.count === 0 ? Number.POSITIVE_INFINITY : index.run(Math.max(0, mark))
}

/** Where the last line begins, if it has no newline yet; else where the file ends. */
function endOfLines(log: OpenLog): number {
  const { bytes } = log
  const size = bytes.size()
  // Marks come before what they speak of: those that are there by now speak of all of it.
  log.refresh()
  const { index } = log
  const start = lineStartBefore(bytes, size)
  let mark = index.find(size - 1)
  // What a run left unfinished is a line, if another run has written since.
  while (mark > 0 && index.offset(mark) > start && index.run(mark) === index.run(mark - 1)) mark--
  return mark > 0 && index.offset(mark) > start ? index.offset(mark) : start
}
