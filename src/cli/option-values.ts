import { parseDurationMs } from '../core/durations.ts'
import { UsageError } from '../core/errors.ts'

/**
 * A point in time as people write it: `10m` for ten minutes ago, `12:30` and `12:30:05` for today, a date with or
 * without a time, `today`, `yesterday`, or RFC 3339. Local, unless a zone is given.
 *
 * @throws {UsageError} when it is none of these.
 */
export function parseTime(text: string, option: string, nowMs: number): number {
  const duration = parseDurationMs(text.replace(/^-/, '').replace(/ ago$/, ''))
  if (duration !== undefined) return nowMs - duration
  const midnight = new Date(nowMs).setHours(0, 0, 0, 0)
  if (text === 'now') return nowMs
  if (text === 'today') return midnight
  if (text === 'yesterday') return new Date(midnight).setDate(new Date(midnight).getDate() - 1)
  const [, hours, minutes, seconds = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$/.exec(text) ?? []
  if (hours !== undefined && minutes !== undefined) {
    return new Date(nowMs).setHours(Number(hours), Number(minutes), 0, Math.round(Number(seconds) * 1000))
  }
  const date = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i.test(text)
    ? // A date alone would be taken for UTC.
      Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'))
    : Number.NaN
  if (!Number.isNaN(date)) return date
  throw new UsageError(
    `--${option} takes a time, and ${text} is none.`,
    `Write: --${option} 10m, --${option} 12:30, or --${option} '2026-01-31 12:30'.`,
  )
}

/**
 * How many lines: a number, or `all`, which is undefined.
 *
 * @throws {UsageError} when it is neither.
 */
export function parseLines(text: string | undefined, otherwise: number | undefined): number | undefined {
  if (text === undefined) return otherwise
  if (text === 'all') return undefined
  if (/^\d+$/.test(text)) return Number(text)
  throw new UsageError(`--lines takes a number or all, and ${text} is neither.`)
}
