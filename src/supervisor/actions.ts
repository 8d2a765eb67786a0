import { printElapsed } from '../core/durations.ts'
import type { ActionChange, ActionRequest, ActionResult } from '../control/protocol.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import { select, singleInstances } from '../core/selectors.ts'
import type { Instance } from './process/instance.ts'
import { addSlot, completes, instancesOf, lastRunsOf, type Managed } from './process/managed.ts'
import { type ReloadOutcome, reloadProcess } from './process/reload.ts'
import { reloadsUnseen } from '../core/reload-strategy.ts'
import type { ProcessSpec } from './spec.ts'
import type { Supervisor } from './supervisor.ts'

/** Somebody asked for what is not there, or cannot be. Nothing was changed. */
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
 * Does what was asked, and resolves when it is done.
 *
 * @throws {ActionError} before anything is changed, where it cannot be done.
 */
export function act(supervisor: Supervisor, request: ActionRequest): Promise<ActionResult> {
  const { verb, targets, force = false } = request
  switch (verb) {
    case 'start':
      return startAll(
        supervisor,
        withoutJobs(find(supervisor, targets), targets, ({ slots }) => isDone(slots)),
      )
    case 'stop':
      return stopAll(supervisor, find(supervisor, targets), force)
    case 'restart':
      return restartAll(
        supervisor,
        withoutJobs(find(supervisor, targets), targets, ({ spec }) => completes(spec)),
      )
    case 'reload':
      return reloadAll(supervisor, find(supervisor, targets))
    case 'scale':
      return scale(supervisor, request.counts ?? {})
    case 'down':
      return down(supervisor, force)
    default:
      return verb satisfies never
  }
}

/** The processes and the single instances that an action is for. */
interface Selection {
  readonly processes: readonly Managed[]
  readonly instances: readonly Instance[]
}

function find(supervisor: Supervisor, targets: readonly string[]): Selection {
  const all = [...supervisor.processes.values()]
  const current = all.flatMap(({ slots }) => slots.map((slot) => slot.current))
  const known = all.map(({ spec: { name, kind }, slots }) => {
    return { process: name, kind, instances: slots.map((slot) => slot.current.id) }
  })
  const found = select(targets, known)
  if ('unknown' in found) throw new ActionError(found.message, EXIT.usage, found.hint)
  return {
    processes: found.processes.flatMap((name) => supervisor.processes.get(name) ?? []),
    instances: found.instances.flatMap((id) => current.find((instance) => instance.id === id) ?? []),
  }
}

const isDone = (slots: Managed['slots']): boolean => slots.every(({ current }) => current.phase.is === 'done')

/** Where nobody was named all are meant, but not the jobs: a migration is not run again because services are. */
const withoutJobs = (
  { processes, instances }: Selection,
  targets: readonly string[],
  isJob: (managed: Managed) => boolean,
): Selection => ({ instances, processes: targets.length > 0 ? processes : processes.filter((each) => !isJob(each)) })

/** What a selection names, whole processes as all of their instances. */
const members = ({ processes, instances }: Selection): readonly Instance[] => [
  ...processes.flatMap(({ slots }) => slots.map(({ current }) => current)),
  ...instances,
]

async function startAll(supervisor: Supervisor, selection: Selection): Promise<ActionResult> {
  const chosen = members(selection)
  const planned = selection.processes.filter(({ spec, wanted }) => spec.schedule !== null && wanted === 'running')
  const running = new Set([
    ...chosen.filter(({ phase }) => phase.is === 'running').map(({ id }) => id),
    ...planned.flatMap(instancesOf).map(({ id }) => id),
  ])
  for (const managed of withDependencies(supervisor, selection.processes)) supervisor.want(managed)
  // The others of its process stay as they are.
  for (const managed of processesOf(supervisor, selection.instances)) managed.wanted = 'running'
  for (const instance of selection.instances) instance.start()
  supervisor.lookAgain()
  // What runs at its times may run just now, and is not waited for.
  await settled(
    supervisor,
    chosen.filter(({ spec }) => spec.schedule === null),
  )
  return summary(chosen, (instance) => (running.has(instance.id) ? 'unchanged' : 'started'))
}

