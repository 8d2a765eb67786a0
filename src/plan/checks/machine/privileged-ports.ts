import { portOf } from '../../../core/addresses.ts'
import type { Problem } from '../../../core/errors.ts'
import { type Check, enabledProcesses } from '../check.ts'

/** Ports are not reserved for root. */
export const privilegedPorts: Check<'here'> = {
  when: 'here',
  find: (facts) => {
    const { lowest } = facts.machine.ports
    return enabledProcesses(facts).flatMap(({ name: process, title, place, listen }) =>
      listen
        .filter((address) => portOf(address) !== 0 && portOf(address) < lowest)
        .map((address): Problem => {
          const message = `${title} cannot listen on ${address}: ports below ${lowest} are for root.`
          const hint = `Choose another port, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${portOf(address)}`
          return { id: 'E507', place, process, message, hint }
        }),
    )
  },
}
