import { runsToCompletion } from '../core/completion.ts'
import { printElapsed } from '../core/durations.ts'
import type { ActionChange, ActionRequest, ActionResult } from '../control/protocol.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import { select, singleInstances } from '../core/selectors.ts'
import type { Instance } from './process/instance.ts'
import type { ManagedProcess } from './process/managed.ts'
import { reloadsUnseen } from '../core/reload-strategy.ts'
import type { InstanceState, ReloadOutcome } from './process/state.ts'
import { currentsOf, hasProcess, instancesIn, isDone, isFailing, isMoving, phaseOf, reasonOf } from './process/views.ts'
import type { ProcessSpec } from './spec.ts'
import type { Supervisor } from './supervisor.ts'

/** An unknown name or an impossible request, found before any change. */
export class ActionError extends Error {
  override readonly name = 'ActionError'
  readonly exitCode: ExitCode
  readonly hint: string | undefined

  constructor(message: string, exitCode: ExitCode, hint?: string) {
    super(message)
    this.exitCode = exitCode
    this.hint = hint
  }
}

/**
 * Carries out a command, and resolves when it is done.
 *
 * @throws {ActionError} before anything is changed, if it cannot be done.
 */
export function act(supervisor: Supervisor, request: ActionRequest): Promise<ActionResult> {
  const { verb, targets, force = false } = request
  const selection = verb === 'scale' || verb === 'down' ? NOTHING : find(supervisor, targets)
  switch (verb) {
    case 'start':
      return startAll(
        supervisor,
        withoutJobs(selection, targets, ({ state }) => isDone(state)),
      )
    case 'stop':
      return stopAll(supervisor, selection, force)
    case 'restart':
      return restartAll(
        supervisor,
        withoutJobs(selection, targets, ({ state }) => runsToCompletion(state.spec)),
      )
    case 'reload':
      return reloadAll(supervisor, selection)
    case 'scale':
      return scale(supervisor, request.counts ?? {})
    case 'down':
      return down(supervisor, force)
    default:
      return verb satisfies never
  }
}

const NOTHING: Selection = { processes: [], instances: [] }

/** The processes and the single instances that an action is for. */
interface Selection {
  readonly processes: readonly ManagedProcess[]
  readonly instances: readonly Instance[]
}

function find({ processes }: Supervisor, targets: readonly string[]): Selection {
  const all = [...processes.values()]
  const currents = all.flatMap((managed) => managed.currents)
  const known = all.map(({ name, state, currents: own }) => {
    return { process: name, kind: state.spec.kind, instances: own.map(({ id }) => id) }
  })
  const found = select(targets, known)
  if ('unknown' in found) throw new ActionError(found.message, EXIT.usage, found.hint)
  return {
    processes: found.processes.flatMap((name) => processes.get(name) ?? []),
    instances: found.instances.flatMap((id) => currents.find((instance) => instance.id === id) ?? []),
  }
}

/** Leaves jobs out unless they were named: a migration does not run again because services do. */
const withoutJobs = (
  { processes, instances }: Selection,
  targets: readonly string[],
  isJob: (managed: ManagedProcess) => boolean,
): Selection => ({ instances, processes: targets.length > 0 ? processes : processes.filter((each) => !isJob(each)) })

/** Returns the current instances of a selection. */
const members = ({ processes, instances }: Selection): readonly Instance[] => [
  ...processes.flatMap(({ currents }) => currents),
  ...instances,
]

async function startAll(supervisor: Supervisor, selection: Selection): Promise<ActionResult> {
  const chosen = members(selection)
  const planned = selection.processes.filter(({ state }) => state.spec.schedule !== null && state.desired === 'running')
  const running = new Set([
    ...chosen.filter(({ state }) => phaseOf(state) === 'running').map(({ id }) => id),
    ...planned.flatMap(({ currents }) => currents).map(({ id }) => id),
  ])
  for (const managed of withDependencies(supervisor, selection.processes)) managed.dispatch({ type: 'start' })
  for (const instance of selection.instances) instance.start()
  supervisor.lookAgain()
  // A scheduled process may run just now; the command does not wait for its end.
  await settled(
    supervisor,
    chosen.filter(({ state }) => state.spec.schedule === null),
  )
  return summary(chosen, (instance) => (running.has(instance.id) ? 'unchanged' : 'started'))
}

const processesOf = (supervisor: Supervisor, instances: readonly Instance[]): ReadonlySet<ManagedProcess> =>
  new Set(instances.flatMap(({ state }) => supervisor.processes.get(state.spec.name) ?? []))

