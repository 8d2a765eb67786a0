import { defineCommand } from '../../command.ts'
import { ACTION_OPTIONS, PROJECT_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'start',
  usage: '[NAME...]',
  summary: 'Start what was stopped or has failed',
  options: { ...PROJECT_OPTIONS, ...ACTION_OPTIONS },
  examples: [['prodserver start worker', 'and what it depends on']],
})
