import type { Bytes } from './bytes.ts'
import { chunksForward, lineStartBefore, type LogChunk, type LogContent, type Position } from './lines.ts'
import type { LogFile, OpenLog } from './log-files.ts'

/** Bytes to read from one file before the next file has its turn: limits the memory of a batch. */
export const ROUND_BYTES = 1 << 18
/** Sequence of the file that is being written to: comes after all numbered files. */
export const CURRENT = Number.POSITIVE_INFINITY

/** A log file that is followed, and the position up to which its lines were given. */
export interface FollowedLog {
  readonly log: OpenLog
  readonly position: Position
  sequence: number
  /** Says that the file may have new bytes, or may have been removed. */
  isChanged: boolean
}

export const sequenceOf = ({ sequence }: LogFile): number => sequence ?? CURRENT

/** Follows a file from an offset on. */
export const followFrom = (log: OpenLog, offset: number, file: LogFile): FollowedLog => ({
  log,
  position: { lineStart: offset, scanned: offset },
  sequence: sequenceOf(file),
  isChanged: true,
})

interface ReadOptions {
  /** The last run of the instance that is over: its last line is complete without a newline. */
  readonly endedRun: number | undefined
  /** Reads into memory that is used again; undefined to allocate. */
  readonly read: Bytes['read'] | undefined
}

/** Appends the new lines of a file to `chunks`. Returns false if the file has more. */
export function readNewLines({ log, position }: FollowedLog, chunks: LogChunk[], options: ReadOptions): boolean {
  const size = log.bytes.size()
  // On a full disk, the shim takes back an incomplete line.
  if (size < position.scanned) position.scanned = position.lineStart = Math.min(position.lineStart, size)
  // Without the index the lines have no time, and would be out of order. A change of the file's name comes next.
  if (!log.refresh()) return true
  const { endedRun, read = log.bytes.read } = options
  const to = Math.min(size, position.scanned + ROUND_BYTES)
  const isOver = endedRun !== undefined && runAt(log, position) <= endedRun
  if (to > position.scanned || (isOver && size > position.lineStart)) {
    for (const chunk of chunksForward(log, position, { to, rest: isOver && to === size, read })) chunks.push(chunk)
  }
  return to === size
}

/** Finds the run that wrote the line at a position. */
function runAt({ index }: LogContent, { lineStart }: Position): number {
  const mark = index.find(lineStart)
  return index.count === 0 ? Number.POSITIVE_INFINITY : index.run(Math.max(0, mark))
}

/** Finds where the last line begins if it has no newline yet; else the end of the file. */
export function endOfLines(log: OpenLog): number {
  const { bytes } = log
  const size = bytes.size()
  // The shim writes marks before the bytes that they describe, so the marks of now cover `size`.
  log.refresh()
  const { index } = log
  const start = lineStartBefore(bytes, size)
  let mark = index.find(size - 1)
  // An unfinished line of a run is complete once another run has written.
  while (mark > 0 && index.offset(mark) > start && index.run(mark) === index.run(mark - 1)) mark--
  return mark > 0 && index.offset(mark) > start ? index.offset(mark) : start
}
