import { parseAddress } from '../../core/addresses.ts'
import { runsToCompletion } from '../../core/completion.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'

/** A process with the names of its units. */
export interface Unit {
  readonly exported: ExportedProcess
  /** `shop-web` */
  readonly stem: string
  /** A service for each instance, or the only service. */
  readonly services: readonly string[]
  readonly file: string
  /** Whether a unit of its own opens the sockets, which stay open while the service restarts. */
  readonly hasSocket: boolean
  /** Whether the process runs to completion. */
  readonly completes: boolean
  /** Undefined for root. */
  readonly user: string | undefined
}

export function unitOf(exported: ExportedProcess, { name, user }: ExportInput): Unit {
  const stem = `${name}-${exported.name}`
  const hasSocket = exported.activated !== null && exported.listen.every(isSocketAddress)
  const unit = { exported, stem, hasSocket, completes: runsToCompletion(exported), user: exported.user ?? user }
  // A timer starts one service. Without a socket that they share, a second instance would find the address taken.
  const isSingle = exported.schedule !== null || (exported.listen.length > 0 && !hasSocket)
  if (isSingle || exported.instances === 1) return { ...unit, services: [`${stem}.service`], file: `${stem}.service` }
  const services = Array.from({ length: exported.instances }, (_, index) => `${stem}@${index + 1}.service`)
  return { ...unit, services, file: `${stem}@.service` }
}

/** Whether systemd can open the address: it looks up no names. */
function isSocketAddress(text: string): boolean {
  const address = parseAddress(text)
  if ('path' in address) return /^\/\S+$/.test(address.path)
  return /^(localhost|\d+\.\d+\.\d+\.\d+|[\da-f.]*:[\da-f:.]*)$/i.test(address.host)
}
