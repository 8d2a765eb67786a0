import { constants } from 'node:os'
import { resolve } from 'node:path'
import { hasEphemeralPort, parseAddress, printAddress } from '../../core/addresses.ts'
import type { BindResult, Shim } from '../shim/client.ts'
import type { StartFailure } from '../shim/messages.ts'
import { canaryAddressOf } from './launch.ts'
import { describeHolder, holderOf } from '../procfs/port-holder.ts'
import type { ProcessSpec } from '../spec.ts'
import type { InstanceState, Invocation } from './state.ts'

type Holder = Pick<Shim, 'bind' | 'close' | 'sockets'>

/**
 * The listening sockets that the shim holds: one for each address of a process, shared by all of its lives, one for
 * each address of a life that is only tried, and one on which a life is probed.
 */
export class Sockets {
  readonly #shim: () => Holder
  readonly #stateDir: string
  readonly #bound = new Map<string, Promise<BindResult>>()

  /** @param shim Another one comes where it is lost. */
  constructor(shim: () => Holder, stateDir: string) {
    this.#shim = shim
    this.#stateDir = stateDir
  }

  /** Opens what a life needs; the names of it, in the order of its descriptors, or why it cannot be had. */
  async open(
    { spec, isCanary }: InstanceState,
    { token }: Invocation,
    probeAddress: string,
  ): Promise<readonly string[] | StartFailure> {
    const listening = spec.inherited?.listening ?? false
    const wanted = spec.listen.map((address, index) =>
      isCanary
        ? { name: canaryName(token, index), address: canaryAddressOf(this.#stateDir, token, index) }
        : { name: socketName(spec, address), address: absolute(address, spec.cwd) },
    )
    const results = await Promise.all([
      ...wanted.map(({ name, address }) => this.#bindOnce(name, address, listening)),
      this.#shim().bind(probeName(token), probeAddress, listening),
    ])
    const names = wanted.map(({ name }) => name)
    const failed = results.findIndex((result) => 'errno' in result)
    if (failed < 0) return [...names, probeName(token)]
    // The next attempt asks again.
    for (const name of names) this.#bound.delete(name)
    const { errno, message } = results[failed] as Extract<BindResult, { errno: number }>
    const address = spec.listen[failed] ?? probeAddress
    const holder = errno === constants.errno.EADDRINUSE ? holderOf(absolute(address, spec.cwd)) : null
    return { errno, message: holder ? describeHolder(holder) : message, what: `address ${address}` }
  }

  /** Has them held by a shim that came later: of the one before it, only the programs have them now. */
  hold(spec: ProcessSpec): void {
    if (spec.inherited === null) return
    for (const address of spec.listen) {
      const name = socketName(spec, address)
      const bound = this.#bindOnce(name, absolute(address, spec.cwd), spec.inherited.listening)
      void bound.then((result) => 'errno' in result && this.#bound.delete(name))
    }
  }

  /** Closes those of a process, but for these addresses. */
  close(spec: ProcessSpec, kept: readonly string[] = []): void {
    for (const address of spec.listen) if (!kept.includes(address)) this.#close(socketName(spec, address))
  }

  /** Closes those that one life had for itself. */
  closeInvocation(token: string, addresses: number): void {
    this.#shim().close(probeName(token))
    // A supervisor that came later does not know which one was a canary.
    for (let index = 0; index < addresses; index++) this.#close(canaryName(token, index))
  }

  /** Closes those whose process, or life, is not known any more. */
  closeForgotten(isKnown: (owner: string) => boolean): void {
    for (const name of this.#shim().sockets.keys())
      if (!isKnown(name.slice(0, name.indexOf('/')))) this.#shim().close(name)
  }

  /** The shim that held them has gone. */
  forget(): void {
    this.#bound.clear()
  }

  #close(name: string): void {
    this.#bound.delete(name)
    this.#shim().close(name)
  }

  #bindOnce(name: string, address: string, listening: boolean): Promise<BindResult> {
    const bound = this.#bound.get(name) ?? this.#shim().bind(name, address, listening)
    this.#bound.set(name, bound)
    return bound
  }
}

/**
 * Who opens an address by itself and finds it taken may go on without it, and its probe would be answered by whoever has
 * it. Null where nobody has it but others of ours.
 */
export function takenAddress({ listen, cwd }: ProcessSpec, isOurs: (pid: number) => boolean): StartFailure | null {
  for (const address of listen) {
    const holder = hasEphemeralPort(address) ? null : holderOf(absolute(address, cwd))
    if (!holder || (holder.pid !== null && isOurs(holder.pid))) continue
    return { errno: constants.errno.EADDRINUSE, message: describeHolder(holder), what: `address ${address}` }
  }
  return null
}

/** A path of a socket is the program's, and the shim is elsewhere. */
function absolute(text: string, cwd: string): string {
  const address = parseAddress(text)
  return 'path' in address ? printAddress({ path: resolve(cwd, address.path) }) : text
}

const socketName = ({ name }: ProcessSpec, address: string): string => `${name}/${address}`
const canaryName = (token: string, index: number): string => `${token}/trial-${index}`
const probeName = (token: string): string => `${token}/probe`
