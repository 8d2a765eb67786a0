import type { Bytes } from './bytes.ts'

/** What the index of a log file says of the bytes from an offset on: when they arrived, and which life wrote them. */
export interface Mark {
  readonly timeMs: number
  readonly offset: number
  readonly run: number
}

const MARK_BYTES = 16
/** Marks that are read at a time. */
const BLOCK = 1024

/**
 * The index of a log file: marks in the order of their offsets. It is searched where it lies: the index of a large
 * file is large as well.
 */
export class TimeIndex {
  readonly #bytes: Bytes | undefined
  #block: Buffer = Buffer.alloc(0)
  #memory: Buffer = Buffer.alloc(0)
  #blockAt = -1
  #count = 0

  constructor(bytes: Bytes | undefined) {
    this.#bytes = bytes
    this.refresh()
  }

  get count(): number {
    return this.#count
  }

  /** Looks how many marks there are now. */
  refresh(): void {
    const count = Math.floor((this.#bytes?.size() ?? 0) / MARK_BYTES)
    if (count === this.#count) return
    this.#count = count
    this.#blockAt = -1
  }

  at(index: number): Mark {
    return { timeMs: this.#time(index), offset: this.offset(index), run: this.run(index) }
  }

  offset(index: number): number {
    const position = this.#load(index)
    return this.#block.readUInt32LE(position + 8)
  }

  run(index: number): number {
    const position = this.#load(index)
    return this.#block.readUInt32LE(position + 12)
  }

  /** The mark that speaks of the byte at an offset: the last one at or before it; -1 where there is none. */
  find(offset: number): number {
    return this.#search((index) => this.offset(index) > offset) - 1
  }

  /** The first mark at or after a time; `count` where all are before. */
  findTime(timeMs: number): number {
    return this.#search((index) => this.#time(index) >= timeMs)
  }

  /** The first mark of a run or of a later one; `count` where all are of earlier ones. */
  findRun(run: number): number {
    return this.#search((index) => this.run(index) >= run)
  }

  /**
   * The mark after one. Where the disk was full, bytes that had been announced were taken back: a mark whose offset
   * is beyond that of the next one speaks of nothing.
   */
  next(index: number): number {
    let next = index + 1
    while (next + 1 < this.#count && this.offset(next + 1) < this.offset(next)) next++
    return next
  }

  /** The first index for which a condition holds that, once true, stays true. */
  #search(holds: (index: number) => boolean): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(middle)) high = middle
      else low = middle + 1
    }
    return low
  }

  #time(index: number): number {
    const position = this.#load(index)
    return (this.#block.readUInt32LE(position + 4) * 2 ** 32 + this.#block.readUInt32LE(position)) / 1000
  }

  /** Where in the block a mark lies, which is read if need be. */
  #load(index: number): number {
    const at = Math.floor(index / BLOCK)
    if (at !== this.#blockAt) {
      const marks = Math.min(BLOCK, this.#count - at * BLOCK)
      // Nothing of a block is given away: the memory of the one before will do, if it is large enough.
      this.#block = this.#bytes?.read(at * BLOCK * MARK_BYTES, marks * MARK_BYTES, this.#memory) ?? this.#block
      if (this.#block.length > this.#memory.length) this.#memory = this.#block
      this.#blockAt = at
    }
    return (index - at * BLOCK) * MARK_BYTES
  }
}
