import { runsToCompletion } from '../core/completion.ts'
import type { ActionChange, ActionResult } from '../control/protocol.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import { failingWords, reloadOne, setCount, settled, untilEnding, withDependencies } from './actions.ts'
import type { Instance } from './process/instance.ts'
import type { ManagedProcess } from './process/managed.ts'
import type { InstanceState } from './process/state.ts'
import { currentsOf, hasProcess, isFailing, isMoving, phaseOf, reasonOf } from './process/views.ts'
import type { Application, ProcessSpec } from './spec.ts'
import type { Supervisor } from './supervisor.ts'

/**
 * Makes what runs equal to what is declared, touching only what differs, and resolves when it is.
 *
 * Release tasks run first. If one fails while others serve, those are left alone and nothing new starts.
 */
export async function apply(supervisor: Supervisor, application: Application): Promise<ActionResult> {
  const isFirst = supervisor.processes.size === 0
  supervisor.declare(application)
  const chosen = chooseSpecs(supervisor, application)
  const added = application.specs
    .filter(({ name }) => !supervisor.processes.has(name))
    .map((spec) => supervisor.add(spec))
  const adopted = new Set(isFirst ? supervisor.adopt() : [])
  const removed = isFirst ? await endUndeclared(supervisor) : []
  const processes = chosen.flatMap(({ name }) => supervisor.processes.get(name) ?? [])
  const serves = supervisor.instances().some(({ state }) => hasProcess(state) && !runsToCompletion(state.spec))
  const wanted = withDependencies(supervisor, processes)
  return applyInStages({ supervisor, application, chosen, added, adopted, wanted, serves }, removed)
}

/** Facts about one declaration that is being applied. */
interface Applying {
  readonly supervisor: Supervisor
  readonly application: Application
  /** Specifications that were asked for. */
  readonly chosen: readonly ProcessSpec[]
  /** Processes that this declaration added. */
  readonly added: readonly ManagedProcess[]
  /** Ids of instances that were taken over from an earlier supervisor. */
  readonly adopted: ReadonlySet<string>
  /** Processes that must run: the requested ones, and what they depend on. */
  readonly wanted: ReadonlySet<ManagedProcess>
  /** A service runs, which a failed release must not harm. */
  readonly serves: boolean
}

interface StageResult {
  readonly changes: readonly ActionChange[]
  readonly code?: ExitCode
  /** No further stage runs. */
  readonly isLast?: boolean
}

type Stage = (applying: Applying) => Promise<StageResult> | StageResult

const STAGES: readonly Stage[] = [runReleases, removeOthers, startMissing, updateKnown, updateAdopted, report]

async function applyInStages(applying: Applying, removed: readonly ActionChange[]): Promise<ActionResult> {
  const { supervisor } = applying
  const changes = [...removed]
  let exitCode: ExitCode = EXIT.done
  for (const stage of untilEnding(supervisor, STAGES)) {
    const result = await stage(applying)
    changes.push(...result.changes)
    exitCode ||= result.code ?? EXIT.done
    if (result.isLast) return { exitCode, changes: result.changes }
  }
  // Everything is being stopped: that is another command's result.
  if (supervisor.isEnding) return { exitCode: EXIT.refused, changes: [] }
  const isBad = changes.some(({ did }) => did === 'failed')
  return { exitCode: exitCode || (isBad ? EXIT.failed : EXIT.done), changes: unique(changes) }
}

/** Returns the specifications that must run. A reload leaves out processes that a person stopped. */
const chooseSpecs = ({ processes }: Supervisor, { specs, only, reload }: Application): readonly ProcessSpec[] =>
  specs
    .filter(({ name, enabled }) => (only ? only.includes(name) : enabled))
    .filter(({ name }) => !reload || processes.get(name)?.state.desired !== 'stopped')

/** Waits until undeclared processes have stopped, because others may need their addresses. */
async function endUndeclared(supervisor: Supervisor): Promise<readonly ActionChange[]> {
  const names = [...supervisor.undeclared.keys()]
  await supervisor.until(() => supervisor.undeclared.size === 0)
  supervisor.closeForgotten()
  return names.map((name) => ({ process: name, did: 'removed', message: 'it is declared no more' }))
}

/** Runs what runs once per release and has not run for this one. */
async function runReleases(applying: Applying): Promise<StageResult> {
  const { supervisor, wanted, serves } = applying
  const due = dueReleases(applying)
  // If no service runs, the others may start and are shown waiting.
  if (!serves)
    for (const managed of wanted) if (managed.state.spec.run !== 'release') managed.dispatch({ type: 'start' })
  supervisor.lookAgain()
  await settled(
    supervisor,
    due.flatMap(({ currents }) => currents),
  )
  const failed = due.flatMap(({ currents }) => currents).find(({ state }) => phaseOf(state) !== 'done')
  if (!failed || supervisor.isEnding) return { changes: [] }
  const { name } = failed.state.spec
  supervisor.processes.get(name)?.dispatch({ type: 'release-failed', isWaived: serves })
  return serves ? refuseRelease(applying, failed) : { changes: [] }
}

