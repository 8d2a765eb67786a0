import { runsToCompletion } from '../core/completion.ts'
import type { Backend } from '../backends/backend.ts'
import { isGiven } from '../backends/command-line.ts'
import type { Declaration } from '../config/declarations.ts'
import type { ProcessKind } from '../core/types.ts'
import { buildCommand, type ProcessCommand } from './command.ts'
import { buildEnvironment, type PlannedEnvironment } from './environment.ts'
import type { ProcessFacts } from './facts.ts'
import { originsOf } from './origins.ts'
import type { PlannedProcess } from './plan.ts'
import { plannedValues } from './planned-values.ts'
import type { PlanRequest } from './request.ts'
import type { ResolvedProcess } from './resolve/resolved-process.ts'
import type { Resolution } from './resolve/resolve.ts'

/** Plans one process as far as its problems allow: the environment, the command line, then the planned process. */
export function planProcess(resolution: Resolution, request: PlanRequest): ProcessFacts {
  const { resolved, problems } = resolution
  if (!resolved) return resolution
  const environment = buildEnvironment(resolved, request)
  const facts = { ...resolution, environment, problems: [...problems, ...environment.problems] }
  if (resolved.application.problem) return facts
  const { value: command, problem } = buildCommand(resolved, environment, request)
  if (!command) return { ...facts, problems: [...facts.problems, problem] }
  return { ...facts, command, planned: plannedProcess(resolved, environment, command, request.processors) }
}

/** Last stage of a process: everything that starting it needs. */
function plannedProcess(
  { declaration, found, backend, cwd }: ResolvedProcess,
  { env }: PlannedEnvironment,
  command: ProcessCommand,
  processors: number,
): PlannedProcess {
  const { argv, argvFrom, listen, inherited, activated, notes } = command
  const values = plannedValues(declaration, {
    backend: withGivenOptions(backend, command),
    reference: found.reference,
    cwd,
    processors,
  })
  return {
    name: declaration.name,
    place: declaration.place,
    kind: processKind(declaration, backend),
    title: backend.title,
    argv,
    argvFrom,
    env,
    listen,
    inherited,
    activated,
    alone: backend.kind === 'scheduler' ? `${backend.name} ${declaration.app ?? declaration.name}` : null,
    ...values,
    from: declaration.origin,
    origins: originsOf(declaration, backend, values),
    notes,
  }
}

/** A process that runs to completion is a task, and a process that stays is not, whatever its backend usually runs. */
function processKind({ run = 'always', schedule }: Declaration, { kind }: Backend): ProcessKind {
  if (runsToCompletion({ run, schedule: schedule ?? null })) return 'task'
  return kind === 'task' ? 'worker' : kind
}

/** The backend with the reload, the probe and the stop signal that these options leave possible. */
function withGivenOptions(backend: Backend, { input, values, listen }: ProcessCommand): Backend {
  const { kind, options = {}, notTwice = [], stop, ready } = backend
  const changed: Mutable<Backend> = { ...backend }
  const listensNowhere = listen.length === 0
  // Without an address no probe can ask a web server, and two copies may want the same address.
  if (isGiven(notTwice, input, options) || (kind === 'web' && listensNowhere)) changed.reload = 'restart'
  if (ready?.http?.startsWith('/') && listensNowhere) changed.ready = { delay: 1000 }
  const signal = stop?.signalOption === undefined ? undefined : values(stop.signalOption).at(-1)
  if (signal === 'TERM' || signal === 'INT') changed.stop = { ...stop, signal }
  return changed
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
