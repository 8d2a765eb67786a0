import { portOf } from '../../core/addresses.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import type { Settings } from '../settings.ts'
import { quoteItem } from './quote.ts'
import type { Unit } from './units.ts'

/** Restrictions that fit every web server, worker and Django project. */
const ALWAYS: Settings = {
  NoNewPrivileges: 'yes',
  // The system is read-only, and the project is not: uploads, SQLite and the schedule of beat lie there.
  ProtectSystem: 'full',
  // /dev/shm stays: gunicorn and Celery have their shared memory there.
  PrivateDevices: 'yes',
  ProtectClock: 'yes',
  ProtectControlGroups: 'yes',
  ProtectHostname: 'yes',
  ProtectKernelLogs: 'yes',
  ProtectKernelModules: 'yes',
  ProtectKernelTunables: 'yes',
  ProtectProc: 'invisible',
  LockPersonality: 'yes',
  RestrictNamespaces: 'yes',
  RestrictRealtime: 'yes',
  RestrictSUIDSGID: 'yes',
  // The C library uses AF_NETLINK to look up host names.
  RestrictAddressFamilies: 'AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  SystemCallArchitectures: 'native',
  SystemCallFilter: '@system-service',
  SystemCallErrorNumber: 'EPERM',
}

/**
 * Options that take away what the process does not use. Memory may be written and executed: Node compiles at run time,
 * and so do several Python packages.
 */
export function sandbox({ exported, user, hasSocket }: Unit, { project: { root } }: ExportInput): Settings {
  const inSystem = [root, exported.cwd].filter((path) => /^\/(usr|etc|boot|efi)\//.test(path))
  const bindsLowPort = !hasSocket && exported.listen.map(portOf).some((port) => port > 0 && port < 1024)
  const settings: Settings = {
    ...ALWAYS,
    PrivateTmp: isInTmp(exported, root) ? undefined : 'yes',
    // Read-only, not hidden: uv and pyenv install interpreters in a home folder.
    ProtectHome: mentions(exported, root, HOMES) ? undefined : 'read-only',
    ReadWritePaths: [...new Set(inSystem)].map(quoteItem).join(' ') || undefined,
  }
  // Root may have to become another user.
  if (user === undefined || user === 'root' || user === '0') return settings
  if (!bindsLowPort) return { ...settings, CapabilityBoundingSet: '' }
  return { ...settings, CapabilityBoundingSet: LOW_PORT, AmbientCapabilities: LOW_PORT }
}

const LOW_PORT = 'CAP_NET_BIND_SERVICE'

/** Whether the process has files in a folder for temporary files, where other programs look for them. */
export const isInTmp = (exported: ExportedProcess, root: string): boolean => mentions(exported, root, TEMPORARY)

const HOMES = /(^|[:= ])\/(home|root|run\/user)\//
const TEMPORARY = /(^|[:= ])\/(var\/)?tmp\//

const mentions = ({ argv, cwd, env, listen }: ExportedProcess, root: string, pattern: RegExp): boolean =>
  [...argv, ...Object.values(env), ...listen, `${cwd}/`, `${root}/`].some((text) => text !== null && pattern.test(text))