/** Begins the release tasks that are due; returns their processes. */
function dueReleases({ supervisor, application, wanted }: Applying): readonly ManagedProcess[] {
  const { specs, release } = application
  const due: ManagedProcess[] = []
  for (const spec of specs) {
    const managed = supervisor.processes.get(spec.name)
    if (spec.run !== 'release' || !managed || !wanted.has(managed)) continue
    if (managed.state.release.done === release) skipRelease(supervisor, managed, release)
    else due.push(managed)
  }
  for (const managed of due) {
    const { name } = managed
    managed.dispatch({ type: 'release', spec: specs.find((spec) => spec.name === name) ?? managed.state.spec, release })
    for (const needed of withDependencies(supervisor, [managed]))
      if (needed !== managed && needsStart(needed)) needed.dispatch({ type: 'start' })
  }
  return due
}

function skipRelease(supervisor: Supervisor, managed: ManagedProcess, release: string): void {
  const { name } = managed
  const message = `done before for release ${release}`
  supervisor.write({ type: 'skipped', process: name, instance: `${name}.1`, message })
  managed.dispatch({ type: 'skip-release' })
}

/** Leaves running processes alone, and forgets new ones. */
function refuseRelease({ supervisor, added }: Applying, failed: Instance): StageResult {
  for (const { name, state } of added)
    if (state.spec.run !== 'release' && !currentsOf(state).some(hasProcess)) supervisor.remove(name)
  const { spec, waitingReason, lastDetails } = failed.state
  const reason = reasonOf(failed.state) ?? (waitingReason || 'it was stopped')
  const message = `${reason}. What runs is left alone, and nothing new was started.`
  const change = { process: spec.name, did: 'failed', message, details: lastDetails || undefined }
  return { changes: [change], code: EXIT.refused, isLast: true }
}

/** Stops processes that the declaration removed or disabled. */
async function removeOthers({ supervisor, application }: Applying): Promise<StageResult> {
  const { specs, only } = application
  if (only) return { changes: [] }
  const isEnabled = (managed: ManagedProcess): boolean =>
    specs.some(({ name, enabled }) => name === managed.name && enabled)
  const isDeclared = (managed: ManagedProcess): boolean => specs.some(({ name }) => name === managed.name)
  const gone = [...supervisor.processes.values()].filter((managed) => !isEnabled(managed))
  const instances = gone.flatMap((managed) => managed.instances)
  for (const managed of gone) managed.dispatch({ type: isDeclared(managed) ? 'stop' : 'close' })
  for (const instance of instances) instance.stop()
  await supervisor.until(() => instances.every(({ state }) => !isMoving(state)))
  const ran = gone.filter(({ state }) => currentsOf(state).some(({ machine }) => machine.number > 0))
  const changes = ran.map((managed): ActionChange => {
    const isKnown = isDeclared(managed)
    const message = isKnown ? 'it is not enabled any more' : 'it is declared no more'
    return { process: managed.name, did: isKnown ? 'stopped' : 'removed', message }
  })
  for (const managed of gone) if (!isDeclared(managed)) supervisor.remove(managed.name)
  return { changes }
}

function startMissing({ wanted }: Applying): StageResult {
  for (const managed of wanted) if (needsStart(managed)) managed.dispatch({ type: 'start' })
  return { changes: [] }
}

function needsStart({ state }: ManagedProcess): boolean {
  if (state.spec.run === 'release') return false
  if (state.spec.run === 'once') return true
  return state.desired === 'stopped' || currentsOf(state).some((instance) => !hasProcess(instance))
}

/** Brings the processes up to date that were known before. */
async function updateKnown({ supervisor, application, chosen, added, wanted }: Applying): Promise<StageResult> {
  const changes: ActionChange[] = []
  let code: ExitCode = EXIT.done
  for (const spec of untilEnding(supervisor, application.specs)) {
    const managed = supervisor.processes.get(spec.name)
    if (!managed || !wanted.has(managed) || added.includes(managed)) continue
    // A process that is only needed by a reloaded one is not reloaded with it.
    const isReload = application.reload && chosen.includes(spec)
    const result = await bringUpToDate(supervisor, managed, spec, isReload)
    if (result) changes.push(result.change)
    code ||= result?.code ?? EXIT.done
  }
  return { changes, code }
}

