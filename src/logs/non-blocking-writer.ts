import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import type { Socket } from 'node:net'

/** Milliseconds until the next attempt to write to a reader that is not reading. */
const RETRY_MS = 50
/** Bytes that a writer keeps for a slow reader before it drops new ones. */
const MAX_QUEUED_BYTES = 1 << 20

/**
 * Writes to a descriptor without waiting for its reader. The supervisor must not stall because a terminal is paused, a
 * pager shows its first page, or a log collector hangs. Keeps what it cannot write yet and retries.
 */
export class NonBlockingWriter {
  readonly #target: Target
  #queue: Buffer[] = []
  #queuedBytes = 0
  #writtenBytes = 0
  #isOpen = true
  #retry: NodeJS.Timeout | undefined
  #stallTimer: NodeJS.Timeout | undefined
  readonly #drainWaiters: (() => void)[] = []

  constructor(fd: number) {
    this.#target = openTarget(fd)
  }

  /** Takes all bytes, or drops them when too many are queued. Returns false after the reader has gone. */
  readonly write = (bytes: Buffer | string): boolean => {
    if (!this.#isOpen || this.#queuedBytes > MAX_QUEUED_BYTES) return this.#isOpen
    const part = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    this.#queue.push(part)
    this.#queuedBytes += part.length
    if (this.#retry === undefined) this.#writeQueue()
    // The caller may reuse the memory of its buffer.
    const last = this.#queue.length - 1
    if (last >= 0 && typeof bytes !== 'string') this.#queue[last] = Buffer.from(this.#queue[last] as Buffer)
    return this.#isOpen
  }

  /** Resolves when the queue is written or the reader has gone. A caller with much to write waits for it. */
  drained(): Promise<void> {
    if (this.#retry === undefined) return Promise.resolve()
    return new Promise((settle) => this.#drainWaiters.push(settle))
  }

  /** Resolves when bytes were queued for this time and the reader took none of them. */
  stalled(ms: number): Promise<void> {
    return new Promise((settle) => {
      let before = -1
      this.#stallTimer = setInterval(() => {
        if (this.#retry !== undefined && this.#writtenBytes === before) settle()
        before = this.#writtenBytes
      }, ms)
    })
  }

  /** Drops the queue. The descriptor stays open. */
  close(): void {
    this.#isOpen = false
    clearTimeout(this.#retry)
    clearInterval(this.#stallTimer)
    this.#retry = undefined
    this.#finish()
    this.#target.close()
  }

  #writeQueue(): void {
    this.#retry = undefined
    try {
      for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) this.#writeHead(head)
    } catch (error) {
      // Any other error means that the reader has gone or the disk is full.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN')
        this.#retry = setTimeout(() => this.#writeQueue(), RETRY_MS)
      else this.#isOpen = false
    }
    if (this.#retry === undefined) this.#finish()
  }

  #writeHead(head: Buffer): void {
    const count = writeSync(this.#target.fd, head)
    this.#writtenBytes += count
    this.#queuedBytes -= count
    if (count < head.length) this.#queue[0] = head.subarray(count)
    else this.#queue.shift()
  }

  #finish(): void {
    this.#queue = []
    this.#queuedBytes = 0
    for (const settle of this.#drainWaiters.splice(0)) settle()
  }
}

interface Target {
  readonly fd: number
  readonly close: () => void
}

/**
 * Opens a pipe or a terminal a second time: only a description of our own can be made non-blocking without changing it
 * for other programs. A socket is not shared, and writing to a file does not block.
 */
function openTarget(fd: number): Target {
  const same = { fd, close: () => {} }
  try {
    const found = fstatSync(fd)
    if (found.isSocket()) return { fd, close: keepOpen(fd) }
    if (!found.isFIFO() && !found.isCharacterDevice()) return same
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
    const own = openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
    return { fd: own, close: () => closeSync(own) }
  } catch {
    // The terminal belongs to another user, because this process has changed its user: a write may block.
    return same
  }
}

/** Makes a socket non-blocking by Node's own object. That object must stay alive, because it closes the descriptor. */
function keepOpen(fd: number): () => void {
  const { Socket } = process.getBuiltinModule('node:net')
  const kept: Socket = new Socket({ fd, readable: false, writable: true }).unref()
  return () => void kept
}
