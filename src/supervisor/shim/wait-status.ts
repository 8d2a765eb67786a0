import { constants } from 'node:os'
import type { Exit } from '../../control/protocol.ts'

/** Reads a wait status of the system. A missing one is an end that no shim could see. */
export function decodeStatus(status: number | undefined): Exit {
  if (status === undefined) return { code: null, signal: null }
  const signalNumber = status & 0x7f
  if (signalNumber === 0) return { code: (status >> 8) & 0xff, signal: null }
  const signal = Object.entries(constants.signals).find(([, value]) => value === signalNumber)?.[0]
  return { code: null, signal: signal ?? `SIG${signalNumber}` }
}
