import type { ActionChange, ActionResult } from '../control/protocol.ts'
import { EXIT, type ExitCode } from '../core/errors.ts'
import { failingWords, reloadOne, setCount, settled, withDependencies } from './actions.ts'
import { completes, instancesOf, type Managed } from './process/managed.ts'
import type { Application, ProcessSpec } from './spec.ts'
import type { Supervisor } from './supervisor.ts'

/**
 * Makes what runs equal to what is declared, touching only what differs, and resolves when it is.
 *
 * What runs once for a release comes first. Where it fails, what runs is left alone and nothing new starts.
 */
export async function apply(supervisor: Supervisor, application: Application): Promise<ActionResult> {
  const { specs, only, release } = application
  const isFirst = supervisor.processes.size === 0
  supervisor.project = application.project
  supervisor.set = application.set ?? []
  const chosen = specs
    .filter(({ name, enabled }) => (only ? only.includes(name) : enabled))
    // What somebody stopped is not what a reload is about.
    .filter(({ name }) => !application.reload || supervisor.processes.get(name)?.wanted !== 'stopped')
  const changes: ActionChange[] = []

  const added = specs.filter(({ name }) => !supervisor.processes.has(name)).map((spec) => supervisor.add(spec))
  const adopted = new Set<string>()
  if (isFirst) {
    for (const id of supervisor.adopt()) adopted.add(id)
    changes.push(...(await endStrangers(supervisor)))
  }
  if (supervisor.ending) return OVERTAKEN
  const wanted = withDependencies(
    supervisor,
    chosen.flatMap(({ name }) => supervisor.processes.get(name) ?? []),
  )

  const serves = supervisor.instances().some(({ hasProcess, spec }) => hasProcess && !completes(spec))
  const failed = await runReleases(supervisor, specs, wanted, release, serves)
  if (supervisor.ending) return OVERTAKEN
  if (failed && serves) {
    // What is new has no place yet.
    for (const { spec, slots } of added)
      if (spec.run !== 'release' && !slots.some(({ current }) => current.hasProcess)) supervisor.remove(spec.name)
    const { name, reason, details } = failed
    return {
      exitCode: EXIT.refused,
      changes: [
        {
          process: name,
          did: 'failed',
          message: `${reason}. What runs is left alone, and nothing new was started.`,
          details,
        },
      ],
    }
  }

  if (!only) changes.push(...(await removeOthers(supervisor, specs)))
  if (supervisor.ending) return OVERTAKEN
  for (const managed of wanted) if (needsStart(managed)) supervisor.want(managed)
  let code: ExitCode = EXIT.done
  for (const spec of specs) {
    const managed = supervisor.processes.get(spec.name)
    if (!managed || !wanted.has(managed) || added.includes(managed)) continue
    // What another one only needs is not reloaded with it.
    const isReload = application.reload && chosen.includes(spec)
    const result = await bringUpToDate(supervisor, managed, spec, isReload)
    if (supervisor.ending) return OVERTAKEN
    if (result) changes.push(result.change)
    code ||= result?.code ?? EXIT.done
  }
  // Taken over from an earlier supervisor, with a declaration of before.
  for (const managed of added) {
    if (!wanted.has(managed) || !isOutdated(managed, managed.spec)) continue
    const { change, code: own } = await reloadOne(supervisor, managed, managed.spec)
    if (supervisor.ending) return OVERTAKEN
    changes.push(change)
    code ||= own
  }
  // What runs at its times may run just now, and is not waited for.
  const instances = [...wanted].filter(({ spec }) => spec.schedule === null).flatMap(instancesOf)
  await settled(supervisor, instances)
  for (const managed of wanted) changes.push(...outcomeOf(managed, added.includes(managed), adopted))
  const isBad = changes.some(({ did }) => did === 'failed')
  return { exitCode: code || (isBad ? EXIT.failed : EXIT.done), changes: unique(changes) }
}

