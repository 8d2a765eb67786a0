import { chmodSync, openSync, rmSync } from 'node:fs'
import type { ActionResult, ProcessEvent } from '../control/protocol.ts'
import { type Controlled, createApi, listen, type Refusal } from '../control/server.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import type { PlannedProject } from '../plan/plan.ts'
import { act, ActionError, down } from './actions.ts'
import { apply } from './apply.ts'
import { findMistake } from './application-shape.ts'
import { compressRotated } from '../logs/compress.ts'
import { endsBy, type ExitOn, type Reason, whenIdle } from './exit-conditions.ts'
import { parseRequest } from './request.ts'
import type { Application } from './spec.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'
import { explain } from './why.ts'

interface HostOptions extends SupervisorOptions {
  readonly exitOn: ExitOn
  /** End when no process runs, and none will start. */
  readonly endWhenIdle: boolean
}

/** Returns the project whose settings are still being read. */
export const blankProject = (root: string, python: string): PlannedProject => ({
  root,
  settings: null,
  python: { path: python, version: '', reason: '' },
  config: null,
})

/**
 * Starts to supervise. No process runs yet.
 *
 * @throws {ShimBusyError} when another supervisor does.
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const supervisor = new Supervisor(options)
  await supervisor.open()
  const { processes } = supervisor
  const wantsCompression = (name: string): boolean => processes.get(name)?.state.spec.log.compress === true
  supervisor.onRotated(compressRotated(options.stateDir, wantsCompression))
  const host = new Host(supervisor, options)
  await host.listen()
  return host
}

/** A supervisor with its control socket, in this process. */
export class Host {
  readonly supervisor: Supervisor
  /** Resolves with the exit code at the end. */
  readonly ended: Promise<number>
  readonly #options: HostOptions
  readonly #socketPath: string
  readonly #end: (code: number) => void
  #socket: Awaited<ReturnType<typeof listen>> | undefined
  #stopping: Promise<ActionResult> | undefined
  /** Exit code of the reason for which everything ends. */
  #worst: ExitCode = EXIT.done
  /** The declaration that is being applied, and those that follow it. */
  #applying: Promise<unknown> = Promise.resolve()
  #inTurn = 0

  constructor(supervisor: Supervisor, options: HostOptions) {
    this.supervisor = supervisor
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<number>()
    this.ended = promise
    this.#end = resolve
    // Through a descriptor the path is short, and stays right when the folder is moved or removed.
    this.#socketPath = `/proc/self/fd/${openSync(options.stateDir, 'r')}/${SOCKET_NAME}`
  }

  /** Opens the control socket. A socket that is there belongs to an earlier supervisor: this one has the shim. */
  async listen(): Promise<void> {
    rmSync(this.#socketPath, { force: true })
    this.#socket = await listen(this.#socketPath, createApi(this.#controlled(), refusalOf))
    chmodSync(this.#socketPath, 0o600)
    this.supervisor.journal.subscribe((event) => {
      // One event may bring about others, which come first.
      queueMicrotask(() => this.#endAfter(event))
    })
  }

  subscribe = (listener: (event: ProcessEvent) => void): (() => void) => this.supervisor.journal.subscribe(listener)

  /**
   * Brings a declaration into force, after those that came before.
   *
   * @throws {ActionError} if it is no declaration, or everything is being stopped.
   */
  apply = (body: unknown): Promise<ActionResult> => {
    const mistake = findMistake(body)
    if (mistake !== null)
      throw new ActionError(`This is no declaration: ${mistake} is not as it should be.`, EXIT.usage)
    return this.#applyInTurn(body as Application)
  }

  /** Stops everything, then ends. A second call kills. */
  stop = (): void => void this.#stopAll(this.#stopping !== undefined)

  /** Ends with everything left running. If nothing was started, the shim has ended as well when this resolves. */
  async abandon(): Promise<void> {
    const { supervisor } = this
    this.#socket?.close()
    const isUnused = supervisor.shim.isNew && !supervisor.instances().some(({ state }) => state.invocation !== null)
    if (isUnused) await supervisor.quit()
    else supervisor.leave()
  }

  #controlled(): Controlled {
    const { supervisor } = this
    return {
      snapshot: (wanted) => supervisor.snapshot(wanted),
      set: () => supervisor.set,
      why: (id) => explain(supervisor, id),
      act: (body) => this.#act(body),
      apply: this.apply,
      subscribe: this.subscribe,
    }
  }

  #act(body: unknown): Promise<ActionResult> {
    const request = parseRequest(body)
    if (request.verb === 'down') return this.#stopAll(request.force === true)
    this.#refuseWhileStopping()
    return act(this.supervisor, request)
  }

  /** Applies one declaration after the other, so that none repeats what an earlier one has begun. */
  #applyInTurn(application: Application): Promise<ActionResult> {
    this.#refuseWhileStopping()
    const message = 'another `up` is under way; this one follows it'
    if (this.#inTurn++ > 0) this.supervisor.write({ type: 'note', message })
    const result = this.#applying.then(() => {
      this.#refuseWhileStopping()
      return apply(this.supervisor, application)
    })
    this.#applying = result
      .catch(() => {})
      .finally(() => {
        this.#inTurn--
        this.#endWhenIdle()
      })
    return result
  }

  #refuseWhileStopping(): void {
    if (this.#stopping)
      throw new ActionError('Everything is being stopped.', EXIT.refused, 'Afterwards: prodserver up -d')
  }

  #stopAll(force: boolean): Promise<ActionResult> {
    if (this.#stopping && !force) return this.#stopping
    this.#stopping = down(this.supervisor, force)
    // The client that asked gets its answer first.
    void this.#stopping.then(({ exitCode }) => setImmediate(() => this.#finish(exitCode || this.#worst)))
    return this.#stopping
  }

  #finish(code: number): void {
    if (this.supervisor.closing) return
    this.#socket?.close()
    rmSync(this.#socketPath, { force: true })
    void this.supervisor.quit().then(() => this.#end(code))
  }

  #endAfter(event: ProcessEvent): void {
    this.#endBy(endsBy(this.supervisor, event, this.#options.exitOn))
    if (['failed', 'done', 'stopped'].includes(event.type)) this.#endWhenIdle()
  }

  /** Ends if nothing runs. A declaration that is being applied may not have started anything yet. */
  #endWhenIdle(): void {
    if (this.#options.endWhenIdle && this.#inTurn === 0) this.#endBy(whenIdle(this.supervisor))
  }

  #endBy(reason: Reason | null): void {
    if (this.#stopping || !reason) return
    this.#worst = reason.code
    this.supervisor.write({ type: 'note', message: reason.message })
    void this.#stopAll(false)
  }
}

const SOCKET_NAME = 'control.sock'

function refusalOf(error: unknown): Refusal {
  if (error instanceof ActionError) {
    const { message, exitCode, hint } = error
    return { status: exitCode === EXIT.usage ? 400 : 409, error: { error: message, exitCode, hint } }
  }
  return {
    status: 500,
    error: { error: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: EXIT.bug },
  }
}
