import { defineCommand } from '../../command.ts'
import { ANSWER_OPTION, COMMON_OPTIONS, DJANGO_OPTIONS, PLAN_OPTIONS } from '../../option-sets.ts'
import { flag } from '../../options.ts'

export const FLAGS = defineCommand({
  name: 'run',
  usage: '[NAME] [ARGS...]',
  summary: 'Become that process; the first declared, if none is named',
  options: {
    ...PLAN_OPTIONS,
    ...DJANGO_OPTIONS,
    quiet: flag('Say nothing before the program starts', { short: 'q' }),
    ...ANSWER_OPTION,
    ...COMMON_OPTIONS,
  },
  passOn: ['settings', 'python', 'project', 'set'],
  examples: [
    ['prodserver run web', 'become the web server'],
    ['prodserver web', 'the same, where no command has that name'],
    ['prodserver run web --workers=8', 'extra arguments come last and win'],
    ['prodserver run web --set web.ENV.DEBUG=1', 'another value than the declared one; any key of a process'],
    ['prodserver run --settings mysite.production worker', 'with other settings'],
  ],
})
