import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { optionValues, withoutOverridden } from '../args/override.ts'
import type { Option, Translation } from '../args/translate.ts'
import { type Backend, type Command, type CommandInput, isGiven } from '../backends/backend.ts'
import { findBackend } from '../backends/index.ts'
import { type Declaration, parseDeclarations } from '../config/declarations.ts'
import type { Problem } from '../core/errors.ts'
import { guardToken } from '../core/secret.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import { explainNoDjango } from '../inspect/explain-settings.ts'
import type { Project } from '../project/project.ts'
import { nearest } from '../core/values.ts'
import { checkAddresses } from './checks/addresses.ts'
import { type Application, resolveApplication } from './resolve/application.ts'
import type { PythonAnswer } from '../inspect/answers.ts'
import { checkDeployment } from './checks/deploy.ts'
import { checkFiles, checkShared, type WrittenFile, writtenFiles } from './checks/files.ts'
import { checkGrace } from './checks/grace.ts'
import { checkLimits } from './checks/limits.ts'
import { checkOptions, checkTwice } from './checks/options.ts'
import { checkPackage, checkVersion } from './checks/package.ts'
import { type Consumer, consumerOf } from './checks/queues.ts'
import { buildEnvironment } from './environment.ts'
import { checkImported, importedApplication } from './checks/imported.ts'
import { originsOf } from './origins.ts'
import { checkDependencies } from './checks/dependencies.ts'
import { withoutSilenced } from './checks/silence.ts'
import { installedVersion, isOlder } from './resolve/installed-version.ts'
import type { Plan, PlannedInheritance, PlannedProcess } from './plan.ts'
import { callBackend, callInherit } from './resolve/own-backends.ts'
import { pathWith } from './resolve/package-scripts.ts'
import { plannedValues } from './planned-values.ts'
import type { PlanRequest } from './request.ts'
import { askAbout } from './resolve/questions.ts'
import { type ResolvedBackend, resolveBackend } from './resolve/backend.ts'
import { translate } from './resolve/translation.ts'
import { asDeclared } from './resolve/variant.ts'
import { type Workload, workloadOf } from './workload.ts'

export interface PlanResult {
  /** The processes that could be planned; complete only if no problem is an error. */
  readonly plan: Plan
  /** The declared names, in order, whether they could be planned or not. */
  readonly names: readonly string[]
  /** Those of them that could be read. */
  readonly declarations: readonly Declaration[]
  readonly problems: readonly Problem[]
  /** What the processes that were planned ask of the machine. */
  readonly workloads: readonly Workload[]
}

