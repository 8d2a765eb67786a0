import { UsageError } from '../../../core/errors.ts'
import type { LogLine } from '../../../logs/lines.ts'
import type { LogQuery } from '../../../logs/read-log.ts'
import type { ParsedOptions } from '../../options.ts'
import { parseLines, parseTime } from '../../option-values.ts'
import { type LogLook, PREFIXES } from '../../output/render-log.ts'

/** What `logs` is asked for. */
export interface LogsRequest {
  readonly selectors: readonly string[]
  readonly query: LogQuery
  readonly follows: boolean
  readonly json: boolean
  readonly raw: boolean
  readonly utc: boolean
  readonly prefix: LogLook['prefix']
}

/** Of each instance, where nothing else says how many. */
const DEFAULT_LAST = 100

/** @throws {UsageError} */
export function parseLogs({ values, positionals }: ParsedOptions, nowMs: number): LogsRequest {
  const value = (name: string): string | undefined => values[name]?.at(-1)
  const has = (name: string): boolean => values[name] !== undefined
  const time = (name: string): number | undefined => {
    const text = value(name)
    return text === undefined ? undefined : parseTime(text, name, nowMs)
  }
  const [sinceMs, untilMs, run] = [time('since'), time('until'), parseRun(value('run'))]
  if (has('follow') && untilMs !== undefined) throw new UsageError('--follow goes on, and --until ends: choose one.')
  if (has('json') && has('raw')) throw new UsageError('--json and --raw are two forms of the same: choose one.')
  if (has('invert') && !has('grep')) throw new UsageError('--invert needs --grep.', 'Write: --grep PATTERN --invert')
  const isWhole = sinceMs !== undefined || untilMs !== undefined || run !== undefined
  return {
    selectors: positionals,
    query: {
      sinceMs,
      untilMs,
      run,
      last: parseLines(value('lines'), isWhole ? undefined : DEFAULT_LAST),
      matches: parsePattern(value('grep'), has('invert')),
    },
    follows: has('follow'),
    json: has('json'),
    raw: has('raw'),
    utc: has('utc'),
    prefix: parsePrefix(value('prefix') ?? (has('raw') ? 'none' : 'short')),
  }
}

function parseRun(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^-?[1-9]\d*$/.test(text)) return Number(text)
  throw new UsageError(
    `--run takes the number of a life, and ${text} is none.`,
    'Write: --run 1 for the first, --run -1 for the last.',
  )
}

function parsePattern(text: string | undefined, inverts: boolean): ((line: LogLine) => boolean) | undefined {
  if (text === undefined) return undefined
  try {
    const pattern = new RegExp(text, 'u')
    return ({ line }) => pattern.test(line.toString()) !== inverts
  } catch (error) {
    throw new UsageError(
      `--grep takes a regular expression: ${(error as Error).message.replace(/^Invalid regular expression: /, '')}.`,
    )
  }
}

function parsePrefix(text: string): LogLook['prefix'] {
  const prefix = PREFIXES.find((name) => name === text)
  if (prefix) return prefix
  throw new UsageError(`--prefix takes ${PREFIXES.join(', ')}, and not ${text}.`)
}