/** Returns processes with everything that they depend on, dependencies first. */
export function withDependencies(
  { processes }: Pick<Supervisor, 'processes'>,
  chosen: readonly ManagedProcess[],
): ReadonlySet<ManagedProcess> {
  const found = new Set<ManagedProcess>()
  const visit = (managed: ManagedProcess): void => {
    if (found.has(managed)) return
    for (const name of Object.keys(managed.state.spec.dependsOn)) {
      const other = processes.get(name)
      // A job that is done does not run again, and a process that is not enabled does not start.
      if (other?.state.spec.enabled && !isDone(other.state)) visit(other)
    }
    found.add(managed)
  }
  for (const managed of chosen) visit(managed)
  return found
}

/** Resolves when each instance is ready, done, failed, or blocked by another process. */
export const settled = (supervisor: Supervisor, instances: readonly Instance[]): Promise<void> =>
  supervisor.until(() => instances.every((instance) => isSettled(supervisor, instance)))

function isSettled(supervisor: Supervisor, { state }: Instance): boolean {
  if (!isMoving(state) || isFailing(state)) return true
  const managed = supervisor.processes.get(state.spec.name)
  return phaseOf(state) === 'waiting' && managed !== undefined && supervisor.blockedBy(managed).length > 0
}

/** Yields items until everything is being stopped. */
export function* untilEnding<Item>(supervisor: Supervisor, items: Iterable<Item>): Generator<Item> {
  for (const item of items) {
    if (supervisor.isEnding) return
    yield item
  }
}

async function stopAll(supervisor: Supervisor, selection: Selection, force: boolean): Promise<ActionResult> {
  for (const managed of selection.processes) managed.dispatch({ type: 'stop' })
  const chosen = [...selection.processes.flatMap(({ instances }) => instances), ...selection.instances]
  const were = new Set(chosen.filter(({ state }) => hasProcess(state)).map(({ id }) => id))
  await stopInOrder(supervisor, chosen, force)
  for (const { state } of selection.processes) supervisor.sockets.close(state.spec)
  return summary(chosen, ({ id }) => (were.has(id) ? 'stopped' : 'unchanged'))
}

/** Stops instances, each after those that depend on it. Independent ones stop at the same time. */
async function stopInOrder(supervisor: Supervisor, chosen: readonly Instance[], force: boolean): Promise<void> {
  const left = new Set(chosen)
  const asked = new Set<Instance>()
  const hasStopped = (instance: Instance): boolean => asked.has(instance) && !isMoving(instance.state)
  for (;;) {
    for (const instance of left) if (hasStopped(instance)) left.delete(instance)
    if (left.size === 0 || supervisor.closing) return
    for (const instance of nextToStop(supervisor, left, asked)) {
      asked.add(instance)
      if (force) instance.kill()
      else instance.stop()
    }
    await supervisor.until(() => [...left].some(hasStopped))
  }
}

/** Returns the instances that no other one of these depends on. */
function nextToStop(
  supervisor: Supervisor,
  left: ReadonlySet<Instance>,
  asked: ReadonlySet<Instance>,
): readonly Instance[] {
  const needed = neededBy(supervisor, new Set([...left].map(({ state }) => state.spec.name)))
  const waiting = [...left].filter((instance) => !asked.has(instance))
  const free = waiting.filter(({ state }) => !needed.has(state.spec.name))
  // The plan refuses a circle; should there be one, all of it stops at once.
  const isCircle = free.length === 0 && waiting.length === left.size
  return isCircle ? waiting : free
}

/** Returns the names of the dependencies of these processes. */
function neededBy(supervisor: Supervisor, names: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(
    [...names].flatMap((name) => {
      const spec = supervisor.processes.get(name)?.state.spec
      return spec ? Object.keys(supervisor.dependenciesOf(spec)).filter((other) => other !== name) : []
    }),
  )
}

async function restartAll(supervisor: Supervisor, selection: Selection): Promise<ActionResult> {
  const chosen = members(selection)
  for (const managed of processesOf(supervisor, chosen)) managed.dispatch({ type: 'enable' })
  for (const instance of chosen) {
    // A stop that came meanwhile wins: the event has no effect then.
    instance.restart()
    supervisor.lookAgain()
    await settled(supervisor, [instance])
  }
  // Once for each process, and not for each of its instances.
  const hinted = new Set(
    chosen.filter(({ state }, index) => chosen.findIndex((each) => each.state.spec === state.spec) === index),
  )
  return summary(
    chosen,
    () => 'restarted',
    (instance) => (hinted.has(instance) && reloadsUnseen(instance.state.spec) ? RELOAD_HINT : ''),
  )
}

