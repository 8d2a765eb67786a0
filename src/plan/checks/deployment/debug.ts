import type { Check } from '../check.ts'

/** `DEBUG` is off. */
export const debug: Check<'deploy'> = {
  when: 'deploy',
  find: ({ deployment, answer: { settingsModule } }) => {
    if (!deployment.debug) return []
    const message = `DEBUG is on in ${settingsModule}: errors show the settings and the code to everybody, and memory grows.`
    const hint = 'Set DEBUG = False, or name the settings for production: --settings mysite.production'
    return [{ id: 'E701', place: 'DEBUG', message, hint }]
  },
}
