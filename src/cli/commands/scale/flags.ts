import { defineCommand } from '../../command.ts'
import { ACTION_OPTIONS, PROJECT_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'scale',
  usage: 'NAME=COUNT...',
  summary: 'Run another number of instances, until the next `up`',
  options: { ...PROJECT_OPTIONS, ...ACTION_OPTIONS },
  examples: [
    ['prodserver scale worker=4', 'four of them'],
    ['prodserver scale worker=+1 web=2', 'one more, and two'],
  ],
})
