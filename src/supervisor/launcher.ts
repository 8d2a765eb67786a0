import { constants } from 'node:os'
import type { Exit } from '../control/protocol.ts'
import type { Instance } from './process/instance.ts'
import { probeAddressOf, startOf } from './process/launch.ts'
import { pipeOf } from './process/names.ts'
import type { Sockets } from './process/sockets.ts'
import { takenAddress } from './process/sockets.ts'
import type { Invocation } from './process/state.ts'
import { MARK, markOf } from './procfs/descendant-cleanup.ts'
import { isSameProcess, readEnvironMark } from './procfs/process-table.ts'
import type { Shim } from './shim/client.ts'
import type { StartFailure } from './shim/messages.ts'
import type { ProcessSpec } from './spec.ts'

interface LauncherOptions {
  readonly stateDir: string
  /** Names the state directory in instance tags. */
  readonly place: string
  readonly root: () => string
  readonly shim: () => Shim
  readonly isShimLost: () => boolean
  readonly sockets: Sockets
  /** Writes the state file, so that an invocation number is on disk before its program starts. */
  readonly saveNow: () => void
}

/** Starts programs through the shim, and passes the shim's reports to their instances. */
export class Launcher {
  readonly #options: LauncherOptions
  readonly #byToken = new Map<string, Instance>()
  /** Pids of main processes. */
  readonly #mains = new Set<number>()
  /** Tokens of invocations that this shim started, so their orphans become its children. */
  readonly #started = new Set<string>()
  #unsent: (() => void)[] = []

  constructor(options: LauncherOptions) {
    this.#options = options
  }

  isMain = (pid: number): boolean => this.#mains.has(pid)
  isStarted = (token: string): boolean => this.#started.has(token)
  isKnown = (token: string): boolean => this.#byToken.has(token)

  probeAddressOf = ({ inherited, listen }: ProcessSpec, token: string): string | null =>
    inherited !== null && listen.length > 0 ? probeAddressOf(this.#options.stateDir, token) : null

  launch = (instance: Instance, invocation: Invocation): void => {
    const { token, probeAddress } = invocation
    this.#byToken.set(token, instance)
    this.#started.add(token)
    this.setLog(instance)
    if (probeAddress === null) this.#start(instance, invocation, [])
    else void this.#startWithSockets(instance, invocation, probeAddress)
  }

  /** Routes the shim's reports about an invocation to the instance that took it over. */
  adopt = (instance: Instance, { token, pid, startTicks, number }: Invocation, isKept: boolean): void => {
    this.#byToken.set(token, instance)
    this.setLog(instance)
    if (pid === null) return
    this.#mains.add(pid)
    const { id } = instance
    if (isKept) return
    this.#options
      .shim()
      .adopt({ token, pid, startTicks, instance: id, invocation: number }, pipeOf(this.#options.stateDir, id, number))
  }

  ended = ({ token, probeAddress }: Invocation, addresses: number): void => {
    this.#byToken.delete(token)
    this.#started.delete(token)
    this.#options.shim().forget(token)
    if (probeAddress !== null) this.#options.sockets.closeInvocation(token, addresses)
  }

  /** Forgets what was started through a shim that is gone. */
  forgetStarted(): void {
    this.#started.clear()
  }

  setLog({ id, state }: Instance): void {
    this.#options.shim().log(id, state.spec.log)
  }

  signal = ({ token, pid, startTicks }: Invocation, signal: NodeJS.Signals): void => {
    if (!this.#options.isShimLost()) return this.#options.shim().signal(token, signal)
    if (pid === null || !isSameProcess(pid, startTicks)) return
    try {
      process.kill(pid, signal)
    } catch {
      // The process exited meanwhile; the next shim reports it.
    }
  }

  onSpawned(token: string, pid: number, startTicks: number): void {
    this.#mains.add(pid)
    this.#find(token)?.spawned(pid, startTicks)
  }

  onFailed(token: string, failure: StartFailure): void {
    this.#find(token)?.spawnFailed(failure)
  }

  onExited(token: string, exit: Exit): void {
    const instance = this.#find(token)
    const pid = instance?.state.invocation?.pid
    if (pid) this.#mains.delete(pid)
    if (instance) instance.exited(exit)
    else this.#options.shim().forget(token)
  }

  /** Returns the instance whose current invocation has the token. */
  #find(token: string): Instance | undefined {
    const instance = this.#byToken.get(token)
    return instance?.state.invocation?.token === token ? instance : undefined
  }

  async #startWithSockets(instance: Instance, invocation: Invocation, probeAddress: string): Promise<void> {
    const opened = await this.#options.sockets.open(instance.state, invocation, probeAddress)
    if ('errno' in opened) instance.spawnFailed(opened)
    else this.#start(instance, invocation, opened)
  }

  #start(instance: Instance, { token, number }: Invocation, sockets: readonly string[]): void {
    const { spec } = instance.state
    const taken = sockets.length === 0 ? takenAddress(spec, this.#isOwn) : null
    if (taken) return queueMicrotask(() => instance.spawnFailed(taken))
    this.#send(() => {
      // The shim may have been lost meanwhile.
      if (instance.state.invocation?.token !== token) return
      const { root, place, shim } = this.#options
      const { notifySocket } = shim()
      try {
        const given = { spec, instance: instance.id, run: number, token, sockets, root: root(), place, notifySocket }
        shim().start(startOf(given))
      } catch (error) {
        instance.spawnFailed({ errno: 0, message: (error as Error).message, what: 'start' })
      }
    })
  }

  #isOwn = (pid: number): boolean => readEnvironMark(pid, MARK)?.startsWith(markOf(this.#options.place, '')) === true

  /** Sends a start once the state file is written. Starts of one turn share one write. */
  #send(start: () => void): void {
    this.#unsent.push(start)
    if (this.#unsent.length > 1) return
    queueMicrotask(() => {
      const unsent = this.#unsent
      this.#unsent = []
      this.#options.saveNow()
      for (const each of unsent) each()
    })
  }
}

/** Failure of a start that the shim did not answer before it was lost. */
export const SHIM_LOST: StartFailure = {
  errno: constants.errno.EAGAIN,
  message: 'EAGAIN: the shim has gone',
  what: 'start',
}
