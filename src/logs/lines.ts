import type { Bytes } from './bytes.ts'
import type { Mark, TimeIndex } from './time-index.ts'

/** One line that an instance printed. */
export interface LogLine {
  /** When its first byte arrived, in milliseconds since the epoch; fractions count. */
  readonly timeMs: number
  readonly instance: string
  /** Which life of the instance printed it, from 1; 0 where nothing tells. */
  readonly run: number
  /** Without the newline. Any bytes: programs print what they like. */
  readonly line: Buffer
  /** False where it ends without a newline: its run ended there, or has not gone on yet. */
  readonly whole: boolean
}

/** Lines of one life that arrived in the same moment, as they lie in the file. */
export interface LogChunk extends Omit<LogLine, 'line'> {
  /** Whole lines, each with its newline; or a single one without, where `whole` is false. */
  readonly bytes: Buffer
}

/** The lines of a chunk, one by one. */
export function* linesIn({ bytes, whole, ...about }: LogChunk): Generator<LogLine, void, void> {
  for (let start = 0; start < bytes.length;) {
    const end = whole ? bytes.indexOf(NEWLINE, start) : bytes.length
    yield { ...about, line: bytes.subarray(start, end), whole }
    start = end + 1
  }
}

/** A log file with its index. */
export interface LogContent {
  readonly instance: string
  readonly bytes: Bytes
  readonly index: TimeIndex
  /** The time of bytes where the index has none. */
  readonly modifiedMs: number
}

const NEWLINE = 10
const BLOCK = 1 << 18
/** Backwards, where a few lines are all that is wanted. */
const SMALL_BLOCK = 1 << 15

/** Where a reader has come to; lines before `lineStart` have been given. */
export interface Position {
  lineStart: number
  /** There is no newline between `lineStart` and this. */
  scanned: number
}

interface ForwardOptions {
  /** Stop here, even if there is more by now. */
  readonly to: number
  /** Give what follows the last newline as well. Else it stays, and `position` says where it begins. */
  readonly rest: boolean
  /** Reads into memory of the caller's, rather than into a piece of its own each time. */
  readonly read?: Bytes['read']
}

/** Lines from a position on, in the order of the file. Moves the position as they are taken. */
export function* linesForward(
  content: LogContent,
  position: Position,
  options: ForwardOptions,
): Generator<LogLine, void, void> {
  for (const chunk of chunksForward(content, position, options)) yield* linesIn(chunk)
}

/** The same in pieces, as large as the index lets them be: most of what is read is passed on as it is. */
export function* chunksForward(
  content: LogContent,
  position: Position,
  { to, rest, read = content.bytes.read }: ForwardOptions,
): Generator<LogChunk, void, void> {
  const { instance, index } = content
  let mark = index.find(position.lineStart)
  let { timeMs, run } = describe(content, mark)
  let nextOffset = offsetAfter(index, mark)
  for (;;) {
    const block = nextLines(read, position, to)
    const blockStart = position.lineStart
    for (let start = blockStart; start < block.end && block.whole;) {
      // Nearly every line of a large log: nothing is marked inside it.
      const unmarked = Math.min(nextOffset, block.end)
      const newline = unmarked > start ? block.bytes.lastIndexOf(NEWLINE, unmarked - 1 - blockStart) : -1
      if (newline >= start - blockStart) {
        const bytes = block.bytes.subarray(start - blockStart, newline + 1)
        start = position.lineStart = position.scanned = blockStart + newline + 1
        yield { timeMs, instance, run, bytes, whole: true }
        continue
      }
      const lineEnd = blockStart + block.bytes.indexOf(NEWLINE, start - blockStart)
      for (const [from, until, isLast] of splitAtRuns(index, mark, start, lineEnd, true)) {
        mark = advance(index, mark, from)
        ;({ timeMs, run } = describe(content, mark))
        const end = isLast ? until + 1 : until
        position.lineStart = position.scanned = end
        const bytes = block.bytes.subarray(from - blockStart, end - blockStart)
        yield { timeMs, instance, run, bytes, whole: isLast }
      }
      nextOffset = offsetAfter(index, mark)
      start = lineEnd + 1
    }
    if (block.whole) continue
    // What follows the last newline may hold the end of a run, which ends a line as well.
    for (const [from, until, isLast] of splitAtRuns(index, mark, blockStart, block.end, false)) {
      if (isLast && (!rest || from === until)) break
      mark = advance(index, mark, from)
      position.lineStart = position.scanned = until
      yield { ...describe(content, mark), bytes: read(from, until - from), whole: false }
    }
    position.scanned = Math.max(position.lineStart, block.end)
    return
  }
}

interface Lines {
  readonly bytes: Buffer
  /** The offset after them. */
  readonly end: number
  /** They end with a newline. */
  readonly whole: boolean
}