const processesOf = (supervisor: Supervisor, instances: readonly Instance[]): ReadonlySet<Managed> =>
  new Set(instances.flatMap(({ spec }) => supervisor.processes.get(spec.name) ?? []))

/** What a process needs is started with it. */
export function withDependencies(supervisor: Supervisor, chosen: readonly Managed[]): ReadonlySet<Managed> {
  const found = new Set<Managed>()
  const visit = (managed: Managed): void => {
    if (found.has(managed)) return
    for (const name of Object.keys(managed.spec.dependsOn)) {
      const other = supervisor.processes.get(name)
      // What ran to completion has done so, and what is not enabled is started by nobody.
      if (other?.spec.enabled && !isDone(other.slots)) visit(other)
    }
    found.add(managed)
  }
  for (const managed of chosen) visit(managed)
  return found
}

/** Resolves when each is ready, done, failed, or cannot start because of another one. */
export function settled(supervisor: Supervisor, instances: readonly Instance[]): Promise<void> {
  return supervisor.until(() => supervisor.closing || instances.every((instance) => isSettled(supervisor, instance)))
}

function isSettled(supervisor: Supervisor, instance: Instance): boolean {
  if (!instance.isMoving || instance.isFailing) return true
  const managed = supervisor.processes.get(instance.spec.name)
  return instance.phase.is === 'waiting' && managed !== undefined && supervisor.blockedBy(managed).length > 0
}

async function stopAll(supervisor: Supervisor, selection: Selection, force: boolean): Promise<ActionResult> {
  for (const managed of selection.processes) supervisor.unwant(managed)
  const chosen = [...selection.processes.flatMap(instancesOf), ...selection.instances]
  const were = new Set(chosen.filter(({ hasProcess }) => hasProcess).map(({ id }) => id))
  await stopInOrder(supervisor, chosen, force)
  for (const { spec } of selection.processes) supervisor.sockets.close(spec)
  return summary(chosen, ({ id }) => (were.has(id) ? 'stopped' : 'unchanged'))
}

/** Whoever depends on something stops before it; for what does not concern it nobody waits. */
async function stopInOrder(supervisor: Supervisor, chosen: readonly Instance[], force: boolean): Promise<void> {
  const left = new Set(chosen)
  const asked = new Set<Instance>()
  const hasStopped = (instance: Instance): boolean => asked.has(instance) && !instance.isMoving
  for (;;) {
    for (const instance of left) if (hasStopped(instance)) left.delete(instance)
    if (left.size === 0) return
    const needed = neededBy(supervisor, new Set([...left].map(({ spec }) => spec.name)))
    const waiting = [...left].filter((instance) => !asked.has(instance))
    const free = waiting.filter(({ spec }) => !needed.has(spec.name))
    // A circle is refused before anything starts; should there be one, all of it stops at once.
    const isCircle = free.length === 0 && waiting.length === left.size
    for (const instance of isCircle ? waiting : free) {
      asked.add(instance)
      if (force) instance.kill()
      else instance.stop()
    }
    await supervisor.until(() => [...left].some(hasStopped))
  }
}

/** What these depend on, by name. */
function neededBy(supervisor: Supervisor, names: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(
    [...names].flatMap((name) => {
      const managed = supervisor.processes.get(name)
      return managed ? Object.keys(supervisor.dependenciesOf(managed.spec)).filter((other) => other !== name) : []
    }),
  )
}

async function restartAll(supervisor: Supervisor, selection: Selection): Promise<ActionResult> {
  const chosen = members(selection)
  for (const managed of selection.processes) {
    // What was stopped has no next time any more.
    if (managed.spec.schedule && managed.wanted === 'stopped') supervisor.want(managed)
  }
  for (const managed of processesOf(supervisor, chosen)) managed.wanted = 'running'
  for (const instance of chosen) {
    const managed = supervisor.processes.get(instance.spec.name)
    // Somebody stopped it, or everything, since.
    if (!managed || supervisor.isUnwanted(managed)) continue
    instance.restart()
    supervisor.lookAgain()
    await settled(supervisor, [instance])
  }
  // Once for each process, and not for each of its instances.
  const hinted = new Set(chosen.filter(({ spec }, index) => chosen.findIndex((each) => each.spec === spec) === index))
  return summary(
    chosen,
    () => 'restarted',
    (instance) => (hinted.has(instance) && reloadsUnseen(instance.spec) ? RELOAD_HINT : ''),
  )
}

