import { toSeconds } from '../../core/durations.ts'
import { portOf } from '../../core/addresses.ts'
import type { ExportInput, ExportedProcess } from '../target.ts'
import { quoteCommand, quoteItem, wholeLine } from './quote.ts'
import { readiness } from './readiness.ts'
import { isInTmp, sandbox, type Setting } from './sandbox.ts'
import type { Unit } from './units.ts'

/** The text of a unit: sections with their settings, in their order; an empty line between groups of them. */
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
 * What a project needs and does not name. Those that are not installed are not waited for: this orders, and starts
 * nothing but the network.
 */
const FIRST = [
  'network-online.target',
  'postgresql.service',
  'mariadb.service',
  'redis-server.service',
  'rabbitmq-server.service',
]

export function renderService(unit: Unit, units: readonly Unit[], input: ExportInput): string {
  const { exported, completes } = unit
  return renderUnit({
    Unit: [
      [
        ['Description', wholeLine(`${input.name} ${exported.name}: ${exported.title}`)],
        ['PartOf', `${input.name}.target`],
        ...dependencies(unit, units),
        ...sharedFolder(unit, units, input),
        ...(completes ? [] : limits(exported)),
      ],
    ],
    Service: [
      [
        ...(completes ? completion(exported) : [['Type', exported.ready.notify ? 'notify' : 'exec'] as const]),
        ['ExecStart', quoteCommand((unit.hasSocket ? exported.activated : null) ?? exported.argv)],
        // Found by itself only where the names are the same.
        ...(unit.hasSocket && unit.services.length > 1 ? [['Sockets', `${unit.stem}.socket`] as const] : []),
        ...(completes ? [] : readiness(exported, input.project)),
        ...(exported.reload === 'signal' ? [['ExecReload', '/bin/kill -HUP $MAINPID'] as const] : []),
        ['WorkingDirectory', wholeLine(exported.cwd)],
        ...environment(exported, input),
      ],
      identity(unit, input),
      [...ending(exported), ...(completes ? [] : restarting(exported))],
      sandbox(exported, input, { user: unit.user, bindsLowPort: !unit.hasSocket && bindsLowPort(exported) }),
    ],
  })
}

function dependencies(unit: Unit, units: readonly Unit[]): readonly Setting[] {
  const by = (...conditions: readonly string[]): readonly string[] =>
    Object.entries(unit.exported.dependsOn)
      .filter(([, condition]) => conditions.includes(condition))
      .flatMap(([name]) => units.find(({ exported }) => exported.name === name)?.services ?? [])
  const socket = unit.hasSocket ? [`${unit.stem}.socket`] : []
  const required = [...by('completed'), ...socket]
  // Requires= would start the one anew whenever the other is started anew.
  const wanted = ['network-online.target', ...by('started', 'ready')]
  return [
    ['After', [...FIRST, ...by('started', 'ready', 'completed'), ...socket].join(' ')],
    ['Wants', wanted.join(' ')],
    ...(required.length > 0 ? [['Requires', required.join(' ')] as const] : []),
  ]
}

/** Their /tmp is not the machine's, and the same for all of them: a cache in files may lie there. */
function sharedFolder(unit: Unit, units: readonly Unit[], { project }: ExportInput): readonly Setting[] {
  const isShared = ({ exported }: Unit): boolean => !isInTmp(exported, project.root)
  const others = units.filter((other) => other !== unit && isShared(other)).flatMap(({ services }) => services)
  const siblings = unit.services.length > 1 ? unit.services : []
  const all = [...siblings, ...others]
  return isShared(unit) && all.length > 0 ? [['JoinsNamespaceOf', all.join(' ')]] : []
}

const limits = ({ restart }: ExportedProcess): readonly Setting[] =>
  restart.policy === 'never'
    ? []
    : [
        ['StartLimitIntervalSec', String(toSeconds(restart.windowMs))],
        ['StartLimitBurst', String(restart.limit)],
      ]

/** Once it has ended well it counts as done until the target is started anew; what a timer starts runs each time. */
const completion = ({ schedule }: ExportedProcess): readonly Setting[] => [
  ['Type', 'oneshot'],
  ...(schedule === null ? [['RemainAfterExit', 'yes'] as const] : []),
]

function identity({ exported, user, stem, services }: Unit, { name }: ExportInput): readonly Setting[] {
  const { group, umask, nice, limits: wanted, memoryLimitBytes } = exported
  return [
    // Of `python`, which everything would be called otherwise.
    ['SyslogIdentifier', services.length > 1 ? `${stem}.%i` : stem],
    ['Slice', `system-${name}.slice`],
    ...(user === undefined ? [] : [['User', wholeLine(user)] as const]),
    ...(group === null ? [] : [['Group', wholeLine(group)] as const]),
    ...(umask === null ? [] : [['UMask', umask.padStart(4, '0')] as const]),
    ...(nice === null ? [] : [['Nice', String(nice)] as const]),
    ...Object.entries(wanted).map(([limit, value]): Setting => [`Limit${limit.toUpperCase()}`, limitOf(value)]),
    ...(memoryLimitBytes === null ? [] : [['MemoryMax', String(memoryLimitBytes)] as const]),
  ]
}

/** The names of resources that can be limited, as `prlimit` and systemd have them. */
export const LIMITS =
  /^(as|core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|sigpending|stack)$/i

/** A half that is left out takes the value of the other. */
function limitOf(value: string): string {
  const [soft = '', hard = soft] = value.split(':').map((half) => (/^(unlimited|-1)$/.test(half) ? 'infinity' : half))
  return soft === hard || hard === '' ? soft : soft === '' ? hard : `${soft}:${hard}`
}

function environment({ env }: ExportedProcess, { envFrom }: ExportInput): readonly Setting[] {
  const removed = Object.keys(env).filter((name) => env[name] === null)
  return [
    ...Object.entries(env).flatMap(([name, value]): readonly Setting[] =>
      value === null ? [] : [['Environment', quoteItem(`${name}=${value}`)]],
    ),
    ...(removed.length > 0 ? [['UnsetEnvironment', removed.join(' ')] as const] : []),
    ...envFrom.map((file): Setting => ['EnvironmentFile', wholeLine(file)]),
  ]
}

/** Signals by which a service that dies of them has ended well, for systemd itself. */
const CLEAN = new Set(['HUP', 'INT', 'TERM', 'PIPE'])

const ending = ({ stop }: ExportedProcess): readonly Setting[] => [
  // The signal goes to the main process alone: sent to all of them, it kills tasks that Celery is running.
  ['KillMode', 'mixed'],
  ['KillSignal', `SIG${stop.signal}`],
  ['TimeoutStopSec', String(toSeconds(stop.timeoutMs))],
  ...(CLEAN.has(stop.signal) ? [] : [['SuccessExitStatus', `SIG${stop.signal}`] as const]),
]

const RESTART = { always: 'always', 'on-failure': 'on-failure', never: 'no' } as const

const restarting = ({ restart }: ExportedProcess): readonly Setting[] => [
  ['Restart', RESTART[restart.policy]],
  ...(restart.policy === 'never' ? [] : [['RestartSec', String(toSeconds(restart.delayMs))] as const]),
]

const bindsLowPort = ({ listen }: ExportedProcess): boolean =>
  listen.some((address) => {
    const port = portOf(address)
    return port > 0 && port < 1024
  })
