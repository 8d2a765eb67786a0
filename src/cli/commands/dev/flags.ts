import { defineCommand } from '../../command.ts'
import { COMMON_OPTIONS, PROJECT_OPTIONS } from '../../option-sets.ts'

export const FLAGS = defineCommand({
  name: 'dev',
  usage: '[ARGS...]',
  summary: "Become Django's development server",
  options: { ...PROJECT_OPTIONS, ...COMMON_OPTIONS },
  passOn: ['settings', 'python', 'project'],
  passOnUnknown: true,
  examples: [
    ['prodserver dev 8001', 'as manage.py runserver 8001'],
    ['prodserver dev --noreload', 'every option of runserver'],
  ],
})
