import type { PlannedProcess } from '../../plan.ts'
import type { Check } from '../check.ts'
import { celeryApplications } from './celery.ts'

/** A declared process starts the scheduled jobs of a Celery application. */
export const celeryBeat: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) =>
    celeryApplications(facts).flatMap(({ declaration, answer: { scheduled }, processes }) => {
      if (scheduled.length === 0 || processes.some(isBeat)) return []
      const { name: process, app, placeOf } = declaration
      const message = `${scheduled.join(', ')} ${scheduled.length === 1 ? 'is' : 'are'} scheduled, and nothing is declared that starts what is scheduled.`
      const hint = `Declare it: {"BACKEND": "celery-beat", "APP": ${JSON.stringify(app)}}`
      return [{ id: 'W707', place: placeOf('app'), process, message, hint }]
    }),
}

const isBeat = ({ kind, argv }: PlannedProcess): boolean =>
  kind === 'scheduler' || argv.some((word) => ['-B', '--beat'].includes(String(word)))
