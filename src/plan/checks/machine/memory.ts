import { printRoundedSize } from '../../../core/sizes.ts'
import type { Check } from '../check.ts'
import { commonPlace, type Demand, demandsOf, instanceBytes, processCount } from './demand.ts'

/** The memory of the machine suffices for the processes after their start. */
export const enoughMemory: Check<'here'> = {
  when: 'here',
  find: (facts) => {
    const { memory } = facts.machine
    if (memory === null) return []
    const measured = demandsOf(facts).filter((demand) => demand.memory !== null && demand.planned.kind !== 'task')
    const needed = measured.reduce((sum, demand) => sum + demand.planned.instances * instanceBytes(demand), 0)
    if (needed <= memory.bytes) return []
    const where = memory.limitedBy === null ? 'this machine has' : `${memory.limitedBy} leaves`
    const message = `The processes need ${printRoundedSize(needed)} as soon as they have loaded the application, and ${where} ${printRoundedSize(memory.bytes)}: ${measured.map(describe).join(', ')}.`
    const hint = 'Lower the number of their processes, or INSTANCES; or give them more memory'
    return [{ id: 'W502', place: commonPlace(measured), message, hint }]
  },
}

function describe(demand: Demand): string {
  const { planned, workers, memory } = demand
  const each = (workers.forked ? memory?.forked : memory?.alone) ?? 0
  return `${planned.name} ${processCount(demand)} × ${printRoundedSize(each)}`
}
