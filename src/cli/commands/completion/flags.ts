import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'completion',
  usage: 'bash|zsh|fish',
  summary: 'Print a completion script for a shell',
  options: COMMON_OPTIONS,
  maxOperands: 1,
  examples: [['source <(prodserver completion bash)', 'for this shell']],
})
