import { toSeconds } from '../../core/durations.ts'
import { exportedDependencies } from '../dependencies.ts'
import type { ExportInput } from '../input.ts'
import { renderSettings, type Settings, settingsOf } from '../settings.ts'
import { removedVariables, setVariables } from '../variables.ts'
import { quoteCommand, quoteItem, wholeLine } from './quote.ts'
import { readiness } from './readiness.ts'
import { isInTmp, sandbox } from './sandbox.ts'
import { SUPPORT } from './support.ts'
import type { Unit } from './units.ts'

/** Writes a unit: sections with groups of settings, and an empty line between groups. */
export const renderUnit = (sections: Readonly<Record<string, readonly Settings[]>>): string =>
  Object.entries(sections)
    .map(([name, groups]) => `[${name}]\n${groups.map(renderSettings).join('\n')}`)
    .join('\n')

/**
 * Units that a project may need and does not name. This orders their start and starts none of them; systemd ignores those
 * that are not installed.
 */
const FIRST = [
  'network-online.target',
  'postgresql.service',
  'mariadb.service',
  'redis-server.service',
  'rabbitmq-server.service',
]

export function renderService(unit: Unit, units: readonly Unit[], input: ExportInput): string {
  const { exported, stem, services } = unit
  const identity = {
    // Otherwise the journal names every process `python`.
    SyslogIdentifier: services.length > 1 ? `${stem}.%i` : stem,
    Slice: `system-${input.name}.slice`,
    ...settingsOf(SUPPORT, exported, input),
  }
  return renderUnit({
    Unit: [description(unit, units, input)],
    Service: [command(unit, input), identity, stopping(unit), sandbox(unit, input)],
  })
}

function description(unit: Unit, units: readonly Unit[], input: ExportInput): Settings {
  const { exported, completes } = unit
  const { policy, windowMs, limit } = exported.restart
  const isLimited = !completes && policy !== 'never'
  return {
    Description: wholeLine(`${input.name} ${exported.name}: ${exported.title}`),
    PartOf: `${input.name}.target`,
    ...dependencies(unit, units),
    JoinsNamespaceOf: sharingTmp(unit, units, input).join(' ') || undefined,
    StartLimitIntervalSec: isLimited ? toSeconds(windowMs) : undefined,
    StartLimitBurst: isLimited ? limit : undefined,
  }
}

function command(unit: Unit, input: ExportInput): Settings {
  const { exported, hasSocket, services, stem } = unit
  return {
    ...serviceType(unit),
    ExecStart: quoteCommand((hasSocket ? exported.activated : null) ?? exported.argv),
    // systemd looks only for a socket with the name of the service.
    Sockets: hasSocket && services.length > 1 ? `${stem}.socket` : undefined,
    ...readiness(unit, input.project),
    ExecReload: exported.reload === 'signal' ? '/bin/kill -HUP $MAINPID' : undefined,
    WorkingDirectory: wholeLine(exported.cwd),
    Environment: setVariables(exported).map(([name, value]) => quoteItem(`${name}=${value}`)),
    UnsetEnvironment: removedVariables(exported).join(' ') || undefined,
    EnvironmentFile: input.envFrom.map(wholeLine),
  }
}

function serviceType({ exported, completes }: Unit): Settings {
  if (!completes) return { Type: exported.ready.notify ? 'notify' : 'exec' }
  // A timer starts the process each time; without one it counts as done until the target starts anew.
  return { Type: 'oneshot', RemainAfterExit: exported.schedule === null ? 'yes' : undefined }
}

function dependencies({ exported, hasSocket, stem }: Unit, units: readonly Unit[]): Settings {
  const processes = units.map((unit) => unit.exported)
  const awaited = Object.entries(exportedDependencies(exported, processes))
  const by = (...conditions: readonly string[]): readonly string[] =>
    awaited
      .filter(([, condition]) => conditions.includes(condition))
      .flatMap(([name]) => units.find((unit) => unit.exported.name === name)?.services ?? [])
  const socket = hasSocket ? [`${stem}.socket`] : []
  return {
    After: [...FIRST, ...by('started', 'ready', 'completed'), ...socket].join(' '),
    // Requires= would restart this service whenever the other one restarts.
    Wants: ['network-online.target', ...by('started', 'ready')].join(' '),
    Requires: [...by('completed'), ...socket].join(' ') || undefined,
  }
}

/** Returns the services that share a private /tmp with the service: a cache in files may lie there. */
function sharingTmp(unit: Unit, units: readonly Unit[], { project }: ExportInput): readonly string[] {
  const isShared = ({ exported }: Unit): boolean => !isInTmp(exported, project.root)
  if (!isShared(unit)) return []
  const siblings = unit.services.length > 1 ? unit.services : []
  return [
    ...siblings,
    ...units.filter((other) => other !== unit && isShared(other)).flatMap(({ services }) => services),
  ]
}

/** Signals that systemd itself takes for a clean exit. */
const CLEAN = new Set(['HUP', 'INT', 'TERM', 'PIPE'])
const RESTART = { always: 'always', 'on-failure': 'on-failure', never: 'no' } as const

function stopping({ exported: { stop, restart }, completes }: Unit): Settings {
  const settings = {
    // The main process alone gets the signal: sent to all processes, it kills tasks that Celery is running.
    KillMode: 'mixed',
    KillSignal: `SIG${stop.signal}`,
    TimeoutStopSec: toSeconds(stop.timeoutMs),
    SuccessExitStatus: CLEAN.has(stop.signal) ? undefined : `SIG${stop.signal}`,
  }
  if (completes) return settings
  const delay = restart.policy === 'never' ? undefined : toSeconds(restart.delayMs)
  return { ...settings, Restart: RESTART[restart.policy], RestartSec: delay }
}