/** Turns what the settings say into the plan, with every problem found on the way. Nothing is started but Python. */
export async function buildPlan(request: PlanRequest): Promise<PlanResult> {
  const { project, answer } = request
  const parsed = parseDeclarations({
    processes: answer.settings['PRODUCTION_PROCESSES'],
    defaults: answer.settings['PRODUCTION_PROCESS_DEFAULTS'],
    order: answer.order,
    settingsModule: answer.settingsModule,
    overrides: { set: request.set ?? [], env: request.env },
    config: answer.config,
  })
  const wanted = parsed.declarations.filter(({ name }) => request.only?.includes(name) ?? true)
  const python = project.settings && (await askAbout(wanted, request))
  const results = await Promise.all(wanted.map((declaration) => planProcess(declaration, python, request)))
  const complete = new Set(wanted.filter(({ wrong }) => wrong.length === 0).map(({ name }) => name))
  const processes = results.flatMap((result) => result.process ?? []).filter(({ name }) => complete.has(name))
  const workloads = results.flatMap((result) => result.workload ?? [])
  const placeOf = (name: string): string =>
    (wanted.find((declaration) => declaration.name === name) as Declaration).place
  const spelled = (problem: Problem): Problem =>
    parsed.declarations.find(({ name }) => name === problem.process)?.spelling.say(problem) ?? problem
  const found = [
    ...checkDjango(wanted, request),
    ...checkSetUp(python, answer),
    ...results.flatMap((result) => result.problems),
    ...checkDependencies(wanted, parsed.names),
    ...checkAddresses(processes, placeOf),
    ...checkSchedulers(
      wanted,
      new Set(results.flatMap((result) => (result.isScheduling && result.name !== undefined ? [result.name] : []))),
    ),
    ...checkShared(results.flatMap((result) => result.written ?? [])),
    ...(await checkSchedules(wanted)),
    ...checkDeployment(python?.deploy, {
      answer,
      declarations: wanted,
      processes,
      consumers: results.flatMap((result) => result.consumer ?? []),
      workers: new Map(workloads.map(({ name, workers }) => [name, workers.processes])),
    }),
  ]
  const problems = [
    ...parsed.problems,
    ...(request.thorough ? parsed.unknownVariables : []),
    ...found.map(spelled),
  ].toSorted((a, b) => orderOf(a, parsed.names) - orderOf(b, parsed.names))
  const plan: Plan = {
    version: 1,
    project: {
      root: project.root,
      settings: project.settings ? { module: answer.settingsModule, reason: project.settings.reason } : null,
      python: project.settings
        ? { path: project.python.path, version: answer.python.version, reason: project.python.reason }
        : null,
      config: project.config ?? null,
    },
    processes,
  }
  const { names, declarations } = parsed
  return { plan: deepFreeze(plan), names, declarations, problems: withoutSilenced(problems, answer), workloads }
}

/** The order of the list: what concerns all, then the processes as they are declared. */
const orderOf = ({ process }: Problem, names: readonly string[]): number =>
  process === undefined ? -1 : names.indexOf(process)

/** Without settings there is nothing that such a backend could run. */
function needsDjango({ name, placeOf }: Declaration, backend: Backend, { root }: Project): Problem | undefined {
  if (!backend.python && !['wsgi', 'asgi', 'celery'].includes(backend.app ?? '')) return undefined
  const message = `${backend.title} needs a Django project, and there is no manage.py in ${root}.`
  const hint = 'Put the config file beside manage.py, or name the settings: --settings mysite.settings'
  return { id: 'E001', place: placeOf('backend'), process: name, message, hint }
}

/** Said once, and not of every process. */
function checkDjango(wanted: readonly Declaration[], { answer, project }: PlanRequest): readonly Problem[] {
  const needed = wanted.some(({ backend }) => findBackend(backend)?.python !== undefined)
  return needed && answer.modules['django'] === false ? [explainNoDjango(project)] : []
}

/** Whoever asked for it needs it: Django's own commands, and backends that are classes of the project. */
function checkSetUp(python: PythonAnswer | undefined, { settingsModule }: SettingsAnswer): readonly Problem[] {
  const error = python?.ready?.error
  if (!error) return []
  const message = `Django cannot be set up: ${error.type}: ${error.message.split('\n')[0]}`
  return [{ id: 'E210', place: settingsModule, message, details: error.text.trimEnd() }]
}

interface ProcessResult {
  readonly name?: string
  /** Whether it starts what is due, by itself or beside its work. */
  readonly isScheduling?: boolean
  readonly process?: PlannedProcess
  readonly written?: readonly WrittenFile[]
  readonly workload?: Workload
  readonly consumer?: Consumer | undefined
  readonly problems: readonly Problem[]
}

