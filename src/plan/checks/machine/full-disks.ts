import type { Problem } from '../../../core/errors.ts'
import { printRoundedSize } from '../../../core/sizes.ts'
import { type FactsHere, isComplete } from '../../facts.ts'
import type { FileSystem } from '../../machine.ts'
import { writtenFiles } from '../../written-files.ts'
import type { Check } from '../check.ts'

/** File systems that are written have space left. */
export const fullDisks: Check<'here'> = {
  when: 'here',
  find: (facts) => {
    const written = writtenPlaces(facts)
    // One problem for each file system, at the first place that writes to it.
    const firsts = written.filter(
      ({ system }, index) => written.findIndex((other) => other.system.id === system.id) === index,
    )
    return firsts.filter(({ system }) => isFull(system)).map(explain)
  },
}

interface WrittenPlace {
  readonly system: FileSystem
  readonly place: string
  readonly process?: string | undefined
}

const writtenPlaces = ({ processes, machine: { fileSystemOf, stateDir } }: FactsHere): readonly WrittenPlace[] => [
  ...processes
    .filter(isComplete)
    .flatMap(writtenFiles)
    .map(({ file, place, process }) => ({ system: fileSystemOf(file), place, process })),
  { system: fileSystemOf(stateDir), place: stateDir },
]

/** Less space than this is nearly none, on a disk of any size. */
const LITTLE_BYTES = 100 * 1024 ** 2

export const isFull = ({ freeBytes, sizeBytes, isOutOfFiles }: FileSystem): boolean =>
  isOutOfFiles || (freeBytes < LITTLE_BYTES && freeBytes < sizeBytes / 20)

function explain({ system, place, process }: WrittenPlace): Problem {
  const { folder, isOutOfFiles, freeBytes } = system
  const left = isOutOfFiles ? 'takes no more files' : `has ${printRoundedSize(freeBytes)} left`
  return { id: 'W506', place, process, message: `The file system of ${folder} ${left}.`, hint: `Look: df -h ${folder}` }
}
