import { UsageError } from '../../../core/errors.ts'
import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, ON_CLUSTER_OPTIONS, PROJECT_OPTIONS } from '../../option-sets.ts'
import { lineCount, oneOf, pointInTime } from '../../option-values.ts'
import type { ParseValue } from '../../option-spec.ts'
import { flag, parsed } from '../../options.ts'

const invocationNumber: ParseValue<number> = (text) => {
  if (/^-?[1-9]\d*$/.test(text)) return Number(text)
  throw new UsageError(
    `--run takes the number of a life, and ${text} is none.`,
    'Write: --run 1 for the first, --run -1 for the last.',
  )
}

const pattern: ParseValue<RegExp> = (text) => {
  try {
    return new RegExp(text, 'u')
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: /, '')
    throw new UsageError(`--grep takes a regular expression: ${reason}.`)
  }
}

export const FLAGS = defineCommand({
  name: 'logs',
  usage: '[NAME...]',
  summary: 'What the processes print',
  options: {
    ...PROJECT_OPTIONS,
    follow: flag('Go on with what is printed from now on', { short: 'f' }),
    lines: parsed('N', 'The last N of each instance, or all; else 100', lineCount, { short: 'n' }),
    since: parsed('TIME', 'From a time on: 10m, 12:30, "2026-01-31 12:30"', pointInTime),
    until: parsed('TIME', 'Up to a time', pointInTime),
    grep: parsed('PATTERN', 'Only lines that match a regular expression', pattern),
    invert: flag('Only lines that do not', { short: 'v' }),
    run: parsed('N', 'Only one life of an instance: 1 is its first, -1 its last', invocationNumber),
    ...JSON_OPTION,
    raw: flag('The bytes as they were printed'),
    prefix: parsed('KIND', 'What stands before each line: short, long, none', oneOf(['short', 'long', 'none'])),
    utc: flag('Times in UTC'),
    ...ON_CLUSTER_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    ['prodserver logs -f', 'all processes, past and future'],
    ['prodserver logs worker --since 10m --grep Timeout', 'the last ten minutes of one'],
    ['prodserver logs web.2 --run -1', 'the last life of an instance, from its beginning'],
  ],
})
