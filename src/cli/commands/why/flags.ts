import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, PROJECT_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'why',
  usage: 'NAME',
  summary: 'Why a process is in its state, and what to do next',
  options: { ...PROJECT_OPTIONS, ...JSON_OPTION, ...COMMON_OPTIONS },
  maxOperands: 1,
  examples: [['prodserver why worker.2', 'its last life, its last output, what it waits for']],
})
