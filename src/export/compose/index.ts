import { printSize } from '../../core/sizes.ts'
import { printGoDuration } from '../../core/durations.ts'
import type { Problem } from '../../core/errors.ts'
import {
  canBeAsked,
  checkReachable,
  dependenciesOf,
  intervalMs,
  isOneOff,
  portsOf,
  probeKind,
  restartDetails,
  withoutCollecting,
} from '../containers.ts'
import { dockerfile, lockOf } from '../dockerfile.ts'
import { targetName, targetNames } from '../names.ts'
import { interpreterOf, type Interpreter, probeProgram } from '../probe-program.ts'
import type { Exported, ExportedFile, ExportedProcess, ExportInput, Target } from '../target.ts'
import { loss } from '../target.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { toYaml, type YamlValue } from '../yaml.ts'

/** A file of the Compose specification: a service for each process, all from one image. */
export const compose: Target = {
  name: 'compose',
  title: 'Compose',
  runsIn: 'image',
  envFromExample: '.env.production',
  options: ['user', 'image', 'env-from'],
  render,
}

type Service = Readonly<Record<string, YamlValue>>

const NAMES = { title: 'Compose', allowed: 'A-Za-z0-9._-', lowerCase: false, longest: 200 } as const

function render(input: ExportInput): Exported {
  const { processes, collect, problems } = withoutCollecting(input.processes)
  const names = targetNames(processes, NAMES)
  const services = processes.map((exported): [string, Service] => [
    names.of(exported),
    service(exported, { input, all: processes, nameOf: (name) => names.of({ name }) }),
  ])
  const own = hasDockerfile(input.found)
    ? []
    : dockerfile({ project: input.project, processes, collect, found: input.found })
  return {
    files: [composeFile(services, input), ...own],
    problems: [
      ...problems,
      ...names.problems,
      ...processes.flatMap((exported) => [...checkReachable(exported), ...losses(exported, input, processes)]),
      ...(own.length > 0 && lockOf(input.found) === undefined ? [nothingToInstall()] : []),
    ],
    next: (folder) =>
      ['config --quiet', `up --build --detach${canWait(processes) ? ' --wait' : ''}`, 'logs --follow'].map(
        (verb) => `docker compose --file ${quoteWord(`${folder}/compose.yaml`)} ${verb}`,
      ),
  }
}

/** Compose takes the end of a service for a failure, unless another one waits for it. */
const canWait = (all: readonly ExportedProcess[]): boolean =>
  all
    .filter((exported) => isOneOff(exported) && exported.schedule === null)
    .every(({ name }) => all.some((other) => dependenciesOf(other, all)[name] === 'completed'))

function nothingToInstall(): Problem {
  return {
    id: 'W801',
    place: 'Dockerfile',
    message:
      'Nothing says what the project needs, so the image would have no Django: there is no file of requirements.',
    hint: 'python -m pip freeze > requirements.txt, and export again',
  }
}

/** Each service has it: whichever is built first, the others find the same layers. */
function buildOf({ found, place }: ExportInput): YamlValue {
  const isOurs = !hasDockerfile(found)
  const context = place.root === '' ? '.' : place.root
  return isOurs && place.folder !== '' ? { context, dockerfile: `${place.folder}/Dockerfile` } : context
}

const hasDockerfile = (found: ReadonlySet<string>): boolean =>
  ['Dockerfile', 'Containerfile'].some((name) => found.has(name))

function composeFile(services: readonly [string, Service][], input: ExportInput): ExportedFile {
  const shared = sharedKeys(services.map(([, one]) => one))
  const document = {
    name: targetName(input.name, { allowed: 'a-z0-9_-', lowerCase: true }),
    ...(Object.keys(shared).length > 0 && { 'x-app': shared }),
    services: Object.fromEntries(
      services.map(([name, one]) => [
        name,
        Object.fromEntries(Object.entries(one).filter(([key, value]) => !isSame(shared[key], value))),
      ]),
    ),
  }
  const anchor = { key: 'x-app', name: 'app', users: 'services' }
  return { path: 'compose.yaml', text: toYaml(document, { apart: ['', 'services'], anchor }) }
}

/** What most services have is said once; where one has another value, that is written after it and wins. */
function sharedKeys(services: readonly Service[]): Service {
  if (services.length < 2) return {}
  return Object.fromEntries(
    SHARED.flatMap((key) => {
      const values = services.map((one) => one[key])
      // What is taken over cannot be left out again.
      const usual = values.includes(undefined) ? undefined : usualValue(values)
      return usual === undefined ? [] : [[key, usual] as const]
    }),
  )
}

/** In the order in which they are written. */
const SHARED = [
  'image',
  'build',
  'working_dir',
  'user',
  'init',
  'env_file',
  'environment',
  'restart',
  'logging',
] as const

