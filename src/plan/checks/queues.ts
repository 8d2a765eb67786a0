import { type Backend, type CommandInput, isGiven } from '../../backends/backend.ts'
import type { Problem } from '../../core/errors.ts'
import { guard } from '../../core/secret.ts'
import type { LibraryAnswer } from '../../inspect/answers.ts'
import type { PlannedProcess } from '../plan.ts'

/** A process that takes from queues. */
export interface Consumer {
  readonly process: string
  readonly place: string
  readonly queues: NonNullable<Backend['queues']>
  /** Undefined for all. */
  readonly taken: readonly string[] | undefined
  /** How many of its instances start periodic tasks. */
  readonly schedulers: number
}

/** What a process takes from; undefined where that is not known of its backend, or nothing is started. */
export function consumerOf(
  { name, place, enabled, instances }: PlannedProcess,
  { queues, options = {} }: Backend,
  input: CommandInput,
  values: (option: string) => readonly string[],
): Consumer | undefined {
  if (!queues || !enabled) return undefined
  const { schedulesUnless } = queues
  const schedules = schedulesUnless !== undefined && !isGiven([schedulesUnless], input, options)
  const given = queues.option === undefined ? [] : values(queues.option).flatMap((value) => value.split(','))
  const taken = given.length > 0 ? given : queues.unless
  return {
    process: name,
    place,
    queues,
    taken: taken?.includes('*') ? undefined : taken,
    schedulers: schedules ? instances : 0,
  }
}

/** Said once of each library, at the first process that works for it. */
export function checkQueues(
  found: Readonly<Record<string, LibraryAnswer>>,
  consumers: readonly Consumer[],
): readonly Problem[] {
  return Object.entries(found).flatMap(([library, { error, queues, periodic }]): Problem[] => {
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
    const schedulers = own.reduce((sum, consumer) => sum + consumer.schedulers, 0)
    if (periodic.length > 0 && schedulers > 1) {
      const message = `${schedulers} processes start the periodic tasks of ${library}, and so ${periodic.join(', ')} would run ${schedulers} times.`
      const hint = `Give ${JSON.stringify(first.queues.schedulesUnless)} to all but one, in a process of its own`
      problems.push({ id: 'E402', place, process, message, hint })
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
