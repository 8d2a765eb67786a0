import { writeSync } from 'node:fs'

/** Collects text and bytes, and writes them together when there are enough or when the caller flushes. */
export interface BufferedWriter {
  /** Takes text, or bytes from `start` to `end`. Returns false after the reader has gone. */
  readonly write: (bytes: Buffer | string, start?: number, end?: number) => boolean
  readonly flush: () => boolean
}

/** Bytes that a writer collects before it writes them. */
const ENOUGH = 1 << 16

/**
 * Writes to a descriptor, or to a function that has used the bytes when it returns. Blocks on a slow reader instead of
 * queueing, and leaves the descriptor's flags as they are; `process.stdout` does neither.
 */
export function createBufferedWriter(target: number | ((bytes: Buffer) => boolean)): BufferedWriter {
  const pass = typeof target === 'number' ? (bytes: Buffer) => writeAll(target, bytes) : target
  const buffer = Buffer.allocUnsafe(2 * ENOUGH)
  let size = 0
  let isOpen = true
  const flush = (): boolean => {
    if (size > 0) isOpen &&= pass(buffer.subarray(0, size))
    size = 0
    return isOpen
  }
  return {
    flush,
    write: (bytes, start = 0, end = bytes.length) => {
      if (typeof bytes === 'string') {
        // A UTF-16 code unit has up to three bytes in UTF-8.
        if (size + bytes.length * 3 > buffer.length) flush()
        if (bytes.length * 3 > buffer.length) isOpen &&= pass(Buffer.from(bytes))
        else size += buffer.write(bytes, size)
      } else {
        if (size + end - start > buffer.length) flush()
        if (end - start > buffer.length) isOpen &&= pass(bytes.subarray(start, end))
        else size += bytes.copy(buffer, size, start, end)
      }
      return size < ENOUGH ? isOpen : flush()
    },
  }
}

/** Writes all bytes. Returns false if the reader has gone (`prodserver logs | head -1`) or the disk is full. */
function writeAll(fd: number, bytes: Buffer): boolean {
  let rest = bytes
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false
      // Another program made the descriptor non-blocking: wait for the reader as a blocking write would.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
  return true
}
