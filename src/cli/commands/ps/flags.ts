import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, ON_CLUSTER_OPTIONS, PROJECT_OPTIONS } from '../../option-sets.ts'
import { flag } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'ps',
  usage: '[NAME...]',
  summary: 'What runs, and whether it is as it should be',
  options: {
    ...PROJECT_OPTIONS,
    ...JSON_OPTION,
    summary: flag('One line for all instances of a process in the same state', { short: 's' }),
    ...ON_CLUSTER_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    ['prodserver ps', 'exit code 0 when all that should run are ready, 3 when nothing runs'],
    ["prodserver ps 'work*'", 'some of it; also web.2, @worker'],
  ],
})
