import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, PROJECT_OPTIONS } from '../../option-sets.ts'
import { lineCount, pointInTime } from '../../option-values.ts'
import { flag, parsed } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'events',
  usage: '[NAME...]',
  summary: 'What happened to the processes: starts, ends, reloads',
  options: {
    ...PROJECT_OPTIONS,
    follow: flag('Go on with what happens from now on', { short: 'f' }),
    lines: parsed('N', 'The last N, or all; else 100', lineCount, { short: 'n' }),
    since: parsed('TIME', 'From a time on: 10m, 12:30, "2026-01-31 12:30"', pointInTime),
    ...JSON_OPTION,
    utc: flag('Times in UTC'),
    ...COMMON_OPTIONS,
  },
  examples: [['prodserver events -f --json', 'one JSON object a line: for a webhook, a pipe is enough']],
})
