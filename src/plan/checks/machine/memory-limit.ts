import type { Problem } from '../../../core/errors.ts'
import { plural } from '../../../core/plural.ts'
import { printRoundedSize, printSize } from '../../../core/sizes.ts'
import type { Check } from '../check.ts'
import { type Demand, demandsOf, instanceBytes } from './demand.ts'

/** `MEMORY_LIMIT` leaves room for the loaded application. */
export const memoryLimit: Check<'here'> = {
  when: 'here',
  find: (facts) => demandsOf(facts).flatMap(reachedByLoading),
}

function reachedByLoading(demand: Demand): readonly Problem[] {
  const { planned, workers } = demand
  const { memoryLimitBytes: limit, name: process, place, from } = planned
  const needed = instanceBytes(demand)
  if (limit === null || needed <= limit) return []
  const processes = plural(workers.processes, 'process', 'processes')
  const have = workers.processes === 1 ? 'has' : 'have'
  const message = `It is restarted at ${printSize(limit)}, and needs ${printRoundedSize(needed)} as soon as its ${processes} ${have} loaded the application.`
  const hint = `Set MEMORY_LIMIT well above that, such as "${printRoundedSize(needed * 2)}"`
  return [{ id: 'W505', place: from.memoryLimit ?? place, process, message, hint }]
}
