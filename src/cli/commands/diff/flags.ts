import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, JSON_OPTION, PLAN_OPTIONS } from '../../option-sets.ts'
import { flag } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'diff',
  usage: 'ONE OTHER',
  summary: 'How the processes of two settings modules, environments or git revisions differ',
  options: {
    ...PLAN_OPTIONS,
    'exit-code': flag('Exit with 4 where they differ'),
    ...JSON_OPTION,
    ...COMMON_OPTIONS,
  },
  examples: [
    [
      'prodserver diff mysite.staging mysite.production',
      'two settings modules: command lines, environments, everything',
    ],
    ['prodserver diff .env.staging .env.production', 'two environments that the settings are read with'],
    ['prodserver diff HEAD~1 .', 'what the working tree changes; also v1.2 v1.3, or main:mysite.production .'],
    ['prodserver diff git:staging settings:staging', 'where a word could be more than one of them'],
    ['prodserver diff --json mysite.staging mysite.production', 'one JSON object a process'],
  ],
})
