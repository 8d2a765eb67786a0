import { defineCommand } from '../../command.ts'
import { ACTION_OPTIONS, FORCE_OPTION, PROJECT_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'down',
  usage: '',
  summary: 'Stop everything, prove that nothing is left, and end the supervisor',
  options: { ...PROJECT_OPTIONS, ...FORCE_OPTION, ...ACTION_OPTIONS },
  examples: [['prodserver down', 'in reverse order']],
})
