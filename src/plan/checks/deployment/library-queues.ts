import type { Problem } from '../../../core/errors.ts'
import type { Check } from '../check.ts'
import { type TaskLibrary, taskLibraries } from './libraries.ts'

/** A worker takes from each queue of a task library. */
export const libraryQueues: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) => taskLibraries(facts).flatMap(untakenQueues),
}

function untakenQueues({ answer: { queues }, first, consumers }: TaskLibrary): readonly Problem[] {
  const { process, place } = first
  const { option } = first.queues
  if (option === undefined || consumers.some(({ taken }) => taken === undefined)) return []
  const taken = new Set(consumers.flatMap((consumer) => consumer.taken ?? []))
  return Object.entries(queues)
    .filter(([queue]) => !taken.has(queue))
    .map(([queue, from]): Problem => {
      const message = `${from} the queue ${JSON.stringify(queue)}, and no worker takes from it.`
      const hint = `Add it to the ${JSON.stringify(option)} of a worker; taken are: ${[...taken].join(', ')}`
      return { id: 'W708', place, process, message, hint }
    })
}