const RELOAD_HINT = '`prodserver reload` does it without dropping a request'

async function reloadAll(supervisor: Supervisor, selection: Selection): Promise<ActionResult> {
  const changes: ActionChange[] = []
  let exitCode: ExitCode = EXIT.done
  const processes = new Set([...selection.processes, ...processesOf(supervisor, selection.instances)])
  for (const managed of processes) {
    if (runsToCompletion(managed.state.spec)) continue
    const { change, code } = await reloadOne(supervisor, managed, managed.state.spec)
    changes.push(change)
    exitCode ||= code
  }
  return { exitCode, changes }
}

/** Reloads a process, to another specification if there is one. */
export async function reloadOne(
  supervisor: Supervisor,
  managed: ManagedProcess,
  spec: ProcessSpec,
): Promise<{ readonly change: ActionChange; readonly code: ExitCode }> {
  const { name } = spec
  if (managed.state.reload)
    throw new ActionError(`${name} is being reloaded already.`, EXIT.refused, 'Wait for it: prodserver ps')
  const about = { process: name, instance: null, invocation: null, pid: null }
  supervisor.write({ ...about, type: 'reloading', message: 'reloading' })
  const before = managed.state.lastReload?.id ?? 0
  managed.dispatch({ type: 'reload', spec, blocker: supervisor.describeBlockers(spec) })
  await supervisor.until(() => (managed.state.lastReload?.id ?? 0) > before)
  const outcome = managed.state.lastReload?.outcome ?? LEFT
  const change = changeOf(managed, outcome)
  const { message, details } = change
  supervisor.write({ ...about, type: outcome.ok ? 'reloaded' : 'reload-refused', message, details })
  return { change, code: codeOf(outcome, change) }
}

/** Outcome of a reload that the supervisor leaves to the next one. */
const LEFT: ReloadOutcome = { ok: false, replaced: 0, instance: '', reason: 'the supervisor has left', details: '' }

function codeOf({ ok }: ReloadOutcome, { did }: ActionChange): ExitCode {
  if (ok) return EXIT.done
  return did === 'refused' ? EXIT.refused : EXIT.failed
}

function changeOf({ name, state }: ManagedProcess, outcome: ReloadOutcome): ActionChange {
  const total = state.slots.length
  if (outcome.ok) {
    const message = `${outcome.replaced} of ${total} in ${printElapsed(outcome.tookMs)}`
    return { process: name, did: 'reloaded', message }
  }
  const { instance, reason, details, replaced } = outcome
  const serves = currentsOf(state).some((one) => phaseOf(one) === 'running')
  const message = `${instance}: ${reason.replace(/\.$/, '')}. ${describeRest(serves, replaced, total)}`
  return { process: name, did: serves ? 'refused' : 'failed', message, details: details || undefined }
}

function describeRest(serves: boolean, replaced: number, total: number): string {
  if (!serves) return 'It does not run now.'
  if (replaced === 0) return 'The old version goes on; nothing was changed.'
  return `${replaced} of ${total} were replaced before; the old version of the others goes on.`
}

async function scale(supervisor: Supervisor, counts: Readonly<Record<string, string>>): Promise<ActionResult> {
  const wanted = new Map<ManagedProcess, number>()
  for (const [selector, text] of Object.entries(counts)) {
    const { processes, instances } = find(supervisor, [selector])
    if (instances.length > 0) throw new ActionError(singleInstances(selector), EXIT.usage, 'Scale a whole process')
    for (const managed of processes) {
      if (wanted.has(managed)) throw new ActionError(`${managed.name} is given two counts.`, EXIT.usage)
      wanted.set(managed, countFor(managed, text))
    }
  }
  const changes = await Promise.all([...wanted].map(([managed, count]) => setCount(supervisor, managed, count)))
  return { exitCode: changes.every(({ did }) => did !== 'failed') ? EXIT.done : EXIT.failed, changes }
}

/**
 * Reads the count of one process: `4`, or `+1` and `-1` from what it has.
 *
 * @throws {ActionError} when the process cannot have that many instances.
 */
