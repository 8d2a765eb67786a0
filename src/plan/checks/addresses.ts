import { isAnyHost, parseAddress, portOf } from '../../core/addresses.ts'
import type { Problem } from '../../core/errors.ts'
import type { PlannedProcess } from '../plan.ts'

/** Enabled processes that would listen where an earlier one does. */
export function checkAddresses(
  processes: readonly PlannedProcess[],
  placeOf: (name: string) => string,
): readonly Problem[] {
  const problems: Problem[] = []
  const enabled = processes.filter(({ enabled }) => enabled)
  for (const [index, planned] of enabled.entries()) {
    for (const address of planned.listen) {
      if (portOf(address) > LAST_PORT) {
        const message = `It listens on ${address}, and the last port is ${LAST_PORT}.`
        problems.push({ id: 'E404', place: placeOf(planned.name), process: planned.name, message })
      }
      const others = enabled.slice(0, index).flatMap((other) => {
        const taken = other.listen.find((candidate) => overlap(address, candidate))
        if (taken === undefined) return []
        return taken === address ? JSON.stringify(other.name) : `${JSON.stringify(other.name)} (on ${taken})`
      })
      if (others.length === 0) continue
      problems.push({
        id: 'E401',
        place: placeOf(planned.name),
        process: planned.name,
        message: `It listens on ${address}, and so ${others.length === 1 ? 'does' : 'do'} ${others.join(', ')}.`,
        hint: 'Give each process an address of its own in its ARGS',
      })
    }
  }
  return problems
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
