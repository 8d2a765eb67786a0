import { isLoopbackHost, parseAddress } from '../../core/addresses.ts'
import type { Problem } from '../../core/errors.ts'
import type { ExportedProcess } from '../input.ts'
import { refuse } from '../problems.ts'

/** Returns the ports at which other containers reach the process. */
export function portsOf({ listen }: Pick<ExportedProcess, 'listen'>): readonly number[] {
  const ports = listen.map(parseAddress).map((to) => ('port' in to && !isLoopbackHost(to.host) ? to.port : 0))
  return [...new Set(ports)].filter((port) => port > 0)
}

/** Name of a port among all ports of the process; the first one is `http`. */
export const portName = (port: number, all: readonly number[]): string => (port === all[0] ? 'http' : `port-${port}`)

/** Refuses a web server that only its own container reaches. */
export function* checkReachable(exported: ExportedProcess): Generator<Problem> {
  const { kind, listen } = exported
  if (kind !== 'web' || listen.length === 0 || portsOf(exported).length > 0) return
  const message = `The server listens on ${listen.join(', ')}, which other containers cannot reach.`
  yield refuse(exported, 'args', message, 'Listen on 0.0.0.0 in the container; the engine decides who can reach it')
}
