import { longName } from '../../../args/grammar.ts'
import type { Workers } from '../../../backends/backend.ts'
import { spellingAt } from '../../../config/declarations.ts'
import type { MemoryAnswer } from '../../../inspect/answers.ts'
import { type Facts, isComplete, type ProcessFacts } from '../../facts.ts'
import type { PlannedProcess } from '../../plan.ts'

/** An enabled process, and what it needs of the machine. */
export interface Demand {
  readonly planned: PlannedProcess
  /** Processes that one instance starts itself. */
  readonly workers: Workers
  /** The place where their number is declared; null if the program chooses it. */
  readonly workersPlace: string | null
  /** The place where their number of connections is declared. */
  readonly connectionsPlace: string
  /** Measured memory of one process; null if it could not be measured. */
  readonly memory: MemoryAnswer | null
}

export const demandsOf = (facts: Facts): readonly Demand[] =>
  facts.processes.filter(isComplete).flatMap((process) => demandOf(process, facts) ?? [])

function demandOf({ declaration, resolved, command, planned }: ProcessFacts, { python }: Facts): Demand | undefined {
  if (!resolved || !command || !planned?.enabled) return undefined
  const placeOf = (option: string | undefined): string | null => {
    const grammar = resolved.backend.options ?? {}
    const declared = command.options.find(({ name }) => longName(name, grammar) === option)
    return declared ? declaration.placeOf('args', declared.key) : null
  }
  const { workers } = command
  return {
    planned,
    workers,
    workersPlace: placeOf(workers.option),
    connectionsPlace: placeOf(workers.connections?.option) ?? declaration.place,
    memory: python?.memory?.[declaration.name] ?? null,
  }
}

/** Number of processes of the system that a demand starts. */
export const processCount = ({ planned, workers }: Demand): number => planned.instances * workers.processes

/** Memory of one instance before its first request or task. */
export function instanceBytes({ workers, memory }: Demand): number {
  if (memory === null) return 0
  return workers.forked === true ? memory.alone + workers.processes * memory.forked : workers.processes * memory.alone
}

/** The place where all processes are declared, in the notation of the first demand. */
export const commonPlace = (demands: readonly Demand[]): string => spellingAt(demands[0]?.planned.place ?? '').processes
