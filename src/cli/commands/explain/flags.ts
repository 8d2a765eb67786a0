import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'explain',
  usage: 'ID',
  summary: 'What a problem means, with a bad and a good example',
  options: COMMON_OPTIONS,
  maxOperands: 1,
  examples: [['prodserver explain E303', 'the page of the reference on it']],
})
