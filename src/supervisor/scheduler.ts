import type { Managed } from './process/managed.ts'
import { nextRun } from '../plan/schedule.ts'

export interface Scheduler {
  /** From now on it is started at its times. */
  readonly plan: (managed: Managed) => void
  readonly cancel: (managed: Managed) => void
  readonly close: () => void
}

/** The clock of the machine may be set at any time, so a long wait looks at it now and then. */
const LONGEST_WAIT_MS = 30_000
/** A clock that goes back further than by a change to winter time was wrong before: it is not waited for. */
const CLOCK_WAS_WRONG_MS = 3 * 3_600_000

/** Starts what has a schedule. A time that was missed, because the clock jumped over it, is made up for once. */
export function createScheduler(fire: (managed: Managed) => void, now: () => number = Date.now): Scheduler {
  const timers = new Map<Managed, NodeJS.Timeout>()
  /** What the clock said when a next time was looked for. */
  const plannedMs = new Map<Managed, number>()

  const cancel = (managed: Managed): void => {
    clearTimeout(timers.get(managed))
    timers.delete(managed)
    plannedMs.delete(managed)
    for (const { current } of managed.slots) current.nextMs = null
  }

  const wait = (managed: Managed): void => {
    const nextMs = managed.slots[0]?.current.nextMs
    if (nextMs == null) return
    const timer = setTimeout(() => look(managed), Math.min(Math.max(nextMs - now(), 1), LONGEST_WAIT_MS))
    timers.set(managed, timer)
  }

  const setNext = (managed: Managed): void => {
    const { schedule } = managed.spec
    const [slot] = managed.slots
    if (!schedule || !slot) return
    const nowMs = now()
    plannedMs.set(managed, nowMs)
    if (managed.firedMs !== null && managed.firedMs - nowMs > CLOCK_WAS_WRONG_MS) managed.firedMs = null
    slot.current.nextMs = nextRun(schedule, Math.max(nowMs, managed.firedMs ?? 0))
  }

  const look = (managed: Managed): void => {
    const nextMs = managed.slots[0]?.current.nextMs ?? null
    const nowMs = now()
    if (nextMs !== null && nowMs >= nextMs) {
      managed.firedMs = nextMs
      fire(managed)
      setNext(managed)
    } else if ((plannedMs.get(managed) ?? 0) - nowMs > CLOCK_WAS_WRONG_MS) setNext(managed)
    wait(managed)
  }

  return {
    plan: (managed) => {
      cancel(managed)
      setNext(managed)
      wait(managed)
    },
    cancel,
    close: () => {
      for (const timer of timers.values()) clearTimeout(timer)
      timers.clear()
    },
  }
}
