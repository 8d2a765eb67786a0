import type { ExportInput, ExportedProcess } from '../input.ts'
import { quoteItem } from './quote.ts'
import type { Setting } from './units.ts'

/** Restrictions that fit every web server, worker and Django project. */
const ALWAYS: readonly Setting[] = [
  ['NoNewPrivileges', 'yes'],
  // The system is read-only, and the project is not: uploads, SQLite and the schedule of beat lie there.
  ['ProtectSystem', 'full'],
  // /dev/shm stays: gunicorn and Celery have their shared memory there.
  ['PrivateDevices', 'yes'],
  ['ProtectClock', 'yes'],
  ['ProtectControlGroups', 'yes'],
  ['ProtectHostname', 'yes'],
  ['ProtectKernelLogs', 'yes'],
  ['ProtectKernelModules', 'yes'],
  ['ProtectKernelTunables', 'yes'],
  ['ProtectProc', 'invisible'],
  ['LockPersonality', 'yes'],
  ['RestrictNamespaces', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  // Names of hosts are looked up by the last of them.
  ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
  ['SystemCallArchitectures', 'native'],
  ['SystemCallFilter', '@system-service'],
  ['SystemCallErrorNumber', 'EPERM'],
]

/**
 * Options that take away what the process does not use. Memory may be written and executed: Node compiles at run time,
 * and so do several Python packages.
 *
 * @param user whom it runs as; undefined for root, who may have to become somebody else.
 */
export function sandbox(
  exported: ExportedProcess,
  { project }: ExportInput,
  { user, bindsLowPort }: { user: string | undefined; bindsLowPort: boolean },
): readonly Setting[] {
  const isRoot = user === undefined || user === 'root' || user === '0'
  const inSystem = [project.root, exported.cwd].filter((path) => /^\/(usr|etc|boot|efi)\//.test(path))
  const settings: Setting[] = [...ALWAYS]
  if (!isInTmp(exported, project.root)) settings.push(['PrivateTmp', 'yes'])
  // Read-only, not hidden: uv and pyenv install interpreters in a home folder.
  if (!mentions(exported, project.root, HOMES)) settings.push(['ProtectHome', 'read-only'])
  if (inSystem.length > 0) settings.push(['ReadWritePaths', [...new Set(inSystem)].map(quoteItem).join(' ')])
  if (isRoot) return settings
  settings.push(['CapabilityBoundingSet', bindsLowPort ? LOW_PORT : ''])
  if (bindsLowPort) settings.push(['AmbientCapabilities', LOW_PORT])
  return settings
}

const LOW_PORT = 'CAP_NET_BIND_SERVICE'

/** Whether the process has files in a folder for temporary files, where other programs look for them. */
export const isInTmp = (exported: ExportedProcess, root: string): boolean => mentions(exported, root, TEMPORARY)

const HOMES = /(^|[:= ])\/(home|root|run\/user)\//
const TEMPORARY = /(^|[:= ])\/(var\/)?tmp\//

const mentions = ({ argv, cwd, env, listen }: ExportedProcess, root: string, pattern: RegExp): boolean =>
  [...argv, ...Object.values(env), ...listen, `${cwd}/`, `${root}/`].some((text) => text !== null && pattern.test(text))
