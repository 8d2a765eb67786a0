import { toMebibytes } from '../../core/sizes.ts'
import { printGoDuration } from '../../core/durations.ts'
import type { Problem } from '../../core/errors.ts'
import type { PlannedProbe } from '../../plan/plan.ts'
import { quoteWord } from '../../core/shell-words.ts'
import {
  checkImage,
  checkReachable,
  intervalMs,
  isOneOff,
  portsOf,
  probeKind,
  withoutCollecting,
} from '../containers.ts'
import { type HclBlock, type HclBody, toHcl } from './hcl.ts'
import { type NameRule, targetName, targetNames } from '../names.ts'
import type { Exported, ExportedFile, ExportedProcess, ExportInput, Target } from '../target.ts'
import { loss, placeOf } from '../target.ts'

/** A job for all services, and one for each process that ends by itself: those are of another type for Nomad. */
export const nomad: Target = {
  name: 'nomad',
  title: 'Nomad',
  runsIn: 'image',
  envFromExample: 'nomad/jobs/shop',
  options: ['user', 'image', 'env-from'],
  render,
}

const NAMES: NameRule = { title: 'Nomad', allowed: 'a-zA-Z0-9_-', lowerCase: false, longest: 63 }

function render(given: ExportInput): Exported {
  const { processes, problems } = withoutCollecting(given.processes)
  const input = { ...given, processes }
  const names = targetNames(processes, NAMES)
  const services = processes.filter((exported) => !isOneOff(exported))
  const others = processes.filter(isOneOff)
  const main = jobName(input)
  const files = [
    ...(services.length > 0 ? [jobFile(main, serviceJob(main, services, input))] : []),
    ...others.map((exported) => {
      const name = `${main}-${names.of(exported)}`
      return jobFile(name, batchJob(name, exported, input))
    }),
  ]
  return {
    files,
    problems: [
      ...problems,
      ...names.problems,
      ...checkImage(input),
      ...processes.flatMap((exported) => [
        ...checkReachable(exported),
        ...checkValues(exported),
        ...losses(exported, input),
      ]),
    ],
    next: (folder) => {
      // What runs once goes first; whether it is complete is to be seen before the others follow.
      const first = others
        .filter(({ schedule }) => schedule === null)
        .map((exported) => `${main}-${names.of(exported)}`)
      const rest = files.map(({ path }) => path).filter((path) => !first.some((name) => path === pathOf(name)))
      const run = (path: string): string => `nomad job run ${quoteWord(`${folder}/${path}`)}`
      return [...first.flatMap((name) => [run(pathOf(name)), `nomad job status ${name}`]), ...rest.map(run)]
    },
  }
}

const jobName = ({ name }: Pick<ExportInput, 'name'>): string => targetName(name, NAMES)

const pathOf = (job: string): string => `${job}.nomad.hcl`

const jobFile = (name: string, job: HclBlock): ExportedFile => ({ path: pathOf(name), text: toHcl([job]) })

function serviceJob(name: string, services: readonly ExportedProcess[], input: ExportInput): HclBlock {
  return block('job', name, [['type', 'service'], ...services.map((exported) => group(exported, input))])
}

function batchJob(name: string, exported: ExportedProcess, input: ExportInput): HclBlock {
  const { schedule } = exported
  const periodic =
    schedule &&
    block('periodic', undefined, [
      ['crons', [cronOf(schedule.cron)]],
      ['time_zone', schedule.tz],
      ['prohibit_overlap', true],
    ])
  return block('job', name, [['type', 'batch'], periodic ?? undefined, group(exported, input)])
}

/** Where there are seconds Nomad has a field for years as well. */
const cronOf = (cron: string): string => (cron.trim().split(/\s+/).length === 6 ? `${cron.trim()} *` : cron)

const block = (type: string, label: string | undefined, body: HclBody): HclBlock => ({
  block: type,
  ...(label !== undefined && { label }),
  body,
})

