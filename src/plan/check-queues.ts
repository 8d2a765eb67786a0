import type { Backend } from '../backends/backend.ts'
import type { Declaration } from '../config/declarations.ts'
import type { Problem } from '../errors.ts'
import { guard } from '../secret.ts'

/** What a library of tasks tells; see deploy_check.py. */
export interface LibraryAnswer {
  /** Why its broker cannot be reached. */
  readonly error: string | null
  /** The queues of the project, each with "TASK goes to" or "SETTING has". */
  readonly queues: Readonly<Record<string, string>>
}

/** A process that takes from queues. */
export interface Consumer {
  readonly process: string
  readonly place: string
  readonly queues: NonNullable<Backend['queues']>
  /** Undefined for all. */
  readonly taken: readonly string[] | undefined
}

/** What a process takes from; undefined where that is not known of its backend, or nothing is started. */
export function consumerOf(
  { name, place, enabled }: Declaration,
  { queues }: Backend,
  values: (option: string) => readonly string[],
): Consumer | undefined {
  if (!queues || enabled === false) return undefined
  const given = queues.option === undefined ? [] : values(queues.option).flatMap((value) => value.split(','))
  const taken = given.length > 0 ? given : queues.unless
  return { process: name, place, queues, taken: taken?.includes('*') ? undefined : taken }
}

/** Said once of each library, at the first process that works for it. */
export function checkQueues(
  found: Readonly<Record<string, LibraryAnswer>>,
  consumers: readonly Consumer[],
): readonly Problem[] {
  return Object.entries(found).flatMap(([library, { error, queues }]): Problem[] => {
    const own = consumers.filter((consumer) => consumer.queues.library === library)
    const [first] = own
    if (!first) return []
    const { process, place } = first
    const { broker, option } = first.queues
    const problems: Problem[] = []
    if (error !== null) {
      const hint = broker === undefined ? undefined : `Start the broker, or correct where it is: ${broker}`
      const message = `Its broker cannot be reached: ${String(guard('', error))}`
      problems.push({ id: 'E704', place, process, message, hint })
    }
    if (option === undefined || own.some(({ taken }) => taken === undefined)) return problems
    const taken = new Set(own.flatMap((consumer) => consumer.taken ?? []))
    for (const [queue, from] of Object.entries(queues)) {
      if (taken.has(queue)) continue
      const message = `${from} the queue ${JSON.stringify(queue)}, and no worker takes from it.`
      const hint = `Add it to the ${JSON.stringify(option)} of a worker; taken are: ${[...taken].join(', ')}`
      problems.push({ id: 'W708', place, process, message, hint })
    }
    return problems
  })
}
