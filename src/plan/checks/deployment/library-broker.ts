import { guard } from '../../../core/secret.ts'
import type { Check } from '../check.ts'
import { taskLibraries } from './libraries.ts'

/** The broker of a task library can be reached. */
export const libraryBroker: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) =>
    taskLibraries(facts).flatMap(({ answer: { error }, first: { process, place, queues } }) => {
      if (error === null) return []
      const message = `Its broker cannot be reached: ${String(guard('', error))}`
      const hint =
        queues.broker === undefined ? undefined : `Start the broker, or correct where it is: ${queues.broker}`
      return [{ id: 'E704', place, process, message, hint }]
    }),
}
