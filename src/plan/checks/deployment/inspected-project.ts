import type { Check } from '../check.ts'

/** The running project could be inspected. */
export const inspectedProject: Check = {
  when: 'always',
  find: ({ python, answer }) => {
    const found = python?.deploy
    if (!found || !('error' in found)) return []
    const message = `The project was not looked at: ${found.error.type}: ${found.error.message.split('\n')[0]}`
    return [{ id: 'W701', place: answer.settingsModule, message, details: found.error.text.trimEnd() }]
  },
}
