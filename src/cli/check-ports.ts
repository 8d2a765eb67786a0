import { existsSync, readFileSync } from 'node:fs'
import { hasEphemeralPort, portOf } from '../core/addresses.ts'
import type { Problem } from '../core/errors.ts'
import type { PlannedProcess } from '../plan/plan.ts'
import { describeHolder, holderOf, type PortHolder } from '../supervisor/procfs/port-holder.ts'
import { readCommandLine, readEnvironMark } from '../supervisor/procfs/process-table.ts'
import { MARK, markOf, placeOf } from '../supervisor/procfs/descendant-cleanup.ts'

/** Addresses that cannot be had on this machine now. Other systems than Linux do not tell. */
export function checkPorts(processes: readonly PlannedProcess[], stateDir: string, proc = '/proc'): readonly Problem[] {
  const firstPort = firstFreePort(proc)
  return processes
    .filter(({ enabled }) => enabled)
    .flatMap((planned) => [
      ...checkPrivileged(planned, firstPort),
      ...checkTaken(planned, (holder) => isOurs(holder, stateDir, proc), proc),
    ])
}

/** Addresses of a process that somebody has already, who is not to be overlooked. */
export function checkTaken(
  planned: PlannedProcess,
  isOverlooked: (holder: PortHolder) => boolean = () => false,
  proc = '/proc',
): readonly Problem[] {
  if (!existsSync(`${proc}/net/tcp`)) return []
  return planned.listen.flatMap((address): readonly Problem[] => {
    const holder = hasEphemeralPort(address) ? null : holderOf(address, proc)
    if (!holder || isOverlooked(holder)) return []
    const message = `${planned.title} cannot listen on ${address}: ${describeHolder(holder)}.`
    const hint = holder.pid === null ? 'Choose another address' : `Look: ps -fp ${holder.pid}`
    return [{ ...problemOf(planned), message, hint }]
  })
}

function checkPrivileged(planned: PlannedProcess, firstPort: number): readonly Problem[] {
  return planned.listen.flatMap((address): readonly Problem[] => {
    const port = portOf(address)
    if (port === 0 || port >= firstPort) return []
    const message = `${planned.title} cannot listen on ${address}: ports below ${firstPort} are for root.`
    const hint = `Choose another port, or as root: sysctl net.ipv4.ip_unprivileged_port_start=${port}`
    return [{ ...problemOf(planned), message, hint }]
  })
}

const problemOf = ({ name, place }: PlannedProcess) => ({ id: 'E507', place, process: name }) as const

/** The lowest port that this user may have. */
function firstFreePort(proc: string): number {
  if (isRoot(proc)) return 0
  try {
    return Number(readFileSync(`${proc}/sys/net/ipv4/ip_unprivileged_port_start`, 'utf8'))
  } catch {
    return 1024
  }
}

/** Or may do what root may with ports. */
function isRoot(proc: string): boolean {
  if (!existsSync(`${proc}/self/status`)) return true
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`${proc}/self/status`, 'utf8'))?.[1]
  return (BigInt(`0x${capabilities ?? '0'}`) & CAP_NET_BIND_SERVICE) !== 0n
}

const CAP_NET_BIND_SERVICE = 1n << 10n

/** What this project's own supervisor runs has its address already, and keeps it at the next `up`. */
function isOurs({ pid }: PortHolder, stateDir: string, proc: string): boolean {
  if (pid === null || !existsSync(stateDir)) return false
  if (readEnvironMark(pid, MARK, proc)?.startsWith(markOf(placeOf(stateDir), ''))) return true
  return readCommandLine(pid, proc)?.endsWith(`/prodserver_shim ${stateDir}`) ?? false
}
