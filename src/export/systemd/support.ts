import { parseLimit, printLimit } from '../../core/limits.ts'
import { runsToCompletion } from '../../core/completion.ts'
import { printDuration } from '../../core/durations.ts'
import { exportedDependencies } from '../dependencies.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { type Instead, SHARED_ROWS, type Support, type SupportRecord } from '../support.ts'
import { wholeLine } from './quote.ts'
import { readinessCommand } from './readiness.ts'
import { type Setting, unitOf } from './units.ts'

/** A row may write settings of `[Service]` that no other key has a part in. */
type Row = Support & { readonly settings?: (exported: ExportedProcess, input: ExportInput) => readonly Setting[] }

/** Support of each key by the units of systemd 252. */
export const SUPPORT: SupportRecord<Row> = {
  ...SHARED_ROWS,
  args: { expressedBy: '`ExecStart=`' },
  env: { expressedBy: '`Environment=`, `UnsetEnvironment=`' },
  cwd: { expressedBy: '`WorkingDirectory=`' },
  instances: { expressedBy: 'a template unit', unsupported: fewerInstances },
  run: {
    expressedBy: '`Type=oneshot`',
    unsupported: ({ run }) =>
      run === 'release' ? 'systemd does not track releases: this process runs whenever the target starts.' : undefined,
  },
  dependsOn: { expressedBy: '`After=`, `Wants=`, `Requires=`', unsupported: looserDependencies },
  ready: { expressedBy: '`Type=notify`, `ExecStartPost=`', unsupported: unprobedStart },
  alive: { unsupported: 'systemd runs no liveness probe: it restarts only a service that exits.' },
  restart: { expressedBy: '`Restart=`, `RestartSec=`, `StartLimitBurst=`', unsupported: otherRestarts },
  stop: { expressedBy: '`KillSignal=`, `TimeoutStopSec=`' },
  reload: { expressedBy: '`ExecReload=`', unsupported: noRollingReload },
  schedule: { expressedBy: 'a timer, `OnCalendar=`' },
  // systemd reads the settings in any order; a person reads first who the process is, then how much it may use.
  user: {
    expressedBy: '`User=`',
    settings: (exported, input) => optional('User', exported.user ?? input.user, wholeLine),
  },
  group: { expressedBy: '`Group=`', settings: ({ group }) => optional('Group', group, wholeLine) },
  umask: {
    expressedBy: '`UMask=`',
    settings: ({ umask }) => optional('UMask', umask, (text) => text.padStart(4, '0')),
  },
  nice: { expressedBy: '`Nice=`', settings: ({ nice }) => optional('Nice', nice) },
  limits: {
    expressedBy: '`LimitNOFILE=` and the like',
    settings: ({ limits }) =>
      Object.entries(limits).map(([limit, value]) => [`Limit${limit.toUpperCase()}`, limitOf(value)]),
    unsupported: halfLimits,
  },
  memoryLimit: {
    expressedBy: '`MemoryMax=`',
    settings: ({ memoryLimitBytes }) => optional('MemoryMax', memoryLimitBytes),
    unsupported: 'The kernel kills a service above this limit at once, and systemd restarts it.',
  },
  log: { unsupported: 'The journal rotates output by its own limits, not by the size and number of files.' },
}

/** Returns the settings of `[Service]` that the rows write. */
export const ownSettings = (exported: ExportedProcess, input: ExportInput): readonly Setting[] =>
  Object.values(SUPPORT).flatMap(({ settings }) => settings?.(exported, input) ?? [])

function optional<T extends string | number>(
  key: string,
  value: T | null | undefined,
  write: (value: T) => string = String,
): readonly Setting[] {
  return value === null || value === undefined ? [] : [[key, write(value)]]
}

function fewerInstances(exported: ExportedProcess, input: ExportInput): Instead | undefined {
  if (unitOf(exported, input).services.length === exported.instances) return undefined
  if (exported.schedule !== null) return 'A timer starts one service, so one instance runs.'
  return `${exported.title} cannot share a socket that systemd opens, so one instance runs.`
}

function looserDependencies(exported: ExportedProcess, { processes }: ExportInput): readonly Instead[] {
  const { dependsOn } = exported
  const awaited = exportedDependencies(exported, processes)
  const instead: Instead[] = []
  const absent = Object.keys(dependsOn).filter((name) => !processes.some((other) => other.name === name))
  if (absent.length > 0)
    instead.push(`This process does not wait for ${quoted(absent)}, which is not part of this export.`)
  const scheduled = processes.flatMap(({ name, schedule }) => (schedule !== null && name in dependsOn ? [name] : []))
  if (scheduled.length > 0)
    instead.push(`This process does not wait for ${quoted(scheduled)}, which runs on a schedule.`)
  const ready = Object.keys(dependsOn).filter((name) => awaited[name] === 'ready')
  if (ready.length > 0) instead.push(`systemd starts this process even if ${quoted(ready)} is not ready in time.`)
  return instead
}

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ')

function unprobedStart(exported: ExportedProcess, input: ExportInput): Instead | undefined {
  const { from, ready } = exported
  if (from.ready === undefined) return undefined
  if (runsToCompletion(exported)) return 'systemd counts a process that runs to completion as ready when it has ended.'
  if (isProbed(exported, input)) return undefined
  if (ready.delayMs === undefined)
    return 'systemd cannot run this probe: the service counts as ready as soon as it starts.'
  return `systemd cannot run this probe: the service counts as ready ${printDuration(ready.delayMs)} after it starts.`
}

/** Whether systemd waits for the readiness probe itself, and not for a delay in its place. */
function isProbed(exported: ExportedProcess, { project }: ExportInput): boolean {
  const { http, tcp, log } = exported.ready
  if (log !== undefined) return false
  const needsCommand = (http ?? tcp) !== undefined
  return !needsCommand || readinessCommand(exported, project) !== undefined
}

function otherRestarts(exported: ExportedProcess): Instead | undefined {
  const { from, restart } = exported
  if (from.restart === undefined) return undefined
  if (runsToCompletion(exported))
    return 'systemd does not restart a process that runs to completion: only the target or the timer starts it again.'
  if (restart.policy === 'never' || restart.maxDelayMs === restart.delayMs) return undefined
  return `systemd 252 has no growing restart delay: it waits ${printDuration(restart.delayMs)} before each restart.`
}

function noRollingReload(exported: ExportedProcess, input: ExportInput): Instead | undefined {
  if (exported.from.reload === undefined || exported.reload !== 'rolling') return undefined
  const meanwhile = unitOf(exported, input).hasSocket ? ', and connections wait in the socket meanwhile' : ''
  return `systemd stops the old process before it starts the new one${meanwhile}.`
}

function halfLimits({ limits }: ExportedProcess): Instead | undefined {
  const halves = Object.keys(limits).filter((name) => isHalf(limits[name] ?? ''))
  if (halves.length === 0) return undefined
  return `systemd sets the soft and the hard limit to the same value if only one is given: ${halves.join(', ')}.`
}

function isHalf(value: string): boolean {
  const limit = parseLimit(value)
  return limit?.soft === '' || limit?.hard === ''
}

/** Prints the value of a `Limit…=` setting. An empty half takes the value of the other half. */
function limitOf(value: string): string {
  const { soft = '', hard = '' } = parseLimit(value) ?? {}
  return printLimit({ soft: soft || hard, hard: hard || soft }).replaceAll('unlimited', 'infinity')
}