/** Brings the processes up to date that were taken over with an earlier declaration. */
async function updateAdopted({ supervisor, added, wanted }: Applying): Promise<StageResult> {
  const changes: ActionChange[] = []
  let code: ExitCode = EXIT.done
  for (const managed of untilEnding(supervisor, added)) {
    if (!wanted.has(managed) || !isOutdated(managed, managed.state.spec)) continue
    const result = await reloadOne(supervisor, managed, managed.state.spec)
    changes.push(result.change)
    code ||= result.code
  }
  return { changes, code }
}

/** Says whether any instance runs from another declaration. A scheduled process ends by itself: its next run is new. */
const isOutdated = ({ state }: ManagedProcess, { hash, schedule }: ProcessSpec): boolean =>
  schedule === null && currentsOf(state).some(({ invocation }) => invocation !== null && invocation.hash !== hash)

type Update = Awaited<ReturnType<typeof reloadOne>>

/** Updates one process: no change, another number of instances, or a reload. */
async function bringUpToDate(
  supervisor: Supervisor,
  managed: ManagedProcess,
  spec: ProcessSpec,
  isReload: boolean,
): Promise<Update | null> {
  const previous = managed.state.spec
  const mustReload = isReload && !runsToCompletion(spec) && currentsOf(managed.state).some(hasProcess)
  const isReloaded = mustReload || isOutdated(managed, spec)
  if (!isReloaded) managed.dispatch({ type: 'declare', spec })
  const result = isReloaded ? await reloadOne(supervisor, managed, spec) : null
  // Close removed addresses: connections must be refused, not wait.
  if (managed.state.spec !== previous) supervisor.sockets.close(previous, spec.listen)
  const isOtherCount = managed.state.slots.length !== spec.instances && spec.run === 'always'
  if (!isOtherCount || result?.code === EXIT.refused) return result
  const change = await setCount(supervisor, managed, spec.instances)
  if (!result) return { change, code: EXIT.done }
  return { change: { ...result.change, message: `${result.change.message}; ${change.message}` }, code: result.code }
}

/** Waits for everything to settle, and reports one line per process. */
async function report({ supervisor, added, adopted, wanted }: Applying): Promise<StageResult> {
  // A scheduled process may run just now; the command does not wait for its end.
  const awaited = [...wanted].filter(({ state }) => state.spec.schedule === null)
  await settled(
    supervisor,
    awaited.flatMap(({ instances }) => instances),
  )
  return { changes: [...wanted].map((managed) => outcomeOf(managed, added.includes(managed), adopted)) }
}

function outcomeOf({ name, state }: ManagedProcess, isNew: boolean, adopted: ReadonlySet<string>): ActionChange {
  const failure = state.spec.schedule ? currentsOf(state).map(failureOfScheduled) : currentsOf(state).map(failureOf)
  const found = failure.find((one) => one !== null)
  if (found) return { process: name, did: 'failed', ...found }
  return isNew ? outcomeOfNew(name, state, adopted) : { process: name, did: 'unchanged', message: '' }
}

function outcomeOfNew(
  process: string,
  { slots, schedule, spec }: ManagedProcess['state'],
  adopted: ReadonlySet<string>,
): ActionChange {
  const { nextMs } = schedule
  if (spec.schedule && nextMs !== null)
    return { process, did: 'scheduled', message: `next at ${new Date(nextMs).toISOString()}` }
  const kept = slots.filter(({ current }) => adopted.has(current.id) && phaseOf(current) === 'running')
  if (kept.length === 0) return { process, did: 'started', message: '' }
  const some = kept.length === slots.length ? '' : `${kept.length} of ${slots.length} `
  return { process, did: 'adopted', message: `${some}still running, nothing was interrupted` }
}

type Failure = Pick<ActionChange, 'message' | 'details'>

function failureOf(instance: InstanceState): Failure | null {
  const { machine, id, lastDetails, waitingReason } = instance
  if (machine.phase.is === 'failed')
    return { message: `${id}: ${machine.phase.reason}`, details: lastDetails || undefined }
  if (machine.phase.is === 'waiting') return { message: waitingReason }
  return failureOfScheduled(instance)
}

/** A scheduled process has its next run, however the last one ended. */
function failureOfScheduled(instance: InstanceState): Failure | null {
  if (!isFailing(instance)) return null
  return { message: `${instance.id}: ${failingWords(instance)}`, details: instance.lastDetails || undefined }
}

/** Keeps the first change of each process, unless it failed in the end. */
function unique(changes: readonly ActionChange[]): readonly ActionChange[] {
  const byName = new Map<string, ActionChange>()
  for (const change of changes) {
    const known = byName.get(change.process)
    if (!known || change.did === 'failed') byName.set(change.process, change)
  }
  return [...byName.values()]
}