/** The most frequent value, if it is there more than once. */
function usualValue(values: readonly YamlValue[]): YamlValue {
  const countOf = (value: YamlValue): number => values.filter((other) => isSame(other, value)).length
  const usual = values.toSorted((a, b) => countOf(b) - countOf(a))[0]
  return countOf(usual) > 1 ? usual : undefined
}

/** Of values of JSON. */
const isSame = (a: YamlValue, b: YamlValue): boolean => JSON.stringify(a) === JSON.stringify(b)

interface Context {
  readonly input: ExportInput
  readonly all: readonly ExportedProcess[]
  readonly nameOf: (name: string) => string
}

function service(exported: ExportedProcess, { input, all, nameOf }: Context): Service {
  const { argv, cwd, env, stop, instances, schedule, memoryLimitBytes, limits } = exported
  const given = Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [[name, escape(value)]]))
  const user = userOf(exported, input)
  const ports = portsOf(exported).map(String)
  const defined = {
    // The one word that is not from the plan: a variable of Compose is as good here.
    image: input.image ?? targetName(input.name, { allowed: 'a-z0-9._-', lowerCase: true }),
    build: buildOf(input),
    profiles: schedule === null ? undefined : ['schedule'],
    command: argv.map(escape),
    working_dir: escape(cwd),
    user: user === undefined ? undefined : escape(user),
    // A process that is the first of a container ignores signals that it has no word for, and collects no orphans.
    init: true,
    env_file: input.envFrom.length > 0 ? input.envFrom.map((file) => escape(fromFolder(file, input))) : undefined,
    environment: given.length > 0 ? Object.fromEntries(given) : undefined,
    depends_on: dependsOn(exported, all, nameOf),
    ports: ports.length > 0 && instances === 1 ? ports.map((port) => `${port}:${port}`) : undefined,
    expose: ports.length > 0 && instances > 1 ? ports : undefined,
    healthcheck: healthcheck(exported, interpreterOf(input.project)),
    restart: restart(exported),
    stop_signal: stop.signal === 'TERM' ? undefined : `SIG${stop.signal}`,
    stop_grace_period: printGoDuration(stop.timeoutMs),
    deploy: instances > 1 ? { replicas: instances } : undefined,
    mem_limit: memoryLimitBytes === null ? undefined : printSize(memoryLimitBytes).toLowerCase(),
    ulimits: ulimits(limits),
    logging: logging(exported),
  }
  return Object.fromEntries(Object.entries(defined).filter(([, value]) => value !== undefined))
}

/** A path that is relative to the project, as one from the folder of the file. */
const fromFolder = (path: string, { place }: ExportInput): string =>
  path.startsWith('/') || place.root === '' ? path : `${place.root}/${path}`

/** Compose replaces variables in every text: a dollar sign is written twice. */
const escape = (text: string): string => text.replaceAll('$', '$$$$')

function userOf({ user, group }: ExportedProcess, input: ExportInput): string | undefined {
  const name = user ?? input.user
  return name === undefined || group === null ? name : `${name}:${group}`
}

