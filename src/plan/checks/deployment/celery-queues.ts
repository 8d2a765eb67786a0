import type { Problem } from '../../../core/errors.ts'
import type { PlannedProcess } from '../../plan.ts'
import type { Check } from '../check.ts'
import { type CeleryApplication, celeryApplications } from './celery.ts'

/** A worker takes from each queue that tasks of a Celery application are routed to. */
export const celeryQueues: Check<'deploy'> = {
  when: 'deploy',
  find: (facts) => celeryApplications(facts).flatMap(untakenQueues),
}

function untakenQueues({ declaration, answer: { routed, queues }, processes }: CeleryApplication): readonly Problem[] {
  const workers = processes.filter(({ kind }) => kind === 'worker')
  const taken = new Set(workers.flatMap((worker) => queuesOf(worker) ?? queues))
  return Object.entries(routed)
    .filter(([, queue]) => !taken.has(queue))
    .map(([task, queue]): Problem => {
      const message = `${task} goes to the queue ${JSON.stringify(queue)}, and no worker takes from it.`
      const hint = `Add it to the "queues" of a worker; taken are: ${[...taken].join(', ')}`
      return { id: 'W708', place: declaration.placeOf('app'), process: declaration.name, message, hint }
    })
}

/** The queues that a worker is given; undefined if it is given none. */
function queuesOf({ argv }: PlannedProcess): readonly string[] | undefined {
  const words = argv.map(String)
  const at = words.indexOf('-Q')
  const joined = words.find((word) => word.startsWith('--queues='))?.slice('--queues='.length)
  const given = joined ?? (at >= 0 ? words[at + 1] : undefined)
  return given?.split(',')
}
