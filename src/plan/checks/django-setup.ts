import type { Check } from './check.ts'

/** `django.setup()` succeeds, if a question to the interpreter needed it. */
export const djangoSetup: Check = {
  when: 'always',
  find: ({ python, answer }) => {
    const error = python?.ready?.error
    if (!error) return []
    const message = `Django cannot be set up: ${error.type}: ${error.message.split('\n')[0]}`
    return [{ id: 'E210', place: answer.settingsModule, message, details: error.text.trimEnd() }]
  },
}
