import { guard } from '../../../core/secret.ts'
import type { Check } from '../check.ts'
import { celeryApplications } from './celery.ts'

/** The broker of a Celery application can be reached. */
export const celeryBroker: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) =>
    celeryApplications(facts).flatMap(({ declaration: { name: process, placeOf }, answer: { error } }) => {
      if (error === null) return []
      const message = `Its broker cannot be reached: ${String(guard('', error))}`
      const hint = 'Start the broker, or correct where it is: CELERY_BROKER_URL'
      return [{ id: 'E704', place: placeOf('app'), process, message, hint }]
    }),
}
