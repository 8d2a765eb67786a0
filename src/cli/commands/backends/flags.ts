import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, PROJECT_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'backends',
  usage: '',
  summary: 'What may stand in BACKEND: what is known, what is installed, and what the rest needs',
  options: { ...PROJECT_OPTIONS, ...JSON_OPTION, ...COMMON_OPTIONS },
  maxOperands: 0,
  examples: [
    ['prodserver backends', 'a table, and what to type for those that lack something'],
    ['prodserver backends --json', 'one JSON object a line'],
  ],
})
