import { chmodSync, openSync, rmSync } from 'node:fs'
import { runsToCompletion } from '../core/completion.ts'
import type { ActionRequest, ActionResult, InstanceStatus, ProcessEvent, Why } from '../control/protocol.ts'
import { VERBS } from '../control/protocol.ts'
import { type Controlled, createApi, listen, type Refusal } from '../control/server.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import type { PlannedProject } from '../plan/plan.ts'
import { isDictionary } from '../core/values.ts'
import { act, ActionError, down } from './actions.ts'
import { apply } from './apply.ts'
import { findMistake } from './application-shape.ts'
import { compressRotated } from './compress.ts'
import type { ManagedProcess } from './process/managed.ts'
import type { InstanceState } from './process/state.ts'
import { currentsOf, hasProcess, phaseOf, processStatus } from './process/views.ts'
import { lastOwnLines } from './own-frames.ts'
import type { Application } from './spec.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'

/** When `up` itself ends: with the first that failed, with the first that ended, or when it is told to. */
export type ExitOn = 'failure' | 'any' | 'never'

interface HostOptions extends SupervisorOptions {
  readonly exitOn: ExitOn
  /** Ends when nothing is left that runs, or may run again. */
  readonly endWhenIdle: boolean
}

/** Of a project whose settings are still being read. */
export const blankProject = (root: string, python: string): PlannedProject => ({
  root,
  settings: null,
  python: { path: python, version: '', reason: '' },
  config: null,
})

/** A supervisor with its control socket, in this process. */
export interface Host {
  readonly supervisor: Supervisor
  readonly apply: (application: Application) => Promise<ActionResult>
  readonly subscribe: (listener: (event: ProcessEvent) => void) => () => void
  /** Stops everything, then ends; asked again, kills at once. */
  readonly stop: () => void
  /** The exit code, once it has ended. */
  readonly ended: Promise<number>
  /** Ends with everything left running; where nothing was started, its keeper has ended as well when this resolves. */
  readonly abandon: () => Promise<void>
}

/**
 * Begins to supervise: nothing runs yet.
 *
 * @throws {KeeperBusyError} when another supervisor does.
 */
export async function createHost(options: HostOptions): Promise<Host> {
  const supervisor = new Supervisor(options)
  await supervisor.open()
  supervisor.onRotated(compressRotated(supervisor))
  const { promise: ended, resolve: end } = Promise.withResolvers<number>()
  let stopping: Promise<ActionResult> | undefined
  let worst: ExitCode = EXIT.done

  const finish = (code: number): void => {
    if (supervisor.closing) return
    socket.close()
    rmSync(path, { force: true })
    void supervisor.quit().then(() => end(code))
  }
  const stopAll = (force: boolean): Promise<ActionResult> => {
    if (stopping && !force) return stopping
    stopping = down(supervisor, force)
    // Who asked for it is answered first.
    void stopping.then(({ exitCode }) => setImmediate(() => finish(exitCode || worst)))
    return stopping
  }
  const refuseWhileStopping = (): void => {
    if (stopping) throw new ActionError('Everything is being stopped.', EXIT.refused, 'Afterwards: prodserver up -d')
  }
  // One declaration after the other: what one has begun, a release for one, must not be begun anew by the next.
  let applying: Promise<unknown> = Promise.resolve()
  let inTurn = 0
  const applyInTurn = (application: Application): Promise<ActionResult> => {
    refuseWhileStopping()
    if (inTurn++ > 0) supervisor.write({ type: 'note', message: 'another `up` is under way; this one follows it' })
    const result = applying.then(() => {
      refuseWhileStopping()
      return apply(supervisor, application)
    })
    applying = result
      .catch(() => {})
      .finally(() => {
        inTurn--
        endBy(idleReason)
      })
    return result
  }
  const endBy = (reasonOf: (supervisor: Supervisor) => Reason | null): void => {
    if (stopping) return
    const reason = reasonOf(supervisor)
    if (!reason) return
    worst = reason.code
    supervisor.write({ type: 'note', message: reason.message })
    void stopAll(false)
  }
  // What a declaration has begun is not idle, though nothing of it may run yet.
  const idleReason = (): Reason | null => (options.endWhenIdle && inTurn === 0 ? whenIdle(supervisor) : null)
  const controlled: Controlled = {
    snapshot: (wanted) => supervisor.snapshot(wanted),
    set: () => supervisor.set,
    why: (id) => explain(supervisor, id),
    act: (body) => {
      const request = checkRequest(body)
      if (request.verb === 'down') return stopAll(request.force === true)
      refuseWhileStopping()
      return act(supervisor, request)
    },
    apply: (body) => {
      const mistake = findMistake(body)
      if (mistake !== null)
        throw new ActionError(`This is no declaration: ${mistake} is not as it should be.`, EXIT.usage)
      return applyInTurn(body as Application)
    },
    subscribe: supervisor.journal.subscribe,
  }
  // Through the folder itself: somebody may remove it, and begin anew in another one of that name. It is short as well.
  const path = `/proc/self/fd/${openSync(options.stateDir, 'r')}/${SOCKET_NAME}`
  // We have the keeper, so whoever left it there has gone.
  rmSync(path, { force: true })
  const socket = await listen(path, createApi(controlled, refusalOf))
  chmodSync(path, 0o600)

  supervisor.journal.subscribe((event) => {
    // Not before what led to it is over: more may come of it.
    queueMicrotask(() => {
      endBy(() => endsBy(supervisor, event, options))
      if (['failed', 'done', 'stopped'].includes(event.type)) endBy(idleReason)
    })
  })
  return {
    supervisor,
    apply: controlled.apply,
    subscribe: controlled.subscribe,
    stop: () => void stopAll(stopping !== undefined),
    ended,
    abandon: async () => {
      socket.close()
      const isUnused = supervisor.keeper.isNew && !supervisor.instances().some(({ state }) => state.invocation !== null)
      if (isUnused) await supervisor.quit()
      else supervisor.leave()
    },
  }
}

