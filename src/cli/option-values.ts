import { splitSet } from '../config/set-text.ts'
import { UsageError } from '../core/errors.ts'
import { parseDurationMs } from '../core/durations.ts'
import type { ParseValue } from './option-spec.ts'

/**
 * Makes a parser that takes one of some words.
 *
 * @throws {UsageError} for any other word, from the parser.
 */
export const oneOf =
  <const T extends string>(words: readonly T[]): ParseValue<T> =>
  (text, { option }) => {
    const word = words.find((one) => one === text)
    if (word !== undefined) return word
    throw new UsageError(`--${option} takes ${inWords(words)}, not ${JSON.stringify(text)}.`)
  }

const inWords = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`

/** Parses a duration, to milliseconds. */
export const duration: ParseValue<number> = (text, { option }) => {
  const ms = parseDurationMs(text)
  if (ms !== undefined) return ms
  throw new UsageError(`--${option} takes a duration such as 30s or 5m, not ${text}.`)
}

/**
 * Parses a point in time as people write it, to milliseconds since the epoch: `10m` for ten minutes ago, `12:30` and
 * `12:30:05` for today, a date with or without a time, `today`, `yesterday`, or RFC 3339. Local, unless a zone is given.
 */
export const pointInTime: ParseValue<number> = (text, { option, nowMs }) => {
  const timeMs = parseRelative(text, nowMs) ?? parseClock(text, nowMs) ?? parseDate(text)
  if (timeMs !== undefined) return timeMs
  throw new UsageError(
    `--${option} takes a time, and ${text} is none.`,
    `Write: --${option} 10m, --${option} 12:30, or --${option} '2026-01-31 12:30'.`,
  )
}

function parseRelative(text: string, nowMs: number): number | undefined {
  const duration = parseDurationMs(text.replace(/^-/, '').replace(/ ago$/, ''))
  if (duration !== undefined) return nowMs - duration
  const midnight = new Date(nowMs).setHours(0, 0, 0, 0)
  if (text === 'now') return nowMs
  if (text === 'today') return midnight
  if (text === 'yesterday') return new Date(midnight).setDate(new Date(midnight).getDate() - 1)
  return undefined
}

function parseClock(text: string, nowMs: number): number | undefined {
  const [, hours, minutes, seconds = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$/.exec(text) ?? []
  if (hours === undefined || minutes === undefined) return undefined
  return new Date(nowMs).setHours(Number(hours), Number(minutes), 0, Math.round(Number(seconds) * 1000))
}

const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i

function parseDate(text: string): number | undefined {
  if (!DATE.test(text)) return undefined
  // JavaScript takes a date without a time for UTC.
  const timeMs = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'))
  return Number.isNaN(timeMs) ? undefined : timeMs
}

/** Parses a number of lines. */
export const lineCount: ParseValue<number | 'all'> = (text, { option }) => {
  if (text === 'all') return text
  if (/^\d+$/.test(text)) return Number(text)
  throw new UsageError(`--${option} takes a number or all, and ${text} is neither.`)
}

/** Checks `NAME.KEY=VALUE`. The plan looks at what it names, together with the declaration. */
export const setText: ParseValue<string> = (text) => {
  if (splitSet(text) !== undefined) return text
  const [path = ''] = text.split('=')
  const isBare = text === path && splitSet(`${path}=`) !== undefined
  throw new UsageError(
    `--set takes NAME.KEY=VALUE or NAME.KEY.INNER=VALUE, and ${path} ${isBare ? 'has no value' : 'names no key'}.`,
    isBare ? `Such as --set ${path}=true.` : 'Such as --set web.ARGS.workers=8.',
  )
}

/** Checks the name of an application: it becomes the name of files, units, programs and labels. */
export const applicationNameText: ParseValue<string> = (text) => {
  if (/^[a-z\d][\w.-]{0,62}$/i.test(text)) return text
  throw new UsageError(
    `--name takes up to 63 letters, digits, "-", "_" and ".", beginning with a letter or digit, not ${JSON.stringify(text)}.`,
  )
}

/** Checks a user. systemd would take an empty one, from a shell variable that is not set, for root. */
export const userText: ParseValue<string> = (text) => {
  if (/^[^\s:/]+$/.test(text)) return text
  throw new UsageError(`--user takes the name or the number of a user, not ${JSON.stringify(text)}.`)
}
