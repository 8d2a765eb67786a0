import { Cron } from 'croner'

/** A cron expression, and the zone whose clock it is read by. */
interface Schedule {
  readonly cron: string
  readonly tz: string
}

/**
 * The first time after `afterMs` (milliseconds since the epoch), itself not included; null where there is none.
 *
 * An expression has five fields, or six with seconds first, or is `@daily` and the like. Days of the month and of the
 * week are alternatives when both are given, as in every cron. When clocks go forward, a time that does not exist is at
 * the end of the gap (02:30 at 03:00); what runs every few minutes goes on by real time. When clocks go back, a time
 * that exists twice is the first one; what runs every hour runs in both hours.
 *
 * @throws {Error} where `checkSchedule` finds something.
 */
export function nextRun(schedule: Schedule, afterMs: number): number | null {
  const from = new Date(Math.floor(afterMs / 1000) * 1000)
  return parse(schedule).nextRun(from)?.getTime() ?? null
}

/**
 * The first time in the span from `afterMs`, itself not included, to `untilMs`, included. Who looks at the clock asks
 * this of the time since it looked last, and so misses nothing when the clock was set forward, and does nothing twice
 * when it was set back.
 */
export function dueBetween(schedule: Schedule, afterMs: number, untilMs: number): number | null {
  const next = untilMs > afterMs ? nextRun(schedule, afterMs) : null
  return next !== null && next <= untilMs ? next : null
}

/** What is wrong with a schedule, in one sentence; null when it has a next time. */
export function checkSchedule(cron: string, tz: string, nowMs: number): string | null {
  const wrongZone = checkZone(tz)
  if (wrongZone !== null) return wrongZone
  if (!/^(@\w+|\S+(\s+\S+){4,5})$/.test(cron.trim()))
    return `${JSON.stringify(cron)} is not a cron expression of five or six fields.`
  try {
    if (nextRun({ cron, tz }, nowMs) !== null) return null
    return `${JSON.stringify(cron)} has no next time.`
  } catch (error) {
    const words = (error as Error).message.replace(/^\w+: /, '').replace(/\.$/, '')
    return `${JSON.stringify(cron)} is not a cron expression: ${words}.`
  }
}

/** It computes only: without a function to call it sets no timer. */
const parse = ({ cron, tz }: Schedule): Cron =>
  new Cron(cron.trim(), { timezone: tz, mode: '5-or-6-parts', paused: true })

/** What is wrong with a time zone, in one sentence; null when there is one of that name. */
export function checkZone(tz: string): string | null {
  const none = `There is no time zone ${JSON.stringify(tz)}.`
  try {
    return new Intl.DateTimeFormat('en', { timeZone: tz }).resolvedOptions().timeZone === '' ? none : null
  } catch {
    return none
  }
}
