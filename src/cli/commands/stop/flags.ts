import { defineCommand } from '../../command.ts'
import { ACTION_OPTIONS, FORCE_OPTION, PROJECT_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'stop',
  usage: '[NAME...]',
  summary: 'Stop processes, letting them finish what they do',
  options: { ...PROJECT_OPTIONS, ...FORCE_OPTION, ...ACTION_OPTIONS },
  examples: [
    ['prodserver stop worker', 'waits for the tasks that are running'],
    ["prodserver stop '@worker' --force", 'all workers, at once'],
  ],
})
