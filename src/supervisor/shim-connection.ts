import { processOf } from '../logs/log-files.ts'
import type { Launcher } from './launcher.ts'
import type { Shim, ShimEvents } from './shim/client.ts'
import { describeLogReply } from './shim/log-events.ts'
import type { LogReply } from './shim/messages.ts'
import { openShim, type ShimOptions } from './shim/open-shim.ts'
import type { News } from './state/event-log.ts'

interface ShimConnectionOptions extends ShimOptions {
  readonly launcher: () => Launcher
  readonly write: (news: News) => void
  readonly onNotify: (session: number, pid: number, text: string) => void
  /** A log file is complete. */
  readonly onRotated: (log: string, sequence: number) => void
  /** A new shim has replaced the lost one, and must adopt what runs. */
  readonly onReplaced: () => Promise<void>
}

/** Pause between attempts to start a shim, in milliseconds. */
const RETRY_MS = 500

/** Connection to the shim. When the shim dies, a new one is started and takes over what runs. */
export class ShimConnection {
  readonly #options: ShimConnectionOptions
  #shim!: Shim
  #isLost = false
  /** An earlier shim may have left children, which are not children of this one. */
  #hasPredecessor = false
  #isClosed = false

  constructor(options: ShimConnectionOptions) {
    this.#options = options
  }

  get shim(): Shim {
    return this.#shim
  }

  get isLost(): boolean {
    return this.#isLost
  }

  get hasPredecessor(): boolean {
    return this.#hasPredecessor
  }

  /** @throws {ShimBusyError} when another supervisor is connected to the shim. */
  async open(): Promise<void> {
    await this.#connect()
    if (this.#shim.isNew) this.#hasPredecessor = true
  }

  /** Keeps a lost shim from being replaced. */
  close(): void {
    this.#isClosed = true
  }

  async #connect(): Promise<void> {
    const { stateDir, python, fd, env } = this.#options
    this.#shim = await openShim({ stateDir, python, fd, env }, this.#events())
  }

  #events(): ShimEvents {
    const { launcher, onNotify } = this.#options
    return {
      onSpawned: (token, pid, startTicks) => launcher().onSpawned(token, pid, startTicks),
      onFailed: (token, failure) => launcher().onFailed(token, failure),
      onExited: (token, exit) => launcher().onExited(token, exit),
      onNotify: ({ session, pid, text }) => onNotify(session, pid, text),
      onLog: (reply) => this.#reportLog(reply),
      onLost: () => void this.#replace(),
    }
  }

  #reportLog(reply: LogReply): void {
    const { instance } = reply
    const message = describeLogReply(reply)
    if (message !== null) this.#options.write({ type: 'log-lost', process: processOf(instance), instance, message })
    if (reply.type === 'rotated') this.#options.onRotated(instance, reply.sequence)
  }

  /** The programs keep running with their pipes open while there is no shim. */
  async #replace(): Promise<void> {
    if (this.#isClosed) return
    this.#options.write({ type: 'note', message: 'the shim has gone; another one takes over what runs' })
    this.#isLost = true
    this.#hasPredecessor = true
    this.#options.launcher().forgetStarted()
    await this.#reconnect()
    if (this.#isClosed) return
    this.#isLost = false
    await this.#options.onReplaced()
  }

  /** Tries until a shim runs: without a shim, no process can start and pipes fill up. */
  async #reconnect(): Promise<void> {
    for (let attempt = 1; !this.#isClosed; attempt++) {
      try {
        return await this.#connect()
      } catch (error) {
        const message = `a shim cannot be started: ${(error as Error).message}`
        if (attempt === 1) this.#options.write({ type: 'note', message })
        await new Promise((settle) => setTimeout(settle, RETRY_MS))
      }
    }
  }
}
