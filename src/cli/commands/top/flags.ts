import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, PROJECT_OPTIONS } from '../../option-sets.ts'
import { flag } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'top',
  usage: '[NAME...]',
  summary: 'What runs, with processor, memory and logs, live',
  options: { ...PROJECT_OPTIONS, once: flag('One look, and the end'), ...JSON_OPTION, ...COMMON_OPTIONS },
  examples: [
    ['prodserver top', 'the keys are shown at its foot'],
    ['prodserver top --once --json', 'for scripts'],
  ],
})