async function planProcess(
  declaration: Declaration,
  python: PythonAnswer | undefined,
  request: PlanRequest,
): Promise<ProcessResult> {
  const { project, answer, env } = request
  const found = await resolveBackend(declaration, project.root, python)
  if (!('backend' in found)) return { problems: [found] }
  const resolved = asDeclared(declaration, found, request)
  const { backend } = resolved
  const noDjango = project.settings ? undefined : needsDjango(declaration, backend, project)
  if (noDjango) return { problems: [noDjango] }
  const cwd = resolve(project.root, declaration.cwd ?? '.')
  const application = resolveApplication(declaration, backend, answer, project.root)
  const translation = translate(declaration, resolved, application)
  const script = application && 'words' in application ? scriptEnvironment(application, cwd) : undefined
  const ownStart = resolved.runsInPython
  const environment = buildEnvironment({ declaration, project, answer, cwd, env, script, ownStart })
  const schedulesWith = schedulingKey(translation, backend)
  const problems = [
    ...checkPackage(declaration, backend, { answer, project }),
    ...(request.thorough ? checkVersion(declaration, backend, { answer, project }) : []),
    // An APP that was left out because it is wrong is not missing as well.
    ...(application && 'id' in application && !declaration.wrong.includes('app') ? [application] : []),
    ...checkImported(importedApplication(backend, application, answer), python, project),
    ...checkScheduler(declaration, backend, schedulesWith),
    ...translation.problems,
    ...(request.thorough
      ? [...checkTwice(translation, backend.options ?? {}, declaration), ...checkLimits(declaration)]
      : []),
    ...checkOptions(translation, python?.options[declaration.name], {
      declaration,
      backend,
      project,
      app: application && 'words' in application ? application.words : [],
    }),
    ...(request.here ? checkFiles(translation, backend, { declaration, cwd }) : []),
    ...environment.problems,
  ].map((problem) => ({ ...problem, process: declaration.name }))
  const isScheduling = backend.kind === 'scheduler' || schedulesWith !== undefined
  const name = declaration.name
  if (application && 'id' in application) return { name, isScheduling, problems }
  const grammar = backend.options ?? {}
  const extra = request.extra ?? []
  const options = withoutOverridden(translation.options, extra, grammar)
  const inherited = {
    ...env,
    ...Object.fromEntries(
      Object.entries(environment.env).map(([name, { value }]) => [name, value === null ? undefined : String(value)]),
    ),
  }
  const input = { app: application?.words ?? [], options, extra, django: request.django ?? [] }
  const values = (name: string): readonly string[] => optionValues(name, options, extra, grammar)
  const processors = request.machineProcessors ?? request.processors
  const own = callBackend(declaration, backend, { command: input, machine: { values, env: inherited, processors } })
  if ('id' in own) return { problems: [...problems, own] }
  const { command, listen, workers } = own
  const program = programOf(command, project)
  const tooOld = tooOldToInherit(backend, answer)
  const inheritable = tooOld === undefined ? inheritance(declaration, backend, input, { listen, program }) : null
  if (inheritable !== null && 'id' in inheritable) return { problems: [...problems, inheritable] }
  const activated = activation(declaration, backend, input, { listen, program })
  if (activated !== null && 'id' in activated) return { problems: [...problems, activated] }
  const notes = [resolved.note, application?.note, tooOld, backend.restartReason].filter((note) => note !== undefined)
  const policies = plannedValues(declaration, {
    backend: asGiven(backend, input, { values, listen }),
    reference: resolved.reference,
    cwd,
    processors: request.processors,
  })
  const planned: PlannedProcess = {
    name: declaration.name,
    place: declaration.place,
    kind: processKind(declaration, backend),
    title: backend.title,
    argv: [program, ...command.args].map(guardToken),
    argvFrom: [
      programReason(command, project, declaration),
      ...explainArgs(command.args, { declaration, options, extra, application, resolved }),
    ],
    env: environment.env,
    listen,
    inherited: inheritable,
    activated,
    alone: backend.kind === 'scheduler' ? `${backend.name} ${declaration.app ?? declaration.name}` : null,
    ...policies,
    from: declaration.origin,
    origins: originsOf(declaration, backend, policies),
    notes,
  }
  const written = writtenFiles(translation, backend, { declaration, cwd, listen })
  const memory = python?.memory?.[declaration.name] ?? null
  const workload = workloadOf({ declaration, backend, planned, options, workers, written, memory })
  return {
    name,
    isScheduling,
    process: planned,
    written,
    workload,
    consumer: consumerOf(planned, backend, input, values),
    problems: [...problems, ...checkGrace(planned, { declaration, backend, options, values })],
  }
}