const SOCKET_NAME = 'control.sock'

/** Why it all ends. */
interface Reason {
  readonly code: ExitCode
  readonly message: string
}

/** Returns why an event ends everything; null if it does not. */
function endsBy(supervisor: Supervisor, event: ProcessEvent, { exitOn }: HostOptions): Reason | null {
  const state = event.process === null ? undefined : supervisor.processes.get(event.process)?.state
  // A scheduled process has its next run.
  if (event.type === 'failed' && exitOn !== 'never' && !state?.spec.schedule)
    return {
      code: EXIT.failed,
      message: `${event.instance} failed: everything is stopped, as --exit-on=${exitOn} says`,
    }
  const isService = state !== undefined && !runsToCompletion(state.spec) && state.desired === 'running' && !state.reload
  if (event.type === 'exited' && exitOn === 'any' && isService)
    return {
      code: event.exit?.code === 0 ? EXIT.done : EXIT.failed,
      message: `${event.instance} ended: everything is stopped, as --exit-on=any says`,
    }
  return null
}

/** Returns why the supervisor ends: no process runs, and none will start. */
function whenIdle(supervisor: Supervisor): Reason | null {
  if ([...supervisor.processes.values()].some((managed) => canGoOn(supervisor, managed))) return null
  const hasFailed = supervisor.instances().some(({ state }) => phaseOf(state) === 'failed')
  return { code: hasFailed ? EXIT.failed : EXIT.done, message: 'nothing is left that runs' }
}

function canGoOn(supervisor: Supervisor, managed: ManagedProcess): boolean {
  const { state } = managed
  if (state.desired === 'stopped') return false
  if (state.spec.schedule !== null) return true
  const canStart = (instance: InstanceState): boolean =>
    phaseOf(instance) === 'backoff' || (phaseOf(instance) === 'waiting' && supervisor.blockedBy(managed).length === 0)
  return currentsOf(state).some((instance) => hasProcess(instance) || canStart(instance))
}

function wrong(what: string): never {
  throw new ActionError(what, EXIT.usage)
}

function checkRequest(body: unknown): ActionRequest {
  if (!isDictionary(body)) wrong('An action is an object.')
  const { verb, targets = [], counts = {}, force } = body as Record<string, unknown>
  if (!VERBS.includes(verb as (typeof VERBS)[number]))
    wrong(`There is no verb ${JSON.stringify(verb)}; there are ${VERBS.join(', ')}.`)
  if (!Array.isArray(targets) || targets.some((target) => typeof target !== 'string'))
    wrong('targets is a list of strings.')
  if (!isDictionary(counts)) wrong('counts is an object.')
  return {
    verb: verb as ActionRequest['verb'],
    targets: targets as string[],
    counts: Object.fromEntries(
      Object.entries(counts as Record<string, unknown>).map(([name, count]) => [name, String(count)]),
    ),
    force: force === true,
  }
}

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

function explain(supervisor: Supervisor, id: string): Why | undefined {
  const managed = [...supervisor.processes.values()].find(
    ({ name, currents }) => name === id || currents.some((one) => one.id === id),
  )
  const instance = managed?.currents.find((one) => one.id === id) ?? managed?.currents[0]
  if (!managed || !instance) return undefined
  const { spec, desired } = managed.state
  const status = processStatus(managed.state).instances.find((one) => one.instance === instance.id)
  if (!status) return undefined
  const { exits, machine } = instance.state
  const { failures } = machine.history
  return {
    status,
    wanted: desired,
    attempt: failures > 0 ? { number: failures, limit: spec.restart.limit } : null,
    recentExits: exits,
    lastLines: lastOwnLines(supervisor.lastLines(instance.id, machine.number)),
    hint: hintFor(status, supervisor.blockedBy(managed)),
  }
}

/** Returns the next thing to type. */
function hintFor({ state, process, instance }: InstanceStatus, blockers: readonly string[]): string | null {
  if (state === 'failed') return `Correct it, then: prodserver start ${process}`
  if (state === 'backoff') return `To try at once: prodserver restart ${instance}`
  if (state === 'stopped') return `prodserver start ${process}`
  return state === 'waiting' && blockers.length > 0 ? `Look: prodserver why ${blockers[0]}` : null
}
