import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes that can be read anywhere: a file, or what a compressed file holds. */
export interface Bytes {
  /** How many there are now; a file that is written to grows. */
  readonly size: () => number
  /**
   * Fewer than asked for where they end before. They lie in memory of their own, which whoever reads may keep; or in
   * `into`, where that is given and is large enough.
   */
  readonly read: (offset: number, length: number, into?: Buffer) => Buffer
  readonly close: () => void
}

/** A file with the identity that a rename does not change. The caller closes it. */
export interface OpenFile extends Bytes {
  readonly inode: number
  readonly modifiedMs: () => number
  /** It has no name any more. */
  readonly isRemoved: () => boolean
}

/** @throws the system's error: `ENOENT` where it has been removed or renamed. */
function openFile(path: string): OpenFile {
  const fd = openSync(path, 'r')
  const stat = (): ReturnType<typeof fstatSync> => fstatSync(fd)
  return {
    inode: Number(stat().ino),
    size: () => Number(stat().size),
    modifiedMs: () => Number(stat().mtimeMs),
    isRemoved: () => Number(stat().nlink) === 0,
    read: (offset, length, into) => readAt(fd, offset, length, into),
    close: () => closeSync(fd),
  }
}

/** Opens a file; undefined if it was removed or renamed. */
export function openIfThere(path: string): OpenFile | undefined {
  try {
    return openFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readAt(fd: number, offset: number, length: number, into?: Buffer): Buffer {
  const isEnough = into !== undefined && into.length >= length
  // One's own, not a part of Node's pool: a log line that is kept would keep the pool.
  const buffer = isEnough ? into.subarray(0, length) : Buffer.allocUnsafeSlow(Math.max(0, length))
  let filled = 0
  while (filled < buffer.length) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, offset + filled)
    if (count === 0) break
    filled += count
  }
  return buffer.subarray(0, filled)
}

export const inMemory = (buffer: Buffer): Bytes => ({
  size: () => buffer.length,
  read: (offset, length) => buffer.subarray(offset, offset + length),
  close: () => {},
})
