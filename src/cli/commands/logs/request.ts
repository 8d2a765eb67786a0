import { UsageError } from '../../../core/errors.ts'
import type { LogLine } from '../../../logs/lines.ts'
import type { LogQuery } from '../../../logs/read-log.ts'
import type { CommandContext } from '../../command.ts'
import type { OptionsOf } from '../../option-spec.ts'
import type { LogLook } from '../../output/render-log.ts'
import type { FLAGS } from './flags.ts'

type Options = OptionsOf<(typeof FLAGS)['options']>

export type LogsContext = CommandContext<Options>

/** Lines that `logs` reads, and the form in which it prints them. */
export interface LogsRequest {
  readonly selectors: readonly string[]
  readonly query: LogQuery
  readonly follows: boolean
  readonly json: boolean
  readonly raw: boolean
  readonly utc: boolean
  readonly prefix: LogLook['prefix']
}

/** Lines of each instance, when no option limits them. */
const DEFAULT_LAST = 100

/** @throws {UsageError} for options that contradict each other. */
export function createRequest(options: Options, selectors: readonly string[]): LogsRequest {
  refuseContradictions(options)
  const { since, until, run, grep, invert, follow, json, raw, utc, prefix } = options
  return {
    selectors,
    query: {
      sinceMs: since,
      untilMs: until,
      run,
      last: lastOf(options),
      matches: grep && ((line: LogLine) => grep.test(line.line.toString()) !== invert),
    },
    follows: follow,
    json,
    raw,
    utc,
    prefix: prefix ?? (raw ? 'none' : 'short'),
  }
}

/** Number of lines of each instance; undefined for all. */
function lastOf({ lines, since, until, run }: Options): number | undefined {
  if (lines !== undefined) return lines === 'all' ? undefined : lines
  const isLimited = since !== undefined || until !== undefined || run !== undefined
  return isLimited ? undefined : DEFAULT_LAST
}

function refuseContradictions({ follow, until, json, raw, invert, grep }: Options): void {
  if (follow && until !== undefined) throw new UsageError('--follow goes on, and --until ends: choose one.')
  if (json && raw) throw new UsageError('--json and --raw are two forms of the same: choose one.')
  if (invert && grep === undefined) throw new UsageError('--invert needs --grep.', 'Write: --grep PATTERN --invert')
}
