import { IMAGE_UID } from '../containers/dockerfile.ts'
import { portsOf } from '../containers/ports.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import type { Fields } from './fields.ts'

/** The number of a user or a group, as Kubernetes takes them; `root` is known everywhere. Undefined for other names. */
export function numberOf(name: string | null | undefined): number | undefined {
  if (name === 'root') return 0
  return name && /^\d+$/.test(name) ? Number(name) : undefined
}

export const userOf = ({ user }: ExportedProcess, input: ExportInput): number =>
  numberOf(user) ?? numberOf(input.user) ?? IMAGE_UID

export function groupOf(exported: ExportedProcess, input: ExportInput): number {
  const own = userOf(exported, input) === 0 ? 0 : IMAGE_UID
  return numberOf(exported.group) ?? own
}

export function podSecurity(exported: ExportedProcess, input: ExportInput): Fields {
  const uid = userOf(exported, input)
  const needsLowPort = uid !== 0 && portsOf(exported).some((port) => port < 1024)
  return {
    runAsNonRoot: uid !== 0,
    runAsUser: uid,
    runAsGroup: groupOf(exported, input),
    seccompProfile: { type: 'RuntimeDefault' },
    sysctls: needsLowPort ? [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] : undefined,
  }
}

export const containerSecurity = (exported: ExportedProcess): Fields => ({
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: !writesSchedule(exported),
  capabilities: { drop: ['ALL'] },
})

/** Celery's beat stores its last runs in the working directory, unless it gets another file. */
const writesSchedule = ({ kind, argv }: ExportedProcess): boolean =>
  kind === 'scheduler' &&
  argv.includes('celery') &&
  !argv.some((word) => /^(-s|-S|--schedule|--scheduler)\b/.test(word))
