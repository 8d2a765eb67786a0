import { Instance, type World } from './instance.ts'
import type { Managed, Slot } from './managed.ts'
import { type ReloadStrategy, reloadStrategy } from '../../core/reload-strategy.ts'
import type { ProcessSpec } from '../spec.ts'

export interface ReloadContext {
  readonly world: World
  /** Resolves when the condition holds; looked at after every change. */
  readonly until: (condition: () => boolean) => Promise<void>
  readonly save: () => void
  readonly signal: (instance: Instance, signal: NodeJS.Signals) => void
  /** Whether somebody wants it stopped by now, it or everything: nothing of it may be started any more. */
  readonly isUnwanted: (managed: Managed) => boolean
  /** Why a process cannot start by that declaration, because of others; null where it can. */
  readonly obstacle: (spec: ProcessSpec) => string | null
}

export type ReloadOutcome =
  | { readonly ok: true; readonly replaced: number; readonly tookMs: number }
  /** The old ones go on, but for those that were replaced before. */
  | {
      readonly ok: false
      readonly replaced: number
      readonly instance: string
      readonly reason: string
      readonly details: string
    }

/** Brings new code, or another declaration, into a process, one instance after the other. */
export async function reloadProcess(
  managed: Managed,
  spec: ProcessSpec,
  context: ReloadContext,
): Promise<ReloadOutcome> {
  const { world } = context
  const manner = managed.spec.hash === spec.hash || reloadStrategy(spec) !== 'signal' ? reloadStrategy(spec) : 'restart'
  const startedMs = world.nowMs()
  const [slot] = managed.slots
  const obstacle = context.obstacle(spec)
  // What runs is not stopped for what will not start.
  if (obstacle !== null && slot)
    return { ok: false, replaced: 0, instance: slot.current.id, reason: obstacle, details: '' }
  managed.reloading = true
  let replaced = 0
  try {
    for (const slot of managed.slots) {
      const isFirst = replaced === 0
      const failure = context.isUnwanted(managed)
        ? STOPPED
        : await BY_MANNER[manner](slot, spec, withEnd(context, managed), isFirst)
      if (failure) return { ok: false, replaced, instance: slot.current.id, ...failure }
      replaced++
    }
    managed.spec = spec
    return { ok: true, replaced, tookMs: world.nowMs() - startedMs }
  } finally {
    managed.reloading = false
  }
}

/** Another life for one instance, as a reload of it alone: to start it anew is what is wanted, so no signal will do. */
export async function replaceInstance(
  managed: Managed,
  instance: Instance,
  context: ReloadContext,
): Promise<ReloadOutcome> {
  const { nowMs } = context.world
  const slot = managed.slots.find(({ current }) => current === instance)
  const startedMs = nowMs()
  if (!slot) return { ok: true, replaced: 0, tookMs: 0 }
  const manner = reloadStrategy(managed.spec) === 'rolling' ? 'rolling' : 'restart'
  managed.reloading = true
  try {
    const failure = await BY_MANNER[manner](slot, managed.spec, withEnd(context, managed), true)
    if (failure) return { ok: false, replaced: 0, instance: instance.id, ...failure }
    return { ok: true, replaced: 1, tookMs: nowMs() - startedMs }
  } finally {
    managed.reloading = false
  }
}

interface Failure {
  readonly reason: string
  readonly details: string
}

const STOPPED: Failure = { reason: 'it was stopped', details: '' }

/** For one process. */
interface SlotContext extends ReloadContext {
  readonly isOver: () => boolean
}

const withEnd = (context: ReloadContext, managed: Managed): SlotContext => ({
  ...context,
  isOver: () => context.isUnwanted(managed),
})

/** `isFirst`: no life of this code, and this declaration, has shown yet that it is fit. */
type Replace = (slot: Slot, spec: ProcessSpec, context: SlotContext, isFirst: boolean) => Promise<Failure | null>

const BY_MANNER: Readonly<Record<ReloadStrategy, Replace>> = { rolling, signal, restart }

