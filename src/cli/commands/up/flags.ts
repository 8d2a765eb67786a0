import { defineCommand } from '../../command.ts'
import { CHANGE_OPTIONS, COMMON_OPTIONS, PLAN_OPTIONS } from '../../option-sets.ts'
import { oneOf } from '../../option-values.ts'
import { flag, parsed, value } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'up',
  usage: '[NAME...]',
  summary: 'Start all that is declared and keep it running; again, to apply what was changed',
  options: {
    ...PLAN_OPTIONS,
    detach: flag('In the background; returns when all is ready', { short: 'd' }),
    wait: flag('The same as -d: return when all is ready'),
    release: value('ID', 'Names the deployed code, for what runs once a release. Default: git'),
    'exit-on': parsed(
      'WHEN',
      'End with the first that failed (failure) or ended (any). Default never; failure as process 1',
      oneOf(['failure', 'any', 'never']),
    ),
    ...CHANGE_OPTIONS,
    ...COMMON_OPTIONS,
  },
  examples: [
    ['prodserver up', 'in the foreground, with all output; Ctrl-C stops'],
    ['prodserver up -d', 'in the background'],
    ['prodserver up web', 'only the web server, and what it depends on'],
    ['prodserver up -d --set web.ARGS.workers=8', 'until the next `up`; a reload keeps it'],
  ],
})
