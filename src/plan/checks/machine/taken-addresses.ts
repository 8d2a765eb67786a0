import { hasEphemeralPort } from '../../../core/addresses.ts'
import type { Problem } from '../../../core/errors.ts'
import type { PortFacts } from '../../machine.ts'
import type { PlannedProcess } from '../../plan.ts'
import { type Check, enabledProcesses } from '../check.ts'

/** No other program listens on the addresses of the processes. */
export const takenAddresses: Check<'here'> = {
  when: 'here',
  find: (facts) => enabledProcesses(facts).flatMap((planned) => findTaken(planned, facts.machine.ports)),
}

/** The addresses of one process that another program has. */
export const findTaken = (
  { name: process, title, place, listen }: PlannedProcess,
  { holderOf }: Pick<PortFacts, 'holderOf'>,
): readonly Problem[] =>
  listen.flatMap((address): readonly Problem[] => {
    const holder = hasEphemeralPort(address) ? null : holderOf(address)
    if (holder === null) return []
    const message = `${title} cannot listen on ${address}: ${holder.description}.`
    const hint = holder.pid === null ? 'Choose another address' : `Look: ps -fp ${holder.pid}`
    return [{ id: 'E507', place, process, message, hint }]
  })
