import { defineCommand } from '../../command.ts'
import { ACTION_OPTIONS, PROJECT_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'restart',
  usage: '[NAME...]',
  summary: 'Stop and start again; `reload` does it without a gap',
  options: { ...PROJECT_OPTIONS, ...ACTION_OPTIONS },
  examples: [['prodserver restart web.2', 'one instance']],
})
