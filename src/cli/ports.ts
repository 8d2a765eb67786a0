import { existsSync, readFileSync } from 'node:fs'
import type { PortFacts } from '../plan/machine.ts'
import { describeHolder, holderOf } from '../supervisor/procfs/port-holder.ts'
import { readCommandLine, readEnvironMark } from '../supervisor/procfs/process-table.ts'
import { MARK, markOf, placeOf } from '../supervisor/procfs/descendant-cleanup.ts'
import { shimProgram } from '../supervisor/shim/programs.ts'
import { isOldShim } from '../supervisor/state/compat.ts'

/** Sockets of this machine. Only Linux tells which process has an address. */
export function readPorts(stateDir: string, proc = '/proc'): PortFacts {
  return { lowest: lowestPort(proc), holderOf: foreignHolder((pid) => isOurs(pid, stateDir, proc), proc) }
}

/** Finds the process that has an address, unless `isOurs` says that it is the project's own. */
export const foreignHolder =
  (isOurs: (pid: number) => boolean = () => false, proc = '/proc'): PortFacts['holderOf'] =>
  (address) => {
    const holder = existsSync(`${proc}/net/tcp`) ? holderOf(address, proc) : null
    if (!holder || (holder.pid !== null && isOurs(holder.pid))) return null
    return { pid: holder.pid, description: describeHolder(holder) }
  }

/** The lowest port that this user may bind. */
function lowestPort(proc: string): number {
  if (isRoot(proc)) return 0
  try {
    return Number(readFileSync(`${proc}/sys/net/ipv4/ip_unprivileged_port_start`, 'utf8'))
  } catch {
    return 1024
  }
}

/** Tells whether this process may bind any port, as root or by a capability. */
function isRoot(proc: string): boolean {
  if (!existsSync(`${proc}/self/status`)) return true
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`${proc}/self/status`, 'utf8'))?.[1]
  return (BigInt(`0x${capabilities ?? '0'}`) & CAP_NET_BIND_SERVICE) !== 0n
}

const CAP_NET_BIND_SERVICE = 1n << 10n

/** Tells whether the project's own supervisor runs a process: the process keeps its address at the next `up`. */
function isOurs(pid: number, stateDir: string, proc: string): boolean {
  if (!existsSync(stateDir)) return false
  if (readEnvironMark(pid, MARK, proc)?.startsWith(markOf(placeOf(stateDir), ''))) return true
  const commandLine = readCommandLine(pid, proc) ?? ''
  return commandLine.endsWith(`${shimProgram} ${stateDir}`) || isOldShim(commandLine, stateDir)
}
