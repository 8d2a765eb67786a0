import { runsToCompletion } from '../../core/completion.ts'
import { parseAddress } from '../../core/addresses.ts'
import type { ExportInput, ExportedProcess } from '../input.ts'

/** One line of a unit: `Key=value`. */
export type Setting = readonly [key: string, value: string]

/** A process with the names of its units, and whom it runs as. */
export interface Unit {
  readonly exported: ExportedProcess
  /** `shop-web` */
  readonly stem: string
  /** One for each instance, or the only one. */
  readonly services: readonly string[]
  readonly file: string
  /** Its sockets are units of their own, which stay open while it is started again. */
  readonly hasSocket: boolean
  /** It ends by itself. */
  readonly completes: boolean
  /** Undefined for root. */
  readonly user: string | undefined
}

export function unitOf(exported: ExportedProcess, { name, user }: ExportInput): Unit {
  const stem = `${name}-${exported.name}`
  const hasSocket = exported.activated !== null && exported.listen.every(isSocketAddress)
  const instances = instancesOf(exported, hasSocket)
  const isTemplate = instances > 1
  return {
    exported,
    stem,
    services: isTemplate
      ? Array.from({ length: instances }, (_, index) => `${stem}@${index + 1}.service`)
      : [`${stem}.service`],
    file: isTemplate ? `${stem}@.service` : `${stem}.service`,
    hasSocket,
    completes: runsToCompletion(exported),
    user: exported.user ?? user,
  }
}

/** A timer starts one; and without a socket that they share, a second one would find the address taken. */
const instancesOf = ({ listen, instances, schedule }: ExportedProcess, hasSocket: boolean): number =>
  schedule !== null || (listen.length > 0 && !hasSocket) ? 1 : instances

/** systemd opens addresses, and looks up no names. */
function isSocketAddress(text: string): boolean {
  const address = parseAddress(text)
  if ('path' in address) return /^\/\S+$/.test(address.path)
  return /^(localhost|\d+\.\d+\.\d+\.\d+|[\da-f.]*:[\da-f:.]*)$/i.test(address.host)
}
