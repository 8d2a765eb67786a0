import { isAnyHost, parseAddress, portOf } from '../../core/addresses.ts'
import type { Problem } from '../../core/errors.ts'
import type { PlannedProcess } from '../plan.ts'
import { type Check, enabledProcesses } from './check.ts'

/** Every address has a port that exists, and belongs to one process. */
export const addresses: Check = {
  when: 'always',
  find: (facts) => {
    const processes = enabledProcesses(facts)
    return processes.flatMap((planned, index) =>
      planned.listen.flatMap((address) => [
        ...impossiblePort(planned, address),
        ...sharedAddress(planned, address, processes.slice(0, index)),
      ]),
    )
  },
}

function impossiblePort({ name: process, place }: PlannedProcess, address: string): readonly Problem[] {
  if (portOf(address) <= LAST_PORT) return []
  return [{ id: 'E404', place, process, message: `It listens on ${address}, and the last port is ${LAST_PORT}.` }]
}

function sharedAddress(
  { name: process, place }: PlannedProcess,
  address: string,
  earlier: readonly PlannedProcess[],
): readonly Problem[] {
  const others = earlier.flatMap(({ name, listen }) => {
    const taken = listen.find((candidate) => overlap(address, candidate))
    if (taken === undefined) return []
    return taken === address ? JSON.stringify(name) : `${JSON.stringify(name)} (on ${taken})`
  })
  if (others.length === 0) return []
  const message = `It listens on ${address}, and so ${others.length === 1 ? 'does' : 'do'} ${others.join(', ')}.`
  return [{ id: 'E401', place, process, message, hint: 'Give each process an address of its own in its ARGS' }]
}

const LAST_PORT = 65_535

/** Tells whether only one of the two can be bound: the same path, or the same port on the same host or on all interfaces. */
function overlap(one: string, other: string): boolean {
  const [a, b] = [parseAddress(one), parseAddress(other)]
  if ('path' in a || 'path' in b) return 'path' in a && 'path' in b && a.path === b.path
  return a.port === b.port && a.port !== 0 && (isAnyHost(a.host) || isAnyHost(b.host) || sameHost(a.host, b.host))
}

const isLocalhost = (host: string): boolean => host === 'localhost' || host === '127.0.0.1'

const sameHost = (a: string, b: string): boolean => a === b || (isLocalhost(a) && isLocalhost(b))
