/** Durations: text that people write, milliseconds, and one printed form. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS }

/** Pattern of a duration. Without flags, because the JSON Schema contains it. */
export const DURATION: RegExp = /^\s*(\d+(\.\d+)?|(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+)\s*$/

/** Parses `"30s"`, `"1m30s"`, `"500ms"`, `"2"` or a number of seconds. Returns undefined for anything else. */
export function parseDurationMs(value: string | number): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value * 1000 : undefined
  if (!DURATION.test(value)) return undefined
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  return [...text.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit as string] as number),
    0,
  )
}

/** Prints a duration to the millisecond: `0.25s`, `30s`, `1m 30s`, `10m`, `1d 12h`. `parseDurationMs` reads it back. */
export function printDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms))
  const parts: string[] = []
  for (const unit of ['d', 'h', 'm']) {
    const unitMs = UNIT_MS[unit] as number
    if (rest >= unitMs) parts.push(`${Math.floor(rest / unitMs)}${unit}`)
    rest %= unitMs
  }
  if (rest > 0 || parts.length === 0) parts.push(`${rest / 1000}s`)
  return parts.join(' ')
}

/** Prints a measured duration: tenths of a second below ten seconds, else the two largest units (`2m 5s`, `3d 4h`). */
export function printElapsed(ms: number): string {
  if (ms < 9950) return printDuration(Math.round(ms / 100) * 100)
  const rounded = Math.round(ms / 1000) * 1000
  return printDuration(rounded - (rounded % secondUnitMs(rounded)))
}

/** Returns the unit below the largest unit of a duration. */
function secondUnitMs(ms: number): number {
  if (ms >= DAY_MS) return HOUR_MS
  return ms >= HOUR_MS ? MINUTE_MS : 1000
}

/** Prints a duration for Go programs, such as Compose and Nomad: `90s`, `500ms`. */
export const printGoDuration = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.round(ms)}ms`)

/** Converts to seconds, with a fraction, for systemd, shells and Python. */
export const toSeconds = (ms: number): number => ms / 1000

/** Converts to whole seconds, rounded up. */
export const toWholeSeconds = (ms: number): number => Math.ceil(ms / 1000)
