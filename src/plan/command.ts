import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { optionValues, withoutOverridden } from '../args/override.ts'
import type { Option } from '../args/translate.ts'
import type { Backend, Command, CommandInput, Inherited, InheritedSockets, Workers } from '../backends/backend.ts'
import type { Result } from '../core/result.ts'
import { guardToken, type Value } from '../core/secret.ts'
import type { Env } from '../core/types.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import type { Project } from '../project/project.ts'
import { callBackend, callInherit } from './call-backend.ts'
import type { PlannedEnvironment } from './environment.ts'
import type { PlannedInheritance } from './plan.ts'
import type { PlanRequest } from './request.ts'
import type { Application } from './resolve/application.ts'
import { installedVersion, isOlder } from './resolve/installed-version.ts'
import type { ResolvedProcess } from './resolve/resolved-process.ts'

/** Third stage of a process: its command line, and everything else that the backend says about it. */
export interface ProcessCommand {
  /** The declared options, except the options that the command line replaces. */
  readonly options: readonly Option[]
  /** What the backend was given. */
  readonly input: CommandInput
  /** Values of an option, from the command line or the declaration. */
  readonly values: (option: string) => readonly string[]
  readonly argv: readonly Value[]
  /** Where each word of `argv` comes from. */
  readonly argvFrom: readonly string[]
  readonly listen: readonly string[]
  readonly workers: Workers
  readonly inherited: PlannedInheritance | null
  /** The socket-passing argv for a service manager. */
  readonly activated: readonly Value[] | null
  readonly notes: readonly string[]
}

/** Asks the backend how to start a process. Its application must have been found. */
export function buildCommand(
  resolved: ResolvedProcess,
  { env }: PlannedEnvironment,
  request: PlanRequest,
): Result<ProcessCommand> {
  const { declaration, backend, application, translation } = resolved
  const { project, extra = [], django = [] } = request
  const grammar = backend.options ?? {}
  const options = withoutOverridden(translation.options, extra, grammar)
  const values = (name: string): readonly string[] => optionValues(name, options, extra, grammar)
  const input = { app: application.value?.words ?? [], options, extra, django }
  const processors = request.machine?.processors.all ?? request.processors
  const machine = { values, env: { ...request.env, ...plainVariables(env) }, processors }
  const answers = callBackend(declaration, backend, { command: input, machine })
  if (answers.problem) return answers
  const { command, listen, workers } = answers.value
  const program = programPath(command, project)
  const tooOld = tooOldToInherit(backend, request.answer)
  const sockets = planSockets(resolved, input, { listen, program, isTooOld: tooOld !== undefined })
  if (sockets.problem) return sockets
  return {
    value: {
      options,
      input,
      values,
      argv: [program, ...command.args].map(guardToken),
      argvFrom: explainWords(command, resolved, input, project),
      listen,
      workers,
      ...sockets.value,
      notes: [...resolved.notes, tooOld, backend.restartReason].filter((note) => note !== undefined),
    },
  }
}

/** The values of planned variables; undefined if the variable is removed. */
const plainVariables = (env: PlannedEnvironment['env']): Env =>
  Object.fromEntries(Object.entries(env).map(([name, { value }]) => [name, value === null ? undefined : String(value)]))

function programPath({ program, beside }: Command, { python }: Project): string {
  if (program === 'python') return python.path
  if (program === 'node') return process.execPath
  const script = join(dirname(python.path), program)
  return beside && existsSync(script) ? script : program
}

/** Explains why the installed version cannot be given open sockets, although newer versions can. */
function tooOldToInherit({ title, python, inheritSince }: Backend, { path }: SettingsAnswer): string | undefined {
  if (inheritSince === undefined || !python) return undefined
  const version = installedVersion(python.package, path)
  if (!isOlder(version, inheritSince)) return undefined
  return `${title} ${version} cannot take an open socket, so a reload is a restart; ${inheritSince} and newer can`
}

interface SocketContext {
  readonly listen: readonly string[]
  readonly program: string
  readonly isTooOld: boolean
}

type PlannedSockets = Pick<ProcessCommand, 'inherited' | 'activated'>

/** The first descriptor after the standard streams. */
const FIRST_SOCKET = 3

/** Plans how a process starts with sockets that are open already. */
function planSockets(
  { declaration, backend }: ResolvedProcess,
  input: CommandInput,
  { listen, program, isTooOld }: SocketContext,
): Result<PlannedSockets> {
  if (listen.length === 0) return { value: { inherited: null, activated: null } }
  const ask = (probe: number | undefined): Result<Inherited | null> => {
    const descriptors = listen.map((_, index) => FIRST_SOCKET + index)
    const sockets: InheritedSockets = { addresses: listen, listen: descriptors, probe }
    return callInherit(declaration, backend, input, sockets)
  }
  const supervised: Result<Inherited | null> = isTooOld ? { value: null } : ask(FIRST_SOCKET + listen.length)
  if (supervised.problem) return supervised
  // A service manager has no socket for probes.
  const activated = ask(undefined)
  if (activated.problem) return activated
  return {
    value: {
      inherited: plannedInheritance(supervised.value, program, declaration.reload),
      activated: activated.value?.unaided ? [program, ...activated.value.command.args].map(guardToken) : null,
    },
  }
}

function plannedInheritance(
  inherited: Inherited | null,
  program: string,
  reload: ResolvedProcess['declaration']['reload'],
): PlannedInheritance | null {
  if (!inherited) return null
  const { command, env = {}, runner = false, listening = false } = inherited
  const language = command.program === 'node' ? 'node' : 'python'
  // A script may leave the listening to a child process, which gets no sockets. `RELOAD: "restart"` says so.
  if (language === 'node' && reload === 'restart') return null
  return { argv: [program, ...command.args].map(guardToken), env, runner: runner ? language : null, listening }
}

/** Tells where each word of a command line comes from. */
function explainWords(
  command: Command,
  resolved: ResolvedProcess,
  { options, extra }: Pick<ProcessCommand, 'options'> & Pick<CommandInput, 'extra'>,
  project: Project,
): readonly string[] {
  const { declaration, found, backend, application } = resolved
  const fromOption = ({ key }: Option): string => (found.prepared ? found.reference : declaration.placeOf('args', key))
  const known = new Map<string, string>([
    ...wordsOf(application.value),
    ...options
      .filter(({ isDefault }) => !isDefault)
      .flatMap((option) => option.tokens.map((token): [string, string] => [token, fromOption(option)])),
    ...extra.map((token): [string, string] => [token, 'command line']),
  ])
  const ofBackend = `the backend ${backend.name}`
  return [explainProgram(command, resolved, project), ...command.args.map((word) => known.get(word) ?? ofBackend)]
}

const wordsOf = (application: Application | undefined): readonly [string, string][] =>
  application?.words.map((word) => [word, application.from]) ?? []

function explainProgram({ program, beside }: Command, { declaration }: ResolvedProcess, project: Project): string {
  if (program === 'python' || beside) return project.python.reason
  return program === 'node' ? 'the Node that runs prodserver' : declaration.placeOf('app')
}
