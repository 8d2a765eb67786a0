import { defineCommand } from '../../command.ts'
import { ANSWER_OPTION, COMMON_OPTIONS, JSON_OPTION, PLAN_OPTIONS } from '../../option-sets.ts'
import { flag } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'list',
  usage: '',
  summary: 'The declared processes',
  options: {
    ...PLAN_OPTIONS,
    ...JSON_OPTION,
    backends: flag('What may stand in BACKEND instead: the command backends'),
    names: flag('Only the names, one a line'),
    ...ANSWER_OPTION,
    ...COMMON_OPTIONS,
  },
  maxOperands: 0,
  examples: [
    ['prodserver list', 'a table'],
    ['prodserver list --json', 'one JSON object a line'],
  ],
})