function dependsOn(exported: ExportedProcess, all: readonly ExportedProcess[], nameOf: Context['nameOf']): YamlValue {
  const entries = Object.entries(dependenciesOf(exported, all)).map(([name, condition]) => [
    nameOf(name),
    {
      condition: conditionWord(
        condition,
        all.find((other) => other.name === name),
      ),
    },
  ])
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

function conditionWord(condition: 'started' | 'ready' | 'completed', other: ExportedProcess | undefined): string {
  if (condition === 'completed') return 'service_completed_successfully'
  return condition === 'ready' && other && isChecked(other) ? 'service_healthy' : 'service_started'
}

/** The one check that a service has: the probe that others wait for, else the one that goes on. */
function healthcheck(exported: ExportedProcess, interpreter: Interpreter): YamlValue {
  if (isOneOff(exported)) return undefined
  const probe = askedProbe(exported)
  const program = probe && probeProgram(probe, exported.listen, interpreter)
  if (!probe || !program) return undefined
  const isDeclared = (probe === exported.ready ? exported.from.ready : exported.from.alive) !== undefined
  return {
    test: ['CMD', ...program].map(escape),
    interval: printGoDuration(intervalMs(probe, isDeclared)),
    timeout: printGoDuration(probe.timeoutMs),
    retries: probe.failures,
    start_period: printGoDuration(probe.startMs),
    start_interval: '2s',
  }
}

/** Whoever it is that asks. */
const isChecked = (exported: ExportedProcess): boolean => healthcheck(exported, 'python') !== undefined

const askedProbe = ({ ready, alive }: ExportedProcess): ExportedProcess['ready'] | undefined =>
  [ready, alive].find(canBeAsked) ?? undefined

function restart(exported: ExportedProcess): string {
  const { policy, limit } = exported.restart
  if (isOneOff(exported) || policy === 'never') return 'no'
  return policy === 'always' ? 'unless-stopped' : `on-failure:${limit}`
}

/** Those of the limits that Docker knows; a limit that says nothing of its other half is not one of them. */
const ULIMIT =
  /^(core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|sigpending|stack)=(\d+|unlimited)(?::(\d+|unlimited))?$/

function ulimits(limits: ExportedProcess['limits']): YamlValue {
  const entries = Object.entries(limits).flatMap(([name, value]) => {
    const [, known = '', soft = '', hard] = ULIMIT.exec(`${name}=${value}`) ?? []
    if (known === '') return []
    return [[known, hard === undefined ? ulimit(soft) : { soft: ulimit(soft), hard: ulimit(hard) }] as const]
  })
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}

const ulimit = (text: string): number => (text === 'unlimited' ? -1 : Number(text))

/** Docker counts the file that is written to as well. */
function logging({ log }: ExportedProcess): YamlValue {
  const options = { 'max-size': printSize(log.maxSizeBytes).toLowerCase(), 'max-file': String(log.keep + 1) }
  return { driver: 'json-file', options: { ...options, compress: String(log.compress) } }
}

function losses(exported: ExportedProcess, input: ExportInput, all: readonly ExportedProcess[]): readonly Problem[] {
  const { name, from, dependsOn, env, ready, alive, run, schedule, umask, nice, limits } = exported
  const lost = (condition: boolean, key: keyof ExportedProcess['from'], message: string): readonly Problem[] =>
    condition ? [loss(exported, key, message)] : []
  const service = targetName(name, NAMES)
  const isService = !isOneOff(exported)
  const details = restartDetails(exported)
  return [
    ...Object.keys(dependsOn).flatMap((other) => lostDependency(exported, other, all)),
    ...lost(
      Object.values(env).includes(null),
      'env',
      'Compose cannot take a variable away: it is only left out, and set if the image sets it.',
    ),
    ...lost(
      isService && from.ready !== undefined && (!canBeAsked(ready) || !isChecked(exported)),
      'ready',
      `Compose cannot wait for ${probeKind(ready)}: the service counts as ready when it is started.`,
    ),
    ...lost(
      isService && alive !== null && (canBeAsked(ready) || !canBeAsked(alive)),
      'alive',
      canBeAsked(alive)
        ? 'Compose has one check for a service, which asks for READY. It shows what does not answer, and leaves it running.'
        : `Compose cannot watch a process by ${probeKind(alive ?? ready)}: nothing checks it after its start.`,
    ),
    ...lost(
      isService && alive !== null && canBeAsked(alive) && !canBeAsked(ready),
      'alive',
      'Compose shows a service that does not answer as unhealthy, and leaves it running.',
    ),
    ...lost(
      isService && details.length > 0,
      'restart',
      `Compose has no ${details.join(', ')}: Docker waits 100 ms before a restart, twice as long each time, at most 1 min.`,
    ),
    ...lost(
      run === 'release',
      'run',
      'Compose does not know which release was done: it runs at each docker compose up.',
    ),
    ...lost(
      schedule !== null,
      'schedule',
      `Compose has no schedule: let cron type, at ${schedule?.cron} (${schedule?.tz}): docker compose run --rm ${service}.`,
    ),
    ...lost(
      exported.instances > 1 && portsOf(exported).length > 0,
      'instances',
      `A port of the machine is for one container: none is published. Put a proxy into the same network, which finds all of them as ${service}:${portsOf(exported)[0]}.`,
    ),
    ...lost(
      exported.memoryLimitBytes !== null,
      'memoryLimit',
      'Docker lets the kernel kill what takes more memory, without a graceful stop.',
    ),
    ...lost(
      from.reload !== undefined,
      'reload',
      'Compose stops the old container before it starts the new one, whatever the server could do.',
    ),
    ...lost(
      exported.group !== null && userOf(exported, input) === undefined,
      'group',
      'Compose takes a group only with a user: the image says which it is. Name a USER as well.',
    ),
    ...lost(umask !== null, 'umask', "Compose has no file mode mask: the image's own stays."),
    ...lost(nice !== null, 'nice', 'Compose has no priority of processes: it runs with the usual one.'),
    ...Object.entries(limits).flatMap(([limit, value]) =>
      lost(!ULIMIT.test(`${limit}=${value}`), 'limits', `Docker has no limit ${limit}=${value}: it is left out.`),
    ),
  ]
}

function lostDependency(exported: ExportedProcess, name: string, all: readonly ExportedProcess[]): readonly Problem[] {
  const other = all.find((one) => one.name === name)
  const shown = JSON.stringify(name)
  if (!other) return [loss(exported, 'dependsOn', `${shown} is not among the services: nothing waits for it.`)]
  if (other.schedule !== null)
    return [loss(exported, 'dependsOn', `${shown} runs at certain times: nothing waits for it.`)]
  if (exported.dependsOn[name] !== 'ready' || isOneOff(other) || isChecked(other)) return []
  return [
    loss(
      exported,
      'dependsOn',
      `Compose cannot see when ${shown} is ready (${probeKind(other.ready)}): it waits until that is started.`,
    ),
  ]
}