const RELOAD_HINT = '`prodserver reload` does it without dropping a request'

async function reloadAll(supervisor: Supervisor, selection: Selection): Promise<ActionResult> {
  const changes: ActionChange[] = []
  let exitCode: ExitCode = EXIT.done
  const processes = new Set([...selection.processes, ...processesOf(supervisor, selection.instances)])
  for (const managed of processes) {
    if (completes(managed.spec)) continue
    const { change, code } = await reloadOne(supervisor, managed, managed.spec)
    changes.push(change)
    exitCode = exitCode === EXIT.done ? code : exitCode
  }
  return { exitCode, changes }
}

/** Reloads a process, to another declaration if there is one. */
export async function reloadOne(
  supervisor: Supervisor,
  managed: Managed,
  spec: ProcessSpec,
): Promise<{ readonly change: ActionChange; readonly code: ExitCode }> {
  const { name } = spec
  const about = { process: name, instance: null, run: null, pid: null }
  if (managed.reloading)
    throw new ActionError(`${name} is being reloaded already.`, EXIT.refused, 'Wait for it: prodserver ps')
  supervisor.write({ ...about, type: 'reloading', message: 'reloading' })
  const { world, until, save } = supervisor
  const outcome = await reloadProcess(managed, spec, {
    world,
    until,
    save,
    signal: (instance, signal) => supervisor.signal(instance, signal),
    obstacle: (spec) => supervisor.obstacleTo(spec),
    isUnwanted: (one) => supervisor.isUnwanted(one),
  })
  const change = changeOf(name, managed, outcome)
  supervisor.write({
    ...about,
    type: outcome.ok ? 'reloaded' : 'reload-refused',
    message: change.message,
    details: change.details,
  })
  return { change, code: outcome.ok ? EXIT.done : change.did === 'refused' ? EXIT.refused : EXIT.failed }
}

function changeOf(process: string, managed: Managed, outcome: ReloadOutcome): ActionChange {
  const total = managed.slots.length
  if (outcome.ok)
    return { process, did: 'reloaded', message: `${outcome.replaced} of ${total} in ${printElapsed(outcome.tookMs)}` }
  const { instance, reason, details, replaced } = outcome
  const serves = managed.slots.some(({ current }) => current.phase.is === 'running')
  const rest = serves
    ? replaced === 0
      ? 'The old version goes on; nothing was changed.'
      : `${replaced} of ${total} were replaced before; the old version of the others goes on.`
    : 'It does not run now.'
  return {
    process,
    did: serves ? 'refused' : 'failed',
    message: `${instance}: ${reason.replace(/\.$/, '')}. ${rest}`,
    details: details || undefined,
  }
}

