import { writeSync } from 'node:fs'

/** Takes bytes for a descriptor, and writes them when there are many, or when it is told to. */
export interface Sink {
  /** False once nobody reads any more. */
  readonly write: (bytes: Uint8Array | string) => boolean
  readonly flush: () => boolean
}

const ENOUGH = 1 << 16

/** Unlike `process.stdout`, it leaves the descriptor as it is, and waits for a slow reader instead of keeping it all. */
export function createSink(fd: number): Sink {
  const buffer = Buffer.allocUnsafe(2 * ENOUGH)
  let size = 0
  let isOpen = true
  const flush = (): boolean => {
    if (size > 0) isOpen &&= writeAll(fd, buffer.subarray(0, size))
    size = 0
    return isOpen
  }
  return {
    flush,
    write: (bytes) => {
      // A character of JavaScript has up to three bytes.
      const most = typeof bytes === 'string' ? bytes.length * 3 : bytes.length
      if (size + most > buffer.length) flush()
      if (most > buffer.length) isOpen &&= writeAll(fd, Buffer.from(bytes as string))
      else if (typeof bytes === 'string') size += buffer.write(bytes, size)
      else {
        buffer.set(bytes, size)
        size += bytes.length
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