/** What the script of a package is run with; undefined for everything else. */
const scriptEnvironment = ({ env, assigned, from }: Application, cwd: string) =>
  env && assigned && { env, assigned, from, path: (path: string | undefined) => pathWith(cwd, process.execPath, path) }

function programOf({ program, beside }: Command, { python }: Project): string {
  if (program === 'python') return python.path
  if (program === 'node') return process.execPath
  const script = join(dirname(python.path), program)
  return beside && existsSync(script) ? script : program
}

/** Why the installed version cannot be given open sockets, though the server could. */
function tooOldToInherit({ title, python, inheritSince }: Backend, { path }: SettingsAnswer): string | undefined {
  if (inheritSince === undefined || !python) return undefined
  const version = installedVersion(python.package, path)
  if (!isOlder(version, inheritSince)) return undefined
  return `${title} ${version} cannot take an open socket, so a reload is a restart; ${inheritSince} and newer can`
}

/** The first descriptor after the standard streams. */
const FIRST_SOCKET = 3

/** How it is started with sockets that are open already, where the backend knows a way with these options. */
function inheritance(
  declaration: Declaration,
  backend: Backend,
  input: CommandInput,
  { listen, program }: { readonly listen: readonly string[]; readonly program: string },
): PlannedInheritance | null | Problem {
  if (listen.length === 0) return null
  const probe = FIRST_SOCKET + listen.length
  const sockets = { addresses: listen, listen: listen.map((_, index) => FIRST_SOCKET + index), probe }
  const inherited = callInherit(declaration, backend, input, sockets)
  if (inherited === null || 'id' in inherited) return inherited
  const { command, env = {}, runner = false, listening = false } = inherited
  const language = command.program === 'node' ? 'node' : 'python'
  // What a script has a child of its own listen on cannot be given to that: who declares so is believed.
  if (language === 'node' && declaration.reload === 'restart') return null
  return { argv: [program, ...command.args].map(guardToken), env, runner: runner ? language : null, listening }
}

/** How a service manager starts it with the sockets that it keeps open, where the server takes such by itself. */
function activation(
  declaration: Declaration,
  backend: Backend,
  input: CommandInput,
  { listen, program }: { readonly listen: readonly string[]; readonly program: string },
): PlannedProcess['activated'] | Problem {
  if (listen.length === 0) return null
  const sockets = { addresses: listen, listen: listen.map((_, index) => FIRST_SOCKET + index), probe: undefined }
  const inherited = callInherit(declaration, backend, input, sockets)
  if (inherited !== null && 'id' in inherited) return inherited
  return inherited?.unaided ? [program, ...inherited.command.args].map(guardToken) : null
}

/** The backend, as it reloads and stops with these options. */
function asGiven(
  backend: Backend,
  input: CommandInput,
  { values, listen }: { readonly values: (option: string) => readonly string[]; readonly listen: readonly string[] },
): Backend {
  const { kind, options = {}, notTwice = [], stop, ready } = backend
  const signal = stop?.signalOption === undefined ? undefined : values(stop.signalOption).at(-1)
  return {
    ...backend,
    ...(isGiven(notTwice, input, options) && { reload: 'restart' }),
    // Where it listens is not known: nobody can be asked there, and two copies may want the same address.
    ...(kind === 'web' && listen.length === 0 && { reload: 'restart' }),
    ...(ready?.http?.startsWith('/') && listen.length === 0 && { ready: { delay: 1000 } }),
    ...((signal === 'TERM' || signal === 'INT') && { stop: { ...stop, signal } }),
  }
}

