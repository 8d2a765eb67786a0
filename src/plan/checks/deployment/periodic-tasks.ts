import type { Check } from '../check.ts'
import { taskLibraries } from './libraries.ts'

/** One process starts the periodic tasks of a task library. */
export const periodicTasks: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) =>
    taskLibraries(facts).flatMap(({ name, answer: { periodic }, first, consumers }) => {
      const schedulers = consumers.reduce((sum, consumer) => sum + consumer.schedulers, 0)
      if (periodic.length === 0 || schedulers <= 1) return []
      const message = `${schedulers} processes start the periodic tasks of ${name}, and so ${periodic.join(', ')} would run ${schedulers} times.`
      const hint = `Give ${JSON.stringify(first.queues.schedulesUnless)} to all but one, in a process of its own`
      return [{ id: 'E402', place: first.place, process: first.process, message, hint }]
    }),
}
