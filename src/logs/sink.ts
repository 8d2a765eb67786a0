import { writeSync } from 'node:fs'

/** Takes bytes, and passes them on when there are many, or when it is told to. */
export interface Sink {
  /** A text, or bytes, of which a part may be meant. False once nobody reads any more. */
  readonly write: (bytes: Buffer | string, start?: number, end?: number) => boolean
  readonly flush: () => boolean
}

const ENOUGH = 1 << 16

/**
 * To a descriptor, or to who takes bytes and has done with them when it returns. Unlike `process.stdout`, it leaves the
 * descriptor as it is, and waits for a slow reader instead of keeping it all.
 */
export function createSink(target: number | ((bytes: Buffer) => boolean)): Sink {
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
        // A character of JavaScript has up to three bytes.
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

/** False where the reader has gone (`prodserver logs | head -1`), or the disk is full. */
function writeAll(fd: number, bytes: Buffer): boolean {
  let rest = bytes
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false
      // Whoever made the descriptor non-blocking reads slowly: wait for it as a blocking write would.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
  return true
}
