import { runsToCompletion } from '../../core/completion.ts'
import { printDuration } from '../../core/durations.ts'
import { parseLimit, printLimit } from '../../core/limits.ts'
import { exportedDependencies, whyNotAwaited } from '../dependencies.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import type { SettingsRow } from '../settings.ts'
import { type Instead, isRelease, SHARED_ROWS, type SupportRecord, when } from '../support.ts'
import { wholeLine } from './quote.ts'
import { readinessCommand } from './readiness.ts'
import { unitOf } from './units.ts'

/** Support of each key by the units of systemd 252. */
export const SUPPORT: SupportRecord<SettingsRow> = {
  ...SHARED_ROWS,
  args: { expressedBy: '`ExecStart=`' },
  env: { expressedBy: '`Environment=`, `UnsetEnvironment=`' },
  cwd: { expressedBy: '`WorkingDirectory=`' },
  instances: { expressedBy: 'a template unit', unsupported: fewerInstances },
  run: {
    expressedBy: '`Type=oneshot`',
    unsupported: when(isRelease, 'systemd does not track releases: this process runs whenever the target starts.'),
  },
  dependsOn: { expressedBy: '`After=`, `Wants=`, `Requires=`', unsupported: looserDependencies },
  ready: { expressedBy: '`Type=notify`, `ExecStartPost=`', unsupported: unprobedStart },
  alive: { unsupported: 'systemd runs no liveness probe: it restarts only a service that exits.' },
  restart: { expressedBy: '`Restart=`, `RestartSec=`, `StartLimitBurst=`', unsupported: otherRestarts },
  stop: { expressedBy: '`KillSignal=`, `TimeoutStopSec=`' },
  reload: { expressedBy: '`ExecReload=`', unsupported: noRollingReload },
  schedule: { expressedBy: 'a timer, `OnCalendar=`' },
  // systemd reads the settings in any order; a person reads first who the process is, then how much it may use.
  user: { expressedBy: '`User=`', settings: ({ user }, input) => ({ User: line(user ?? input.user) }) },
  group: { expressedBy: '`Group=`', settings: ({ group }) => ({ Group: line(group) }) },
  umask: { expressedBy: '`UMask=`', settings: ({ umask }) => ({ UMask: umask?.padStart(4, '0') }) },
  nice: { expressedBy: '`Nice=`', settings: ({ nice }) => ({ Nice: nice }) },
  limits: {
    expressedBy: '`LimitNOFILE=` and the like',
    settings: ({ limits }) =>
      Object.fromEntries(
        Object.entries(limits).map(([limit, value]) => [`Limit${limit.toUpperCase()}`, limitOf(value)]),
      ),
    unsupported: halfLimits,
  },
  memoryLimit: {
    expressedBy: '`MemoryMax=`',
    settings: ({ memoryLimitBytes }) => ({ MemoryMax: memoryLimitBytes }),
    unsupported: 'The kernel kills a service above this limit at once, and systemd restarts it.',
  },
  log: { unsupported: 'The journal rotates output by its own limits, not by the size and number of files.' },
}

const line = (text: string | null | undefined): string | null | undefined => text && wholeLine(text)

function fewerInstances(exported: ExportedProcess, input: ExportInput): Instead | undefined {
  if (unitOf(exported, input).services.length === exported.instances) return undefined
  if (exported.schedule !== null) return 'A timer starts one service, so one instance runs.'
  return `${exported.title} cannot share a socket that systemd opens, so one instance runs.`
}

function looserDependencies(exported: ExportedProcess, { processes }: ExportInput): readonly Instead[] {
  const awaited = exportedDependencies(exported, processes)
  return Object.keys(exported.dependsOn).flatMap((name) => {
    const late = `systemd starts this process even if ${JSON.stringify(name)} is not ready in time.`
    return whyNotAwaited(name, processes) ?? (awaited[name] === 'ready' ? late : [])
  })
}

function unprobedStart(exported: ExportedProcess, input: ExportInput): Instead | undefined {
  const { from, ready } = exported
  if (from.ready === undefined) return undefined
  if (runsToCompletion(exported)) return 'systemd counts a process that runs to completion as ready when it has ended.'
  if (isProbed(exported, input)) return undefined
  const when = ready.delayMs === undefined ? 'as soon as it starts' : `${printDuration(ready.delayMs)} after it starts`
  return `systemd cannot run this probe: the service counts as ready ${when}.`
}

/** Whether systemd waits for the readiness probe itself, and not for a delay in its place. */
function isProbed(exported: ExportedProcess, { project }: ExportInput): boolean {
  const { http, tcp, log } = exported.ready
  if (log !== undefined) return false
  return (http ?? tcp) === undefined || readinessCommand(exported, project) !== undefined
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
  const halves = Object.keys(limits).filter((name) => /^:|:$/.test(limits[name] ?? ''))
  if (halves.length === 0) return undefined
  return `systemd sets the soft and the hard limit to the same value if only one is given: ${halves.join(', ')}.`
}

/** Prints the value of a `Limit…=` setting. An empty half takes the value of the other half. */
function limitOf(value: string): string {
  const { soft = '', hard = '' } = parseLimit(value) ?? {}
  return printLimit({ soft: soft || hard, hard: hard || soft }).replaceAll('unlimited', 'infinity')
}
