import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, PLAN_OPTIONS } from '../../option-sets.ts'
import { flag } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'show',
  usage: '[NAME...]',
  summary: 'Exactly what would run: command, environment, directory, and where each value comes from',
  options: {
    ...PLAN_OPTIONS,
    ...JSON_OPTION,
    reveal: flag('Show secrets, on a terminal only'),
    ...COMMON_OPTIONS,
  },
  examples: [
    ['prodserver show web', 'the command can be pasted into a shell'],
    ['prodserver show --json', 'the whole plan'],
  ],
})
