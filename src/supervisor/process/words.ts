import type { StartFailure } from '../shim/client.ts'
import type { ProcessSpec } from '../spec.ts'

export function explainFailure({ what, message }: StartFailure, { argv, cwd, user, group }: ProcessSpec): string {
  if (what.startsWith('lock:'))
    return `another one of it runs already on this machine${what.slice(5) ? `: ${what.slice(5).trim()}` : ''}`
  if (what === 'program') return `${argv[0]} cannot be started: ${message}`
  if (what === 'CWD') return `its working directory ${cwd} cannot be entered: ${message}`
  if (what === 'USER') return `it cannot become the user ${user}: ${message}`
  if (what === 'GROUP') return `it cannot become the group ${group}: ${message}`
  if (what.startsWith('address ')) return `the ${what} cannot be used: ${message}`
  if (what === 'LIMITS' || what === 'NICE' || what === 'UMASK') return `its ${what} cannot be set: ${message}`
  return `it cannot be started: ${message}`
}
