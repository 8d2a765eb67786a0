import { exportedDependencies } from '../dependencies.ts'
import { toSeconds } from '../../core/durations.ts'
import { portOf } from '../../core/addresses.ts'
import type { ExportInput, ExportedProcess } from '../input.ts'
import { quoteCommand, quoteItem, wholeLine } from './quote.ts'
import { readiness } from './readiness.ts'
import { isInTmp, sandbox } from './sandbox.ts'
import { ownSettings } from './support.ts'
import type { Setting, Unit } from './units.ts'

/** Writes a unit: sections with groups of settings, and an empty line between groups. */
export const renderUnit = (sections: Readonly<Record<string, readonly (readonly Setting[])[]>>): string =>
  Object.entries(sections)
    .map(
      ([name, groups]) =>
        `[${name}]\n${groups
          .filter(({ length }) => length > 0)
          .map(renderGroup)
          .join('\n')}`,
    )
    .join('\n')

const renderGroup = (settings: readonly Setting[]): string =>
  settings.map(([key, value]) => `${key}=${value}\n`).join('')

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
  return renderUnit({
    Unit: [description(unit, units, input)],
    Service: [
      command(unit, input),
      identity(unit, input),
      [...stopping(unit.exported), ...restarting(unit)],
      sandbox(unit.exported, input, { user: unit.user, bindsLowPort: !unit.hasSocket && bindsLowPort(unit.exported) }),
    ],
  })
}

function description(unit: Unit, units: readonly Unit[], input: ExportInput): readonly Setting[] {
  const { exported } = unit
  return [
    ['Description', wholeLine(`${input.name} ${exported.name}: ${exported.title}`)],
    ['PartOf', `${input.name}.target`],
    ...dependencies(unit, units),
    ...sharedFolder(unit, units, input),
    ...startLimits(unit),
  ]
}

function command(unit: Unit, input: ExportInput): readonly Setting[] {
  const { exported } = unit
  const argv = (unit.hasSocket ? exported.activated : null) ?? exported.argv
  const settings: Setting[] = [...serviceType(unit), ['ExecStart', quoteCommand(argv)]]
  // systemd looks only for a socket with the name of the service.
  if (unit.hasSocket && unit.services.length > 1) settings.push(['Sockets', `${unit.stem}.socket`])
  if (!unit.completes) settings.push(...readiness(exported, input.project))
  if (exported.reload === 'signal') settings.push(['ExecReload', '/bin/kill -HUP $MAINPID'])
  settings.push(['WorkingDirectory', wholeLine(exported.cwd)], ...environment(exported, input))
  return settings
}

function serviceType({ exported, completes }: Unit): readonly Setting[] {
  if (!completes) return [['Type', exported.ready.notify ? 'notify' : 'exec']]
  // A timer starts the process each time; without one it counts as done until the target starts anew.
  if (exported.schedule !== null) return [['Type', 'oneshot']]
  return [
    ['Type', 'oneshot'],
    ['RemainAfterExit', 'yes'],
  ]
}

function dependencies(unit: Unit, units: readonly Unit[]): readonly Setting[] {
  const awaited = exportedDependencies(
    unit.exported,
    units.map(({ exported }) => exported),
  )
  const by = (...conditions: readonly string[]): readonly string[] =>
    Object.entries(awaited)
      .filter(([, condition]) => conditions.includes(condition))
      .flatMap(([name]) => units.find(({ exported }) => exported.name === name)?.services ?? [])
  const socket = unit.hasSocket ? [`${unit.stem}.socket`] : []
  const required = [...by('completed'), ...socket]
  // Requires= would restart this service whenever the other one restarts.
  const wanted = ['network-online.target', ...by('started', 'ready')]
  const settings: Setting[] = [
    ['After', [...FIRST, ...by('started', 'ready', 'completed'), ...socket].join(' ')],
    ['Wants', wanted.join(' ')],
  ]
  if (required.length > 0) settings.push(['Requires', required.join(' ')])
  return settings
}

/** Lets the services share one private /tmp: a cache in files may lie there. */
function sharedFolder(unit: Unit, units: readonly Unit[], { project }: ExportInput): readonly Setting[] {
  const isShared = ({ exported }: Unit): boolean => !isInTmp(exported, project.root)
  const others = units.filter((other) => other !== unit && isShared(other)).flatMap(({ services }) => services)
  const siblings = unit.services.length > 1 ? unit.services : []
  const all = [...siblings, ...others]
  return isShared(unit) && all.length > 0 ? [['JoinsNamespaceOf', all.join(' ')]] : []
}

function startLimits({ exported: { restart }, completes }: Unit): readonly Setting[] {
  if (completes || restart.policy === 'never') return []
  return [
    ['StartLimitIntervalSec', String(toSeconds(restart.windowMs))],
    ['StartLimitBurst', String(restart.limit)],
  ]
}

function identity({ exported, stem, services }: Unit, input: ExportInput): readonly Setting[] {
  return [
    // Otherwise the journal names every process `python`.
    ['SyslogIdentifier', services.length > 1 ? `${stem}.%i` : stem],
    ['Slice', `system-${input.name}.slice`],
    ...ownSettings(exported, input),
  ]
}

function environment({ env }: ExportedProcess, { envFrom }: ExportInput): readonly Setting[] {
  const settings: Setting[] = []
  for (const [name, value] of Object.entries(env))
    if (value !== null) settings.push(['Environment', quoteItem(`${name}=${value}`)])
  const removed = Object.keys(env).filter((name) => env[name] === null)
  if (removed.length > 0) settings.push(['UnsetEnvironment', removed.join(' ')])
  for (const file of envFrom) settings.push(['EnvironmentFile', wholeLine(file)])
  return settings
}

/** Signals that systemd itself takes for a clean exit. */
const CLEAN = new Set(['HUP', 'INT', 'TERM', 'PIPE'])

function stopping({ stop }: ExportedProcess): readonly Setting[] {
  const settings: Setting[] = [
    // The main process alone gets the signal: sent to all processes, it kills tasks that Celery is running.
    ['KillMode', 'mixed'],
    ['KillSignal', `SIG${stop.signal}`],
    ['TimeoutStopSec', String(toSeconds(stop.timeoutMs))],
  ]
  if (!CLEAN.has(stop.signal)) settings.push(['SuccessExitStatus', `SIG${stop.signal}`])
  return settings
}

const RESTART = { always: 'always', 'on-failure': 'on-failure', never: 'no' } as const

function restarting({ exported: { restart }, completes }: Unit): readonly Setting[] {
  if (completes) return []
  const settings: Setting[] = [['Restart', RESTART[restart.policy]]]
  if (restart.policy !== 'never') settings.push(['RestartSec', String(toSeconds(restart.delayMs))])
  return settings
}

const bindsLowPort = ({ listen }: ExportedProcess): boolean =>
  listen.some((address) => {
    const port = portOf(address)
    return port > 0 && port < 1024
  })