/** The new one starts beside the old one, which goes when the new one is ready, and stays when it is not. */
async function rolling(slot: Slot, spec: ProcessSpec, context: SlotContext, isFirst: boolean): Promise<Failure | null> {
  const { world, until, save } = context
  const old = slot.current
  // An adopted replacement of an earlier reload may still be stopping.
  if (slot.beside !== null) await until(() => slot.beside === null)
  if (context.isOver()) return STOPPED
  if (!old.hasProcess) return restart(slot, spec, context)
  if (isFirst && isTriedFirst(spec)) {
    const failure = await tryFirst(slot, spec, context)
    if (failure) return failure
    if (context.isOver()) return STOPPED
  }
  // Until it has proved itself, its first end is its last.
  const next = new Instance(old.id, onlyOnce(spec), world, old.lastRun)
  const failure = await startBeside(slot, next, context)
  if (failure) return failure
  next.spec = spec
  slot.current = next
  slot.beside = old
  save()
  old.stop()
  await until(() => !old.isMoving)
  old.leave()
  slot.beside = null
  save()
  return null
}

/**
 * On a shared socket whoever listens is given requests, fit for them or not. Only a probe that asks for an answer can
 * find that it is not: what cannot start at all never listens.
 */
const isTriedFirst = ({ listen, ready }: ProcessSpec): boolean =>
  listen.length > 0 && (ready.http !== undefined || ready.exec !== undefined)

/** How long a life that served nobody may take to end. */
const TRIAL_STOP_MS = 3000
/** Of a trial these say nothing that the outcome does not say. */
const OF_COURSE: ReadonlySet<string> = new Set(['ready', 'stopping', 'stopped', 'failed', 'killed'])

/** A life of the new code, at an address of its own, which shows that it gets ready and goes. */
async function tryFirst(slot: Slot, spec: ProcessSpec, context: SlotContext): Promise<Failure | null> {
  const { world, until, save } = context
  const quiet: World = {
    ...world,
    write: (news) => {
      if (!OF_COURSE.has(news.type) && !(news.type === 'exited' && trial.phase.is === 'stopping')) world.write(news)
    },
  }
  const stop = { ...spec.stop, timeoutMs: Math.min(spec.stop.timeoutMs, TRIAL_STOP_MS) }
  const trial: Instance = new Instance(slot.current.id, { ...onlyOnce(spec), stop }, quiet, slot.current.lastRun, true)
  const failure = await startBeside(slot, trial, context)
  if (failure) return failure
  trial.stop()
  await until(() => !trial.isMoving)
  trial.leave()
  slot.beside = null
  save()
  return null
}

const onlyOnce = (spec: ProcessSpec): ProcessSpec => ({ ...spec, restart: { ...spec.restart, policy: 'never' } })

/** Resolves when it is ready, or has gone and said why. */
async function startBeside(slot: Slot, next: Instance, { until, save }: SlotContext): Promise<Failure | null> {
  slot.beside = next
  next.start()
  next.go()
  slot.current.countRuns(next.run)
  await until(() => next.phase.is === 'running' || !next.isMoving || isGoing(next))
  if (next.phase.is === 'running') return null
  await until(() => !next.isMoving)
  next.leave()
  slot.beside = null
  save()
  return { reason: reasonOf(next), details: next.lastDetails }
}

function reasonOf({ phase, lastExit }: Instance): string {
  if (phase.is !== 'failed') return 'it was stopped'
  return phase.reason === lastExit?.words ? `${phase.reason}, before it was ready` : phase.reason
}

const isGoing = ({ phase }: Instance): boolean => phase.is === 'stopping' || phase.is === 'backoff'

/** The program does it by itself. */
async function signal({ current }: Slot, spec: ProcessSpec, context: SlotContext): Promise<Failure | null> {
  current.spec = spec
  context.signal(current, 'SIGHUP')
  return null
}

/** The old one goes first. */
async function restart(
  { current }: Slot,
  spec: ProcessSpec,
  { until, obstacle }: SlotContext,
): Promise<Failure | null> {
  current.spec = spec
  current.restart()
  await until(
    () =>
      current.phase.is === 'running' ||
      current.phase.is === 'done' ||
      !current.isMoving ||
      current.phase.is === 'backoff' ||
      // What it needs may have failed meanwhile.
      (current.phase.is === 'waiting' && obstacle(spec) !== null),
  )
  const { phase } = current
  if (phase.is === 'running' || phase.is === 'done') return null
  const blocked = phase.is === 'waiting' ? obstacle(spec) : null
  const reason = 'reason' in phase && phase.reason !== null ? phase.reason : (blocked ?? 'it was stopped')
  return { reason, details: current.lastDetails }
}