/** Meanwhile everything is being stopped: nothing may be started any more. */
const OVERTAKEN: ActionResult = { exitCode: EXIT.refused, changes: [] }

/** Whether any of it runs from another declaration. */
const isOutdated = ({ slots }: Managed, { hash, schedule }: ProcessSpec): boolean =>
  // What runs at certain times ends by itself, and its next time is soon enough.
  schedule === null && slots.some(({ current: { life } }) => life !== null && life.hash !== hash)

const needsStart = ({ spec, slots, wanted }: Managed): boolean => {
  if (spec.run === 'release') return false
  if (spec.run === 'once') return true
  return wanted === 'stopped' || slots.some(({ current }) => !current.hasProcess)
}

/** What an earlier supervisor left running and nobody declares any more; another may need its address. */
async function endStrangers(supervisor: Supervisor): Promise<readonly ActionChange[]> {
  const names = new Set([...supervisor.strangers].map(({ spec }) => spec.name))
  await supervisor.until(() => supervisor.closing || supervisor.strangers.size === 0)
  supervisor.closeForgotten()
  return [...names].map((process) => ({ process, did: 'removed', message: 'it is declared no more' }))
}

interface Failure {
  readonly name: string
  readonly reason: string
  readonly details: string | undefined
}

/** Runs what is to run once for this release and has not. */
async function runReleases(
  supervisor: Supervisor,
  specs: readonly ProcessSpec[],
  wanted: ReadonlySet<Managed>,
  release: string,
  serves: boolean,
): Promise<Failure | null> {
  const due = specs.flatMap((spec): Managed[] => {
    const managed = supervisor.processes.get(spec.name)
    if (spec.run !== 'release' || !managed || !wanted.has(managed)) return []
    if (supervisor.releases[spec.name] === release) {
      const about = { process: spec.name, instance: `${spec.name}.1` }
      supervisor.write({ ...about, type: 'skipped', message: `done before for release ${release}` })
      for (const { current } of managed.slots) current.skip()
      managed.wanted = 'running'
      managed.waived = false
      return []
    }
    managed.spec = spec
    for (const { current } of managed.slots) current.spec = spec
    return [managed]
  })
  for (const managed of due) {
    managed.wanted = 'running'
    managed.waived = false
    // What it needs comes up first; the rest waits for it.
    for (const needed of withDependencies(supervisor, [managed]))
      if (needed !== managed && needsStart(needed)) supervisor.want(needed)
    const isBegun = supervisor.releasing[managed.spec.name] === release
    supervisor.releasing[managed.spec.name] = release
    for (const { current } of managed.slots) {
      // One that another supervisor began goes on; one for another release comes to its end first.
      if (current.hasProcess) await supervisor.until(() => !current.isMoving)
      if (!isBegun || current.phase.is !== 'done') current.restart()
    }
  }
  // Where nothing runs there is nothing to protect: the others are shown waiting.
  if (!serves) for (const managed of wanted) if (managed.spec.run !== 'release') supervisor.want(managed)
  supervisor.lookAgain()
  await settled(supervisor, due.flatMap(instancesOf))
  for (const managed of due) {
    const { spec, slots } = managed
    for (const { current } of slots) {
      const { phase } = current
      if (phase.is === 'done') continue
      managed.waived = serves
      return failureOf(spec.name, current)
    }
  }
  supervisor.save()
  return null
}

function failureOf(
  name: string,
  { phase, waitingWords, lastDetails }: ReturnType<typeof instancesOf>[number],
): Failure {
  const reason = 'reason' in phase && phase.reason !== null ? phase.reason : waitingWords || 'it was stopped'
  return { name, reason, details: lastDetails || undefined }
}

