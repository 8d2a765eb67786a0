import { explainLaunchFailure } from '../../plan/planned-keys.ts'
import type { StartFailure } from '../shim/messages.ts'
import type { ProcessSpec } from '../spec.ts'

export function explainFailure({ what, message }: StartFailure, spec: ProcessSpec): string {
  if (what.startsWith('lock:'))
    return `another one of it runs already on this machine${what.slice(5) ? `: ${what.slice(5).trim()}` : ''}`
  if (what === 'program') return `${spec.argv[0]} cannot be started: ${message}`
  if (what.startsWith('address ')) return `the ${what} cannot be used: ${message}`
  return `${explainLaunchFailure(what, spec) ?? 'it cannot be started'}: ${message}`
}
