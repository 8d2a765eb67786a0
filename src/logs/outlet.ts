import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import type { Socket } from 'node:net'

/**
 * A way to a descriptor on which nobody waits. Who supervises must not stand still because a terminal is halted, a pager
 * shows its first page, or whoever collects the output hangs: what cannot be written now is written later.
 */
export interface Outlet {
  /** Takes it all, up to a limit, after which it is dropped. False once nobody reads any more. */
  readonly write: (bytes: Buffer | string) => boolean
  /** Resolves when what was taken is written, or nobody reads any more. Whoever has more waits for it. */
  readonly drained: () => Promise<void>
  /** Resolves when something has been waiting that long, and not a byte of it was read. */
  readonly stalled: (ms: number) => Promise<void>
  /** What has not been written yet is dropped. The descriptor stays open. */
  readonly close: () => void
}

/** How often a reader that reads nothing is tried. */
const RETRY_MS = 50
/** Of what does not wait for {@link Outlet.drained}. */
const MOST_BYTES = 1 << 20

export function createOutlet(fd: number): Outlet {
  const way = openWay(fd)
  let queue: Buffer[] = []
  let queued = 0
  let written = 0
  let isOpen = true
  let retry: NodeJS.Timeout | undefined
  let watch: NodeJS.Timeout | undefined
  const waiting: (() => void)[] = []

  const finish = (): void => {
    queue = []
    queued = 0
    for (const settle of waiting.splice(0)) settle()
  }
  const pump = (): void => {
    retry = undefined
    try {
      for (let head = queue[0]; head !== undefined; head = queue[0]) {
        const count = writeSync(way.fd, head)
        written += count
        queued -= count
        if (count < head.length) queue[0] = head.subarray(count)
        else queue.shift()
      }
    } catch (error) {
      // Otherwise the reader has gone, or the disk is full: there is nobody left to tell.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') retry = setTimeout(pump, RETRY_MS)
      else isOpen = false
    }
    if (retry === undefined) finish()
  }

  return {
    write: (bytes) => {
      if (!isOpen || queued > MOST_BYTES) return isOpen
      const part = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
      queue.push(part)
      queued += part.length
      if (retry === undefined) pump()
      // Who gave it uses its memory again.
      const last = queue.length - 1
      if (last >= 0 && typeof bytes !== 'string') queue[last] = Buffer.from(queue[last] as Buffer)
      return isOpen
    },
    drained: () => (retry === undefined ? Promise.resolve() : new Promise((settle) => waiting.push(settle))),
    stalled: (ms) =>
      new Promise((settle) => {
        let before = -1
        watch = setInterval(() => {
          if (retry !== undefined && written === before) settle()
          before = written
        }, ms)
      }),
    close: () => {
      isOpen = false
      clearTimeout(retry)
      clearInterval(watch)
      retry = undefined
      finish()
      way.close()
    },
  }
}

interface Way {
  readonly fd: number
  readonly close: () => void
}

/**
 * A pipe or a terminal is opened once more, for only so is it ours alone to be non-blocking; a socket is shared with
 * nobody. A file does not keep who writes waiting.
 */
function openWay(fd: number): Way {
  const same = { fd, close: () => {} }
  try {
    const found = fstatSync(fd)
    if (found.isSocket()) return { fd, close: keepOpen(fd) }
    if (!found.isFIFO() && !found.isCharacterDevice()) return same
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
    const own = openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
    return { fd: own, close: () => closeSync(own) }
  } catch {
    // A terminal of another user, who is somebody else by now: then a write may wait.
    return same
  }
}

/** Node makes it non-blocking. It must not be collected, or it would close the descriptor. */
function keepOpen(fd: number): () => void {
  const { Socket } = process.getBuiltinModule('node:net')
  const kept: Socket = new Socket({ fd, readable: false, writable: true }).unref()
  return () => void kept
}
