import { chmodSync, openSync, rmSync } from 'node:fs'
import type { ActionRequest, ActionResult, ProcessEvent, Why } from '../control/protocol.ts'
import { VERBS } from '../control/protocol.ts'
import { type Controlled, createApi, listen, type Refusal } from '../control/server.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import type { PlannedProject } from '../plan/plan.ts'
import { isDictionary } from '../core/values.ts'
import { act, ActionError, down } from './actions.ts'
import { apply } from './apply.ts'
import { findMistake } from './check-application.ts'
import { compressRotated } from './compress.ts'
import { completes } from './process/managed.ts'
import { lastOwnLines } from './own-frames.ts'
import type { Application } from './spec.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'

/** When `up` itself ends: with the first that failed, with the first that ended, or when it is told to. */
export type ExitOn = 'failure' | 'any' | 'never'

export interface HostOptions extends SupervisorOptions {
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
  supervisor.onRotated = compressRotated(supervisor)
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
      const isUnused = supervisor.keeper.isNew && !supervisor.instances().some(({ life }) => life !== null)
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

/** Whether an event ends it all. */
function endsBy(supervisor: Supervisor, event: ProcessEvent, { exitOn }: HostOptions): Reason | null {
  const managed = event.process === null ? undefined : supervisor.processes.get(event.process)
  const isService = managed !== undefined && !completes(managed.spec)
  // What runs at certain times has its next one.
  if (event.type === 'failed' && exitOn !== 'never' && !managed?.spec.schedule)
    return {
      code: EXIT.failed,
      message: `${event.instance} failed: everything is stopped, as --exit-on=${exitOn} says`,
    }
  if (event.type === 'exited' && exitOn === 'any' && isService && managed.wanted === 'running' && !managed.reloading)
    return {
      code: event.exit?.code === 0 ? EXIT.done : EXIT.failed,
      message: `${event.instance} ended: everything is stopped, as --exit-on=any says`,
    }
  return null
}

/** Nothing runs, and nothing will by itself. */
function whenIdle(supervisor: Supervisor): Reason | null {
  const all = [...supervisor.processes.values()]
  const canGoOn = (one: (typeof all)[number]): boolean =>
    one.wanted === 'running' &&
    (one.spec.schedule !== null ||
      one.slots.some(
        ({ current }) =>
          current.hasProcess ||
          current.phase.is === 'backoff' ||
          (current.phase.is === 'waiting' && supervisor.blockedBy(one).length === 0),
      ))
  if (all.some(canGoOn)) return null
  const hasFailed = supervisor.instances().some(({ phase }) => phase.is === 'failed')
  return { code: hasFailed ? EXIT.failed : EXIT.done, message: 'nothing is left that runs' }
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
  const all = [...supervisor.processes.values()]
  const managed = all.find(({ spec, slots }) => spec.name === id || slots.some(({ current }) => current.id === id))
  const instance =
    managed?.slots.map(({ current }) => current).find((one) => one.id === id) ?? managed?.slots[0]?.current
  if (!managed || !instance) return undefined
  const status = supervisor
    .snapshot()
    .processes.find(({ process }) => process === managed.spec.name)
    ?.instances.find((one) => one.instance === instance.id)
  if (!status) return undefined
  const { failures, exits, run } = instance
  const blockers = supervisor.blockedBy(managed)
  const hint =
    status.state === 'failed'
      ? `Correct it, then: prodserver start ${managed.spec.name}`
      : status.state === 'backoff'
        ? `To try at once: prodserver restart ${instance.id}`
        : status.state === 'waiting' && blockers.length > 0
          ? `Look: prodserver why ${blockers[0]}`
          : status.state === 'stopped'
            ? `prodserver start ${managed.spec.name}`
            : null
  return {
    status,
    wanted: managed.wanted,
    attempt: failures > 0 ? { number: failures, limit: managed.spec.restart.limit } : null,
    recentExits: exits,
    lastLines: lastOwnLines(supervisor.lastLines(instance.id, run)),
    hint,
  }
}