function group(exported: ExportedProcess, input: ExportInput): HclBlock {
  const { instances } = exported
  const ports = portsOf(exported)
  const isService = !isOneOff(exported)
  return block('group', targetName(exported.name, NAMES), [
    ['count', instances],
    ports.length > 0
      ? block(
          'network',
          undefined,
          ports.map((port) => block('port', portName(port, ports), [['to', port]])),
        )
      : undefined,
    ...(isService ? ports.map((port) => service(exported, port, input)) : []),
    isService ? update(exported) : undefined,
    restart(exported),
    reschedule(exported),
    disk(exported),
    task(exported, input),
  ])
}

const portName = (port: number, all: readonly number[]): string => (port === all[0] ? 'http' : `port-${port}`)

function service(exported: ExportedProcess, port: number, input: ExportInput): HclBlock {
  const ports = portsOf(exported)
  const { ready, alive, from } = exported
  const suffix = port === ports[0] ? '' : `-${port}`
  const living = alive && check(alive, true)
  return block('service', undefined, [
    ['name', `${jobName(input)}-${targetName(exported.name, NAMES).replaceAll('_', '-')}${suffix}`],
    ['port', portName(port, ports)],
    ['provider', 'nomad'],
    ...(port === ports[0]
      ? [
          block('check', undefined, check(ready, from.ready !== undefined) ?? tcpCheck(ready, false)),
          living
            ? block('check', undefined, [
                ['name', 'alive'],
                ...living,
                block('check_restart', undefined, [
                  ['limit', alive.failures],
                  ['grace', printGoDuration(alive.startMs)],
                ]),
              ])
            : undefined,
        ]
      : []),
  ])
}

/** What Nomad asks from outside; undefined for what it cannot. A path that nobody has named may well be answered with 404. */
function check(probe: PlannedProbe, isDeclared: boolean): HclBody | undefined {
  if (isDeclared && probe.http?.startsWith('/'))
    return [
      ['type', 'http'],
      ['path', probe.http],
      ...times(probe, isDeclared),
      block('header', undefined, [['Host', ['localhost']]]),
    ]
  return probe.tcp === undefined || !/^\d+$/.test(probe.tcp) ? undefined : tcpCheck(probe, isDeclared)
}

const tcpCheck = (probe: PlannedProbe, isDeclared: boolean): HclBody => [['type', 'tcp'], ...times(probe, isDeclared)]

const times = (probe: PlannedProbe, isDeclared: boolean): HclBody => [
  ['interval', printGoDuration(intervalMs(probe, isDeclared))],
  ['timeout', printGoDuration(probe.timeoutMs)],
]

/** A new web server is healthy before an old one ends; what is not goes back to the version before. */
function update({ kind, ready, from, reload }: ExportedProcess): HclBlock {
  const isSmooth = kind === 'web' || (from.reload !== undefined && reload === 'rolling')
  const startMs = Math.max(ready.startMs, ready.delayMs ?? 0)
  return block('update', undefined, [
    ['max_parallel', 1],
    ...(isSmooth
      ? ([
          ['canary', 1],
          ['auto_promote', true],
        ] as const)
      : []),
    ['auto_revert', true],
    ['min_healthy_time', printGoDuration(ready.delayMs ?? 10_000)],
    ['healthy_deadline', printGoDuration(startMs + 240_000)],
    ['progress_deadline', printGoDuration(startMs + 540_000)],
  ])
}

function restart(exported: ExportedProcess): HclBlock {
  const { policy, limit, windowMs, delayMs } = exported.restart
  const isTried = isOneOff(exported) ? policy === 'on-failure' : policy !== 'never'
  return block('restart', undefined, [
    ['attempts', isTried ? limit : 0],
    ['interval', isTried ? printGoDuration(windowMs) : undefined],
    ['delay', isTried ? printGoDuration(delayMs) : undefined],
    ['mode', 'fail'],
  ])
}

/** What has failed on one machine is tried on another, unless it is not to be tried again. */
function reschedule(exported: ExportedProcess): HclBlock {
  const isTried = !isOneOff(exported) && exported.restart.policy !== 'never'
  return block(
    'reschedule',
    undefined,
    isTried
      ? [
          ['delay', '30s'],
          ['delay_function', 'exponential'],
          ['max_delay', '10m'],
          ['unlimited', true],
        ]
      : [
          ['attempts', 0],
          ['unlimited', false],
        ],
  )
}