/** Bytes from the start of a line up to a newline: many lines at once where they are short, one where it is long. */
function nextLines(read: Bytes['read'], { lineStart, scanned }: Position, to: number): Lines {
  if (scanned === lineStart) {
    const block = read(lineStart, Math.min(BLOCK, to - lineStart))
    const last = block.lastIndexOf(NEWLINE)
    if (last >= 0) return { bytes: block.subarray(0, last + 1), end: lineStart + last + 1, whole: true }
    scanned += block.length
    if (block.length === 0) return { bytes: block, end: lineStart, whole: false }
  }
  while (scanned < to) {
    const block = read(scanned, Math.min(BLOCK, to - scanned))
    const newline = block.indexOf(NEWLINE)
    if (newline >= 0) {
      const end = scanned + newline + 1
      return { bytes: read(lineStart, end - lineStart), end, whole: true }
    }
    if (block.length === 0) break
    scanned += block.length
  }
  return { bytes: Buffer.alloc(0), end: scanned, whole: false }
}

/** The parts of a line that different runs wrote; the last is the one that goes on to its end. */
function* splitAtRuns(
  index: TimeIndex,
  mark: number,
  start: number,
  end: number,
  whole: boolean,
): Generator<[from: number, until: number, isLast: boolean], void, void> {
  let from = start
  let current = advance(index, mark, start)
  for (;;) {
    const next = index.next(current)
    // The newline may be all that the other run wrote.
    if (next >= index.count || index.offset(next) >= end + Number(whole)) break
    const offset = index.offset(next)
    if (current >= 0 && index.run(next) !== index.run(current) && offset > from) {
      yield [from, offset, false]
      from = offset
    }
    current = next
  }
  yield [from, end, true]
}

/** The mark that speaks of an offset, from one that speaks of an earlier offset. */
function advance(index: TimeIndex, mark: number, offset: number): number {
  let current = mark
  for (;;) {
    const next = index.next(current)
    if (next >= index.count || index.offset(next) > offset) return current
    current = next
  }
}

/** Lines that end at or before an offset, the last one first. What follows the last newline is a line. */
export function* linesBackward(content: LogContent, to: number): Generator<LogLine, void, void> {
  const { bytes, index } = content
  let window: Buffer = Buffer.alloc(0)
  let windowStart = to
  let end = to
  while (end > 0) {
    if (end <= windowStart) {
      windowStart = Math.max(0, end - SMALL_BLOCK)
      window = bytes.read(windowStart, end - windowStart)
    }
    const whole = window[end - 1 - windowStart] === NEWLINE
    const contentEnd = whole ? end - 1 : end
    const before = contentEnd - 1 - windowStart
    const newline = before < 0 ? -1 : window.lastIndexOf(NEWLINE, before)
    const start = newline >= 0 ? windowStart + newline + 1 : lineStartBefore(bytes, windowStart)
    const parts = [...splitAtRuns(index, index.find(start), start, contentEnd, whole)]
    for (const [from, until, isLast] of parts.toReversed()) {
      const line =
        from >= windowStart ? window.subarray(from - windowStart, until - windowStart) : bytes.read(from, until - from)
      yield { ...describe(content, index.find(from)), line, whole: whole && isLast }
    }
    end = start
  }
}

/** Where the line begins that the byte before an offset belongs to; the offset itself after a newline. */
export function lineStartBefore(bytes: Bytes, offset: number): number {
  let end = offset
  while (end > 0) {
    const start = Math.max(0, end - BLOCK)
    const newline = bytes.read(start, end - start).lastIndexOf(NEWLINE)
    if (newline >= 0) return start + newline + 1
    end = start
  }
  return 0
}

/** Where the line ends, its newline included, that the byte before an offset belongs to. */
export function lineEndAfter(bytes: Bytes, offset: number, size: number): number {
  if (offset === 0) return 0
  let start = offset - 1
  while (start < size) {
    const block = bytes.read(start, Math.min(BLOCK, size - start))
    const newline = block.indexOf(NEWLINE)
    if (newline >= 0) return start + newline + 1
    if (block.length === 0) break
    start += block.length
  }
  return size
}

function offsetAfter(index: TimeIndex, mark: number): number {
  const next = index.next(mark)
  return next < index.count ? index.offset(next) : Number.POSITIVE_INFINITY
}

function describe({ instance, index, modifiedMs }: LogContent, mark: number): Omit<LogLine, 'line' | 'whole'> {
  const { timeMs, run }: Pick<Mark, 'timeMs' | 'run'> =
    index.count > 0 ? index.at(Math.max(0, mark)) : { timeMs: modifiedMs, run: 0 }
  return { timeMs, instance, run }
}
