import type { Backend } from '../../../backends/backend.ts'
import { isGiven } from '../../../backends/command-line.ts'
import type { LibraryAnswer } from '../../../inspect/answers.ts'
import type { FactsOfDeployment, ProcessFacts } from '../../facts.ts'

/** One task library other than Celery that the project uses; see `Backend.queues`. */
export interface TaskLibrary {
  readonly name: string
  readonly answer: LibraryAnswer
  /** The first of the consumers; problems are reported there. */
  readonly first: Consumer
  readonly consumers: readonly Consumer[]
}

/** An enabled process that takes from the queues of a library. */
interface Consumer {
  readonly process: string
  readonly place: string
  readonly queues: NonNullable<Backend['queues']>
  /** Names of the queues that the process takes from; undefined for all. */
  readonly taken: readonly string[] | undefined
  /** Number of instances that start periodic tasks. */
  readonly schedulers: number
}

/** Libraries that a declared process works for. */
export function taskLibraries({ deployment, processes }: FactsOfDeployment): readonly TaskLibrary[] {
  const all = processes.flatMap((process) => consumerOf(process) ?? [])
  return Object.entries(deployment.libraries).flatMap(([name, answer]) => {
    const consumers = all.filter(({ queues }) => queues.library === name)
    const [first] = consumers
    return first ? [{ name, answer, first, consumers }] : []
  })
}

function consumerOf({ resolved, command, planned }: ProcessFacts): Consumer | undefined {
  const { queues, options = {} } = resolved?.backend ?? {}
  if (!queues || !command || !planned?.enabled) return undefined
  const { schedulesUnless, option } = queues
  const schedules = schedulesUnless !== undefined && !isGiven([schedulesUnless], command.input, options)
  const given = option === undefined ? [] : command.values(option).flatMap((value) => value.split(','))
  const taken = given.length > 0 ? given : queues.unless
  return {
    process: planned.name,
    place: planned.place,
    queues,
    taken: taken?.includes('*') ? undefined : taken,
    schedulers: schedules ? planned.instances : 0,
  }
}