function checkScheduler(
  declaration: Declaration,
  backend: Backend,
  schedulesWith: string | undefined,
): readonly Omit<Problem, 'process'>[] {
  const isScheduler = backend.kind === 'scheduler'
  if (!isScheduler && schedulesWith === undefined) return []
  if (declaration.instances === undefined || declaration.instances === 1) return []
  const what = isScheduler ? backend.title : `${backend.title} with ${JSON.stringify(schedulesWith)}`
  const message = `A scheduler runs once: several instances of ${what} would each run every job.`
  const hint = isScheduler ? 'Remove INSTANCES' : 'Declare the scheduler by itself, once: "BACKEND": "celery-beat"'
  return [{ id: 'E402', place: declaration.placeOf('instances'), message, hint }]
}

/** The option with which it is a scheduler as well, as it was declared. */
const schedulingKey = ({ options }: Translation, { schedulesWith, options: grammar }: Backend): string | undefined =>
  options.find(({ name, tokens }) => tokens.length > 0 && schedulesWith === (grammar?.short?.[name] ?? name))?.key

/** Two schedulers of one application, workers with one inside among them, would run every job twice. */
function checkSchedulers(declarations: readonly Declaration[], scheduling: ReadonlySet<string>): readonly Problem[] {
  const schedulers = declarations.filter(({ name, enabled }) => scheduling.has(name) && enabled !== false)
  return schedulers.flatMap((declaration, index): Problem[] => {
    const { name: process, app, place } = declaration
    const first = schedulers.slice(0, index).find((other) => app !== undefined && other.app === app)
    if (!first) return []
    const message = `It schedules the jobs of ${app}, and so does ${JSON.stringify(first.name)}: every job would run twice.`
    return [{ id: 'E402', place, process, message, hint: 'Keep one of them' }]
  })
}

/** Loads what reads schedules only where there is one: it would take its part of every start. */
async function checkSchedules(declarations: readonly Declaration[]): Promise<readonly Problem[]> {
  if (declarations.every(({ schedule }) => schedule === undefined)) return []
  const { checkSchedule, checkZone } = await import('./schedule.ts')
  return declarations.flatMap(({ name, schedule, tz = 'UTC', placeOf }): Problem | readonly Problem[] => {
    const message = schedule === undefined ? null : checkSchedule(schedule, tz, Date.now())
    if (message === null) return []
    const isZoneWrong = checkZone(tz) !== null
    const near = isZoneWrong ? nearest(tz, Intl.supportedValuesOf('timeZone')) : undefined
    const hint = isZoneWrong ? (near ? `Did you mean ${near}?` : 'Such as "Europe/Berlin", or "UTC"') : CRON_HINT
    return { id: 'E107', place: placeOf(isZoneWrong ? 'tz' : 'schedule'), process: name, message, hint }
  })
}

const CRON_HINT = 'Minute, hour, day, month, weekday: "30 3 * * *" is every day at 3:30'

/** A command that runs to completion is a task, whatever it usually is; one that stays is not. */
function processKind(declaration: Declaration, backend: Backend): PlannedProcess['kind'] {
  if ((declaration.run ?? 'always') !== 'always' || declaration.schedule !== undefined) return 'task'
  return backend.kind === 'task' ? 'worker' : backend.kind
}

function programReason({ program, beside }: Command, project: Project, declaration: Declaration): string {
  if (program === 'python' || beside) return project.python.reason
  return program === 'node' ? 'the Node that runs prodserver' : declaration.placeOf('app')
}

interface ArgSources {
  readonly declaration: Declaration
  readonly options: readonly Option[]
  readonly extra: readonly string[]
  readonly application: Application | undefined
  readonly resolved: ResolvedBackend
}

function explainArgs(
  args: readonly string[],
  { declaration, options, extra, application, resolved }: ArgSources,
): readonly string[] {
  const from = new Map<string, string>()
  for (const word of application?.words ?? []) from.set(word, application?.from ?? '')
  for (const option of options.filter(({ isDefault }) => !isDefault))
    for (const token of option.tokens)
      from.set(token, resolved.prepared ? resolved.reference : declaration.placeOf('args', option.key))
  for (const token of extra) from.set(token, 'command line')
  return args.map((arg) => from.get(arg) ?? `the backend ${resolved.backend.name}`)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) deepFreeze(inner)
  return value
}