/** Both streams are kept; the usual room is 300 MB. */
function disk({ log }: ExportedProcess): HclBlock | undefined {
  const needed = 2 * toMebibytes(log.maxSizeBytes) * (log.keep + 1)
  return needed < 250 ? undefined : block('ephemeral_disk', undefined, [['size', needed + 100]])
}

function task(exported: ExportedProcess, input: ExportInput): HclBlock {
  const { argv, cwd, env, stop, log, memoryLimitBytes, limits, kind } = exported
  const [program = '', ...args] = argv
  const ports = portsOf(exported)
  const given = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value === null ? [] : [[name, value]],
  )
  return block('task', targetName(exported.name, NAMES), [
    ['driver', 'docker'],
    ['user', userOf(exported, input)],
    ['kill_signal', `SIG${stop.signal}`],
    ['kill_timeout', printGoDuration(stop.timeoutMs)],
    // For as long others may still send it requests.
    ['shutdown_delay', kind === 'web' ? '5s' : undefined],
    block('config', undefined, [
      ['image', input.image],
      ['command', program],
      ['args', args],
      ['work_dir', cwd],
      ['init', true],
      ['ports', ports.length > 0 ? ports.map((port) => portName(port, ports)) : undefined],
      Object.keys(limits).length > 0 ? block('ulimit', undefined, Object.entries(limits)) : undefined,
    ]),
    given.length > 0 ? block('env', undefined, given) : undefined,
    ...input.envFrom.map((path, index) => template(path, index)),
    block('resources', undefined, [
      ['cpu', 500],
      ['memory', memoryLimitBytes === null ? 512 : toMebibytes(memoryLimitBytes)],
    ]),
    block('logs', undefined, [
      ['max_files', log.keep + 1],
      ['max_file_size', toMebibytes(log.maxSizeBytes)],
    ]),
  ])
}

function userOf({ user, group: own }: ExportedProcess, input: ExportInput): string | undefined {
  const name = user ?? input.user
  return name === undefined || own === null ? name : `${name}:${own}`
}

/** Everything below a path of Nomad's own variables, as environment. */
const template = (path: string, index: number): HclBlock =>
  block('template', undefined, [
    ['destination', `secrets/${index + 1}.env`],
    ['env', true],
    [
      'data',
      {
        heredoc: [
          `{{ with nomadVar ${JSON.stringify(path)} }}{{ range .Tuples }}`,
          '{{ .K }}={{ printf "%q" .V }}',
          '{{ end }}{{ end }}',
          '',
        ].join('\n'),
      },
    ],
  ])

/** What Nomad would replace when it starts the task, and has no way to write otherwise. */
const REPLACED = /\$\{[\w.-]+\}/

function checkValues(exported: ExportedProcess): readonly Problem[] {
  const { name, argv, env, cwd } = exported
  const refuse = (key: keyof ExportedProcess['from'], value: string, what: string): Problem => ({
    id: 'E802',
    place: key === 'env' ? placeOf(exported, 'env') : placeOf(exported, key),
    process: name,
    message: `Nomad ${what} in ${JSON.stringify(value.slice(0, 100))}, and has no way to write it otherwise.`,
    hint: 'Let the program read it from a file, or write it in another way',
  })
  const values = [
    ...argv.map((word) => ['args', word] as const),
    ...Object.values(env).flatMap((value) => (value === null ? [] : [['env', value] as const])),
    ['cwd', cwd] as const,
  ]
  const names = Object.keys(env).filter((variable) => !/^[A-Za-z_]\w*$/.test(variable))
  return [
    ...values.flatMap(([key, value]) => {
      const [found] = REPLACED.exec(value) ?? []
      if (found !== undefined) return [refuse(key, value, `puts something else in the place of ${found}`)]
      return value === value.normalize('NFC') ? [] : [refuse(key, value, 'composes characters')]
    }),
    ...names.map((variable) => refuse('env', variable, 'replaces characters of the name')),
  ]
}

/** A client allows no more, unless it is told to. */
const MAX_KILL_MS = 30_000

const LIMIT = /^(\d+)(:\d+)?$/