function countFor({ name, state: { spec, slots } }: ManagedProcess, text: string): number {
  const count = /^[+-]/.test(text) ? slots.length + Number(text) : Number(text)
  if (!/^[+-]?\d+$/.test(text) || count < 0 || count > 1000)
    throw new ActionError(
      `${name}=${text} is not a number of instances.`,
      EXIT.usage,
      `Such as: prodserver scale ${name}=4, or ${name}=+1`,
    )
  if (spec.kind === 'scheduler' && count > 1)
    throw new ActionError(`${name}: two schedulers would run every job twice. Nothing was changed.`, EXIT.refused)
  if (runsToCompletion(spec))
    throw new ActionError(`${name} runs to completion; it has no instances to scale.`, EXIT.refused)
  return count
}

/** Adds instances at the end, or stops the last ones. */
export async function setCount(supervisor: Supervisor, managed: ManagedProcess, count: number): Promise<ActionChange> {
  const { name } = managed
  const known = new Set(managed.currents)
  managed.dispatch({ type: 'scale', count })
  supervisor.lookAgain()
  const added = managed.currents.filter((instance) => !known.has(instance))
  const leaving = instancesAbove(managed, count)
  await supervisor.until(() => leaving.every(({ state }) => !isMoving(state)))
  await settled(supervisor, added)
  if (known.size === count)
    return { process: name, did: 'unchanged', message: `${count} of it ${count === 1 ? 'is' : 'are'} there` }
  const declared = managed.state.spec.instances
  const rest = count === declared ? '' : `; INSTANCES is ${declared}, and the next \`up\` goes back to that`
  const hasFailed = added.some(({ state }) => phaseOf(state) === 'failed')
  return { process: name, did: hasFailed ? 'failed' : 'scaled', message: `${known.size} → ${count}${rest}` }
}

/** Returns the instances in slots above a number. */
function instancesAbove({ state, instances }: ManagedProcess, count: number): readonly Instance[] {
  const slots = state.slots.filter(({ number }) => number > count)
  const keys = new Set(slots.flatMap(instancesIn).map(({ key }) => key))
  return instances.filter(({ key }) => keys.has(key))
}

/** Stops everything, and proves that nothing is left. */
export async function down(supervisor: Supervisor, force: boolean): Promise<ActionResult> {
  supervisor.end()
  const chosen = supervisor.instances()
  const were = new Set(chosen.filter(({ state }) => hasProcess(state)).map(({ id }) => id))
  const stopping = stopInOrder(supervisor, chosen, force)
  // Instances that wait for their turn are killed with the rest.
  if (force) for (const instance of chosen) instance.kill()
  await stopping
  for (const { state } of supervisor.processes.values()) supervisor.sockets.close(state.spec)
  const concerned = chosen.filter(({ id, state }) => were.has(id) || phaseOf(state) === 'failed')
  const result = summary(concerned, () => 'stopped')
  // Survivors of an instance have been named.
  const orphans = result.exitCode === EXIT.done ? await supervisor.cleanOrphans() : []
  if (orphans.length === 0) return result
  const message = `what it started cannot be ended: ${orphans.join('; ')}`
  supervisor.write({ type: 'left-behind', message })
  return { exitCode: EXIT.failed, changes: [...result.changes, { process: 'prodserver', did: 'failed', message }] }
}

/** Describes an instance that is restarted again and again. */
export function failingWords(instance: InstanceState): string {
  const { failures } = instance.machine.history
  const reason = reasonOf(instance) ?? ''
  return `${reason}; it ended ${failures} times before it was ready, and goes on being started again`
}

function summary(
  chosen: readonly Instance[],
  did: (instance: Instance) => string,
  message: (instance: Instance) => string = () => '',
): ActionResult {
  const changes = chosen.map((instance): ActionChange => {
    const failure = failureOf(instance.state)
    return failure
      ? { process: instance.id, did: 'failed', ...failure }
      : { process: instance.id, did: did(instance), message: message(instance) }
  })
  const hasFailed = changes.some((change) => change.did === 'failed')
  return { exitCode: hasFailed ? EXIT.failed : EXIT.done, changes }
}

function failureOf(instance: InstanceState): Pick<ActionChange, 'message' | 'details'> | null {
  const { machine, lastDetails, waitingReason } = instance
  const details = lastDetails || undefined
  if (machine.phase.is === 'failed') return { message: machine.phase.reason, details }
  if (machine.phase.is === 'waiting') return { message: waitingReason }
  return isFailing(instance) ? { message: failingWords(instance), details } : null
}
