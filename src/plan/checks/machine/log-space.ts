import { printRoundedSize, printSize } from '../../../core/sizes.ts'
import type { PlannedProcess } from '../../plan.ts'
import { type Check, enabledProcesses } from '../check.ts'
import { commonPlace, demandsOf } from './demand.ts'
import { isFull } from './full-disks.ts'

/** The logs may grow to their largest size on the file system of the state directory. */
export const logSpace: Check<'here'> = {
  when: 'here',
  find: (facts) => {
    const { stateDir, logBytes, fileSystemOf } = facts.machine
    const system = fileSystemOf(stateDir)
    const processes = enabledProcesses(facts).toSorted((a, b) => mostLogBytes(b) - mostLogBytes(a))
    const most = processes.reduce((sum, planned) => sum + mostLogBytes(planned), 0)
    if (Math.max(0, most - logBytes) <= system.freeBytes || isFull(system)) return []
    const [largest] = processes
    const named = largest === undefined ? '' : `, most of ${largest.name} with ${describeLog(largest)}`
    const message = `The logs may grow to ${printRoundedSize(most)}${named}, and the file system of ${stateDir} has ${printRoundedSize(system.freeBytes)} left.`
    const hint = 'Lower max_size or keep in LOG, or choose a larger one: PRODSERVER_STATE_DIR=/var/lib/mysite'
    return [{ id: 'W504', place: largest?.from.log ?? commonPlace(demandsOf(facts)), message, hint }]
  },
}

/** The current file and the full files that are kept. Compressed files are smaller. */
const mostLogBytes = ({ instances, log }: PlannedProcess): number => instances * (log.keep + 1) * log.maxSizeBytes

function describeLog({ instances, log }: PlannedProcess): string {
  const files = `${log.keep + 1} files of ${printSize(log.maxSizeBytes)}`
  return instances > 1 ? `${instances} × ${files}` : files
}