function losses(exported: ExportedProcess, input: ExportInput): readonly Problem[] {
  const { from, env, ready, alive, restart: again, limits, umask, nice, log, stop } = exported
  const lost = (condition: boolean, key: keyof ExportedProcess['from'], message: string): readonly Problem[] =>
    condition ? [loss(exported, key, message)] : []
  const isService = !isOneOff(exported)
  const hasPort = portsOf(exported).length > 0
  const isAsked = (probe: PlannedProbe): boolean => hasPort && check(probe, true) !== undefined
  return [
    ...Object.keys(exported.dependsOn).map((name) =>
      loss(
        exported,
        'dependsOn',
        `Nomad does not wait for ${JSON.stringify(name)}: run the job of what ends first, as the commands do that are printed at the end; else it must bear being started again.`,
      ),
    ),
    ...lost(
      Object.values(env).includes(null),
      'env',
      'Nomad cannot take a variable away: it is only left out, and set if the image sets it.',
    ),
    ...lost(
      isService && from.ready !== undefined && !isAsked(ready) && ready.delayMs === undefined,
      'ready',
      `Nomad cannot ask this (${askedAs(ready)}): ${hasPort ? 'it waits until the port is open' : 'it counts as healthy when it has run for 10s'}.`,
    ),
    ...lost(
      isService && from.ready !== undefined && ready.http !== undefined && isAsked(ready),
      'ready',
      'Nomad takes any answer from 400 for a failure, and asks as localhost: let ALLOWED_HOSTS have it.',
    ),
    ...lost(
      isService && alive !== null && !isAsked(alive),
      'alive',
      `Nomad cannot ask this (${askedAs(alive ?? ready)}): nothing checks it after its start.`,
    ),
    ...lost(isService && again.policy === 'on-failure', 'restart', 'Nomad starts a service again however it ended.'),
    ...lost(again.maxDelayMs !== 60_000, 'restart', 'Nomad has no max_delay: it waits the same before each restart.'),
    ...lost(
      !isService && again.policy !== 'on-failure' && restartIsDetailed(exported),
      'restart',
      'It is tried once: only on-failure has it tried again.',
    ),
    ...lost(
      again.policy === 'never' && isService && restartIsDetailed(exported),
      'restart',
      'It is not started again, so nothing is delayed.',
    ),
    ...lost(
      exported.run === 'release',
      'run',
      'Nomad does not know which release was done: it runs whenever its job is run.',
    ),
    ...lost(
      stop.timeoutMs > MAX_KILL_MS,
      'stop',
      `A client of Nomad allows 30s, unless its max_kill_timeout says more: set that to ${printGoDuration(stop.timeoutMs)}.`,
    ),
    ...lost(
      exported.memoryLimitBytes !== null,
      'memoryLimit',
      'Nomad lets the kernel kill what takes more memory, without a graceful stop.',
    ),
    ...lost(
      from.reload !== undefined && exported.reload === 'signal',
      'reload',
      'Nomad replaces tasks, and signals none.',
    ),
    ...lost(
      exported.group !== null && userOf(exported, input) === undefined,
      'group',
      'Nomad takes a group only with a user: the image says which it is. Name a USER as well.',
    ),
    ...lost(umask !== null, 'umask', "Nomad has no file mode mask: the image's own stays."),
    ...lost(nice !== null, 'nice', 'Nomad has no priority of processes: it runs with the usual one.'),
    ...lost(
      Object.entries(limits).some(([name, value]) => name === 'as' || !LIMIT.test(value)),
      'limits',
      'Docker, which Nomad runs it with, refuses a limit that is not a number, or one of address space.',
    ),
    ...lost(from.log !== undefined && log.compress, 'log', 'Nomad compresses no logs.'),
    ...lost(
      from.log !== undefined && log.maxSizeBytes % 1024 ** 2 !== 0,
      'log',
      `Nomad counts the size of logs in MB: they are rotated at ${toMebibytes(log.maxSizeBytes)} MB.`,
    ),
  ]
}

const restartIsDetailed = ({ restart: { delayMs, limit, windowMs } }: ExportedProcess): boolean =>
  delayMs !== 1000 || limit !== 10 || windowMs !== 600_000

const askedAs = (probe: PlannedProbe): string =>
  probe.http !== undefined ? 'http' : probe.tcp !== undefined ? 'tcp' : probe.exec ? 'exec' : probeKind(probe)
