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

const portOf = (address: string): number => (address.startsWith('unix:') ? 0 : Number(split(address)[1]) || 0)

/** Whether both cannot be bound at once: the same port on the same host, or on all of them. */
function overlap(a: string, b: string): boolean {
  if (a === b) return !a.endsWith(':0')
  if (a.startsWith('unix:') || b.startsWith('unix:')) return false
  const [hostA, portA] = split(a)
  const [hostB, portB] = split(b)
  return portA === portB && portA !== '0' && (isAny(hostA) || isAny(hostB) || sameHost(hostA, hostB))
}

const split = (address: string): readonly [string, string] => {
  const at = address.lastIndexOf(':')
  return [address.slice(0, at), address.slice(at + 1)]
}

const isAny = (host: string): boolean => host === '0.0.0.0' || host === '[::]' || host === ''

const isLoopback = (host: string): boolean => host === 'localhost' || host === '127.0.0.1'

const sameHost = (a: string, b: string): boolean => a === b || (isLoopback(a) && isLoopback(b))
