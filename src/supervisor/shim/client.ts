import { constants } from 'node:os'
import type { Socket } from 'node:net'
import type { Exit } from '../../control/protocol.ts'
import {
  type Commands,
  type HeldInvocation,
  type LogReply,
  PROTOCOL,
  type Reply,
  type Start,
  type StartFailure,
  type SystemError,
  type Welcome,
} from './messages.ts'
import { decodeStatus } from './wait-status.ts'
import { createUnpacker, pack, type Value, WireError } from './wire.ts'

/** Handlers for the messages of the shim. */
export interface ShimEvents {
  readonly onSpawned: (token: string, pid: number, startTicks: number) => void
  readonly onFailed: (token: string, failure: StartFailure) => void
  readonly onExited: (token: string, exit: Exit) => void
  readonly onNotify: (notification: { pid: number; session: number; text: string }) => void
  readonly onLog: (reply: LogReply) => void
  /** The shim has ended. Its programs may go on. */
  readonly onLost: () => void
}

export type BindResult = { readonly address: string } | SystemError

/** Another supervisor is connected to the shim. */
export class ShimBusyError extends Error {
  override readonly name = 'ShimBusyError'
}

/** The running shim uses another version of the protocol. */
export class ShimProtocolError extends Error {
  override readonly name = 'ShimProtocolError'
  readonly pid: number

  constructor({ protocol, pid }: Welcome) {
    super(`the shim uses version ${protocol} of the protocol, not ${PROTOCOL}`)
    this.pid = pid
  }
}

/** A connection to the shim. */
export class Shim {
  readonly pid: number
  /** Whether this supervisor started the shim: it holds nothing from before. */
  readonly isNew: boolean
  /** Value of NOTIFY_SOCKET for programs; empty if that is not possible. */
  readonly notifySocket: string
  readonly invocations: readonly HeldInvocation[]
  /** Address of each socket that the shim held at the start, by its name. */
  readonly sockets: ReadonlyMap<string, string>
  readonly #socket: Socket
  readonly #events: ShimEvents
  readonly #binds = new Map<string, (result: BindResult) => void>()
  readonly #closed = Promise.withResolvers<void>()
  /** Messages that arrive before `listen` is called. */
  #early: Reply[] | null = []
  #isLeaving = false

  constructor(socket: Socket, welcome: Welcome, isNew: boolean, events: ShimEvents) {
    this.#socket = socket
    this.#events = events
    this.isNew = isNew
    this.pid = welcome.pid
    this.notifySocket = welcome.notifySocket
    this.invocations = welcome.invocations
    this.sockets = new Map(Object.entries(welcome.sockets))
  }

  /** Lets the handlers be called from now on; earlier messages have waited for that. */
  listen(): void {
    const early = this.#early ?? []
    this.#early = null
    for (const reply of early) this.#handle(reply)
  }

  start(start: Start): void {
    this.#send('spawn', start)
  }

  signal(token: string, signal: NodeJS.Signals): void {
    this.#send('signal', { token, signal: constants.signals[signal] })
  }

  /** Lets the shim forget an invocation whose end is known. */
  forget(token: string): void {
    this.#send('forget', { token })
  }

  /** Makes the shim take over a program that an earlier shim started. */
  adopt(invocation: HeldInvocation, pipe: string): void {
    this.#send('adopt', { ...invocation, pipe })
  }

  log(instance: string, { maxSizeBytes, keep }: { maxSizeBytes: number; keep: number }): void {
    this.#send('log', { instance, maxSizeBytes, keep })
  }

  /** Binds a socket. The address that was bound has the port that the system chose. */
  bind(name: string, address: string, listen: boolean): Promise<BindResult> {
    const { promise, resolve } = Promise.withResolvers<BindResult>()
    this.#binds.set(name, resolve)
    this.#send('bind', { name, address, listen })
    return promise
  }

  close(name: string): void {
    this.#send('close', { name })
  }

  /** Sends a message to the service manager that started the supervisor. */
  announce(socket: string, text: string): void {
    this.#send('announce', { socket, text })
  }

  /** Ends the shim. Resolves when it has ended. */
  quit(): Promise<void> {
    this.#isLeaving = true
    this.#send('quit', {})
    this.#socket.end()
    return this.#closed.promise
  }

  /** Disconnects. The shim goes on with everything that it holds. */
  leave(): void {
    this.#isLeaving = true
    this.#socket.destroy()
  }

  /** Takes a message. The owner of the socket calls it. */
  receive(reply: Reply): void {
    const isAnswer = reply.type === 'bound' || reply.type === 'not-bound'
    if (this.#early && !isAnswer) this.#early.push(reply)
    else this.#handle(reply)
  }

  /** Handles the end of the connection. The owner of the socket calls it. */
  disconnected(): void {
    this.#closed.resolve()
    for (const name of this.#binds.keys())
      this.#answer(name, { errno: constants.errno.EAGAIN, message: 'EAGAIN: the shim has gone' })
    if (!this.#isLeaving) this.#events.onLost()
  }

  #send<Type extends keyof Commands>(type: Type, fields: Commands[Type]): void {
    this.#socket.write(pack({ type, ...(fields as Readonly<Record<string, Value | null>>) }))
  }

  #answer(name: string, result: BindResult): void {
    this.#binds.get(name)?.(result)
    this.#binds.delete(name)
  }

  #handle(reply: Reply): void {
    switch (reply.type) {
      case 'spawned':
        return this.#events.onSpawned(reply.token, reply.pid, reply.startTicks)
      case 'failed':
        return this.#events.onFailed(reply.token, reply)
      case 'exited':
        return this.#events.onExited(reply.token, decodeStatus(reply.status))
      case 'notified':
        return this.#events.onNotify(reply)
      case 'bound':
        return this.#answer(reply.name, { address: reply.address })
      case 'not-bound':
        return this.#answer(reply.name, { errno: reply.errno, message: reply.message })
      case 'log-full':
      case 'log-error':
      case 'log-lost':
      case 'rotated':
        return this.#events.onLog(reply)
      case 'busy':
      case 'welcome':
        return
      default:
        reply satisfies never
    }
  }
}

/**
 * Greets a shim, and resolves when it has answered.
 *
 * @throws {ShimBusyError} when another supervisor is connected to it.
 * @throws {ShimProtocolError} when it uses another version of the protocol.
 */
export function greet(socket: Socket, events: ShimEvents, isNew: boolean): Promise<Shim> {
  const { promise, resolve, reject } = Promise.withResolvers<Shim>()
  let shim: Shim | undefined
  const refuse = (error: Error): void => {
    reject(error)
    socket.destroy()
  }
  const unpacker = createUnpacker((fields) => {
    // The program on the other side is this package's own, and its protocol is compared first.
    const reply = fields as unknown as Reply
    if (shim) return shim.receive(reply)
    if (reply.type === 'busy') return refuse(new ShimBusyError())
    if (reply.type !== 'welcome') return
    if (reply.protocol !== PROTOCOL) return refuse(new ShimProtocolError(reply))
    shim = new Shim(socket, reply, isNew, events)
    resolve(shim)
  })
  socket.on('data', (chunk) => {
    try {
      unpacker(chunk)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      socket.destroy()
    }
  })
  socket.on('error', () => {})
  socket.once('close', () => {
    if (shim) shim.disconnected()
    else reject(new Error('the shim ended before it answered'))
  })
  socket.write(pack({ type: 'hello', protocol: PROTOCOL }))
  return promise
}
