import { defineCommand } from '../../command.ts'
import { CHANGE_OPTIONS, COMMON_OPTIONS, PLAN_OPTIONS } from '../../option-sets.ts'
import { value } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'reload',
  usage: '[NAME...]',
  summary: 'Bring in new code and settings without dropping a request; what works stays if the new does not',
  options: {
    ...PLAN_OPTIONS,
    release: value('ID', 'Names the deployed code, for what runs once a release. Default: git'),
    ...CHANGE_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    ['prodserver reload', 'everything, after a deployment'],
    ['prodserver reload web', 'exit code 4 when the old one was kept'],
  ],
})