async function scale(supervisor: Supervisor, counts: Readonly<Record<string, string>>): Promise<ActionResult> {
  const wanted = new Map<Managed, number>()
  for (const [selector, text] of Object.entries(counts)) {
    const { processes, instances } = find(supervisor, [selector])
    if (instances.length > 0) throw new ActionError(singleInstances(selector), EXIT.usage, 'Scale a whole process')
    for (const managed of processes) {
      if (wanted.has(managed)) throw new ActionError(`${managed.spec.name} is given two counts.`, EXIT.usage)
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
function countFor({ spec, slots }: Managed, text: string): number {
  const { name, kind } = spec
  const count = /^[+-]/.test(text) ? slots.length + Number(text) : Number(text)
  if (!/^[+-]?\d+$/.test(text) || count < 0 || count > 1000)
    throw new ActionError(
      `${name}=${text} is not a number of instances.`,
      EXIT.usage,
      `Such as: prodserver scale ${name}=4, or ${name}=+1`,
    )
  if (kind === 'scheduler' && count > 1)
    throw new ActionError(`${name}: two schedulers would run every job twice. Nothing was changed.`, EXIT.refused)
  if (completes(spec)) throw new ActionError(`${name} runs to completion; it has no instances to scale.`, EXIT.refused)
  return count
}

/** Adds instances at the end, or stops the last ones. */
export async function setCount(supervisor: Supervisor, managed: Managed, count: number): Promise<ActionChange> {
  const { slots, spec } = managed
  const before = slots.length
  managed.scaled = count === spec.instances ? null : count
  const added: Instance[] = []
  while (slots.length < count) added.push(addSlot(managed, supervisor.world).current)
  if (managed.wanted === 'running') for (const instance of added) instance.start()
  supervisor.lookAgain()
  const removed = slots.slice(count)
  for (const slot of removed) {
    slot.current.stop()
    slot.beside?.stop()
  }
  await supervisor.until(() => removed.every(({ current, beside }) => !current.isMoving && !beside?.isMoving))
  for (const { current, beside } of removed) {
    current.leave()
    beside?.leave()
  }
  managed.runs = lastRunsOf(managed)
  slots.splice(Math.max(count, 0), removed.length)
  await settled(supervisor, added)
  supervisor.save()
  const failed = added.filter(({ phase }) => phase.is === 'failed')
  if (before === count)
    return { process: spec.name, did: 'unchanged', message: `${count} of it ${count === 1 ? 'is' : 'are'} there` }
  const message = `${before} → ${count}${count === spec.instances ? '' : `; INSTANCES is ${spec.instances}, and the next \`up\` goes back to that`}`
  return { process: spec.name, did: failed.length > 0 ? 'failed' : 'scaled', message }
}

/** Stops everything and proves it. */
export async function down(supervisor: Supervisor, force: boolean): Promise<ActionResult> {
  supervisor.ending = true
  const all = [...supervisor.processes.values()]
  for (const managed of all) supervisor.unwant(managed)
  const chosen = supervisor.instances()
  const were = new Set(chosen.filter(({ hasProcess }) => hasProcess).map(({ id }) => id))
  const stopping = stopInOrder(supervisor, chosen, force)
  if (force) {
    // What waits for its turn is killed with the rest.
    for (const instance of chosen) instance.kill()
  }
  await stopping
  for (const { spec } of all) supervisor.sockets.close(spec)
  const concerned = chosen.filter(({ id, phase }) => were.has(id) || phase.is === 'failed')
  const result = summary(concerned, () => 'stopped')
  // What could not be ended has been named.
  const strays = result.exitCode === EXIT.done ? await supervisor.sweepStrays() : []
  if (strays.length === 0) return result
  const message = `what it started cannot be ended: ${strays.join('; ')}`
  supervisor.write({ type: 'left-behind', message })
  return { exitCode: EXIT.failed, changes: [...result.changes, { process: 'prodserver', did: 'failed', message }] }
}

/** Of what goes on being started again. */
export function failingWords({ phase, failures }: Instance): string {
  const reason = 'reason' in phase ? phase.reason : ''
  return `${reason}; it ended ${failures} times before it was ready, and goes on being started again`
}

function summary(
  chosen: readonly Instance[],
  did: (instance: Instance) => string,
  message: (instance: Instance) => string = () => '',
): ActionResult {
  const failed = chosen.filter(({ phase, isFailing }) => phase.is === 'failed' || phase.is === 'waiting' || isFailing)
  const changes = chosen.map((instance): ActionChange => {
    const { id, phase, lastDetails } = instance
    if (phase.is === 'failed')
      return { process: id, did: 'failed', message: phase.reason, details: lastDetails || undefined }
    if (phase.is === 'waiting') return { process: id, did: 'failed', message: instance.waitingWords }
    if (instance.isFailing)
      return { process: id, did: 'failed', message: failingWords(instance), details: lastDetails || undefined }
    return { process: id, did: did(instance), message: message(instance) }
  })
  return { exitCode: failed.length > 0 ? EXIT.failed : EXIT.done, changes }
}