async function removeOthers(supervisor: Supervisor, specs: readonly ProcessSpec[]): Promise<readonly ActionChange[]> {
  const gone = [...supervisor.processes.values()].filter(
    ({ spec }) => !specs.some(({ name, enabled }) => name === spec.name && enabled),
  )
  for (const managed of gone) {
    supervisor.unwant(managed)
    for (const instance of instancesOf(managed)) instance.stop()
  }
  await supervisor.until(() => gone.every((managed) => instancesOf(managed).every(({ isMoving }) => !isMoving)))
  const ran = gone.filter(({ slots }) => slots.some(({ current }) => current.run > 0))
  for (const { spec } of gone) if (!specs.some(({ name }) => name === spec.name)) supervisor.remove(spec.name)
  return ran.map(({ spec: { name } }) => {
    const isDeclared = specs.some((spec) => spec.name === name)
    return isDeclared
      ? { process: name, did: 'stopped', message: 'it is not enabled any more' }
      : { process: name, did: 'removed', message: 'it is declared no more' }
  })
}

/** A process that ran before: nothing, another number of instances, or a reload. */
async function bringUpToDate(
  supervisor: Supervisor,
  managed: Managed,
  spec: ProcessSpec,
  isReload: boolean,
): Promise<{ readonly change: ActionChange; readonly code: ExitCode } | null> {
  const outdated =
    isOutdated(managed, spec) ||
    (isReload && !completes(spec) && managed.slots.some(({ current }) => current.hasProcess))
  if (!outdated) {
    managed.spec = spec
    for (const instance of instancesOf(managed)) instance.spec = spec
    if (spec.schedule) supervisor.want(managed)
  }
  const { spec: previous } = managed
  const result = outdated ? await reloadOne(supervisor, managed, spec) : null
  // Where nobody answers any more, a connection is to be refused, and not to wait for ever.
  if (managed.spec !== previous) supervisor.sockets.close(previous, spec.listen)
  const before = managed.slots.length
  if (before !== spec.instances && spec.run === 'always' && result?.code !== EXIT.refused) {
    const change = await setCount(supervisor, managed, spec.instances)
    return {
      change: result ? { ...result.change, message: `${result.change.message}; ${change.message}` } : change,
      code: result?.code ?? EXIT.done,
    }
  }
  return result
}

/** One line for each process. */
function outcomeOf({ spec, slots }: Managed, isNew: boolean, adopted: ReadonlySet<string>): readonly ActionChange[] {
  for (const { current } of slots) {
    const { phase } = current
    // What runs at certain times has its next one, however the last one ended.
    if (phase.is === 'failed' && !spec.schedule)
      return [
        {
          process: spec.name,
          did: 'failed',
          message: `${current.id}: ${phase.reason}`,
          details: current.lastDetails || undefined,
        },
      ]
    if (current.isFailing) {
      const message = `${current.id}: ${failingWords(current)}`
      return [{ process: spec.name, did: 'failed', message, details: current.lastDetails || undefined }]
    }
    if (phase.is === 'waiting' && !spec.schedule)
      return [{ process: spec.name, did: 'failed', message: current.waitingWords }]
  }
  const process = spec.name
  if (!isNew) return [{ process, did: 'unchanged', message: '' }]
  const nextMs = spec.schedule && slots[0]?.current.nextMs
  if (nextMs != null) return [{ process, did: 'scheduled', message: `next at ${new Date(nextMs).toISOString()}` }]
  const kept = slots.filter(({ current }) => adopted.has(current.id) && current.phase.is === 'running')
  if (kept.length === 0) return [{ process, did: 'started', message: '' }]
  const some = kept.length === slots.length ? '' : `${kept.length} of ${slots.length} `
  return [{ process, did: 'adopted', message: `${some}still running, nothing was interrupted` }]
}

/** The first that was said of a process, unless it failed in the end. */
function unique(changes: readonly ActionChange[]): readonly ActionChange[] {
  const byName = new Map<string, ActionChange>()
  for (const change of changes) {
    const known = byName.get(change.process)
    if (!known || change.did === 'failed') byName.set(change.process, change)
  }
  return [...byName.values()]
}
