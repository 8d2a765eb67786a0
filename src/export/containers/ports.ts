import { isLoopbackHost, parseAddress, portOf } from '../../core/addresses.ts'
import type { Problem } from '../../core/errors.ts'
import type { ExportedProcess } from '../input.ts'
import { keyLocation } from '../problems.ts'

/** Returns the ports at which other containers reach the process. */
export const portsOf = ({ listen }: Pick<ExportedProcess, 'listen'>): readonly number[] => [
  ...new Set(listen.flatMap((address) => (isReachable(address) ? [portOf(address)] : []))),
]

function isReachable(text: string): boolean {
  const address = parseAddress(text)
  return 'port' in address && !isLoopbackHost(address.host) && address.port > 0
}

/** Name of a port among all ports of the process; the first one is `http`. */
export const portName = (port: number, all: readonly number[]): string => (port === all[0] ? 'http' : `port-${port}`)

/** Refuses a web server that only its own container reaches. */
export function checkReachable(exported: ExportedProcess): readonly Problem[] {
  const { name, kind, listen } = exported
  if (kind !== 'web' || listen.length === 0 || portsOf(exported).length > 0) return []
  return [
    {
      id: 'E802',
      place: keyLocation(exported, 'args'),
      process: name,
      message: `The server listens on ${listen.join(', ')}, which other containers cannot reach.`,
      hint: 'Listen on 0.0.0.0 in the container; the engine decides who can reach it',
    },
  ]
}
