import { printDuration } from '../../../core/durations.ts'
import { EXIT, type ExitCode, ProdserverError, UsageError } from '../../../core/errors.ts'
import type { Project } from '../../../project/project.ts'
import type { ActionLine, ActionResult } from '../../../control/protocol.ts'
import { connectSupervisor } from '../../../control/client.ts'
import { stateDirectory } from '../../../control/state-dir.ts'
import type { Application } from '../../../supervisor/spec.ts'
import { prepareStateFolder } from '../../../supervisor/state/state-folder.ts'
import type { CommandContext } from '../index.ts'
import { planProject } from '../../plan-application.ts'
import { projectFromOptions, setsOf, single } from '../../read-project.ts'
import { createProgress } from '../../output/progress.ts'
import { kindsOf, selectDeclared } from '../../select.ts'

/** Starts all that is declared, or brings what runs in line with it. */
export async function execute(context: CommandContext): Promise<number> {
  const { io } = context
  requireLinux(io.platform)
  const project = projectFromOptions(context)
  const stateDir = stateDirectory(io.env, project.root)
  const exitOn = exitOnOf(context)
  try {
    return await applyOrStart(context, project, stateDir, exitOn)
  } catch (error) {
    // Somebody else was first, a moment ago. It is told what is declared as soon as it listens.
    const isSecond = error instanceof ProdserverError && error.problems.some(({ id }) => id === 'E604')
    if (!isSecond || !(await isListening(stateDir))) throw error
    return applyOrStart(context, project, stateDir, exitOn)
  }
}

/**
 * What leaves no process behind, moves logs without losing a byte and goes on after its own death rests on what Linux
 * has and others have not.
 *
 * @throws {ProdserverError} `E605`.
 */
export function requireLinux(platform: string): void {
  if (platform === 'linux') return
  const message = `Supervising needs Linux, and this is ${platform}.`
  throw new ProdserverError([{ id: 'E605', place: 'prodserver up', message, hint: 'Start each: prodserver run NAME' }])
}

const LISTENS_WITHIN_MS = 10_000

async function isListening(stateDir: string): Promise<boolean> {
  const deadline = performance.now() + LISTENS_WITHIN_MS
  while (performance.now() < deadline) {
    if (await connectSupervisor(stateDir)) return true
    await new Promise((next) => setTimeout(next, 20))
  }
  return false
}

async function applyOrStart(
  context: CommandContext,
  project: Project,
  stateDir: string,
  exitOn: ReturnType<typeof exitOnOf>,
): Promise<number> {
  const { options } = context
  const isDetached = options.values['detach'] !== undefined || options.values['wait'] !== undefined
  const { existsSync } = process.getBuiltinModule('node:fs')
  // What is declared has secrets: it goes to nobody who listens in another one's folder.
  if (existsSync(stateDir)) prepareStateFolder(stateDir)
  // Connecting loads an HTTP client, which who starts first can do without.
  const running = existsSync(`${stateDir}/control.sock`) ? await connectSupervisor(stateDir) : undefined
  if (running) {
    const code = await applyTo(running.apply, await applicationOf(context, project), context)
    if (!isDetached && !options.values['quiet'] && !options.values['json'])
      context.io.stdout.write(
        `Supervised already, by pid ${running.status.pid}, which was told. Logs: prodserver logs -f. Stop: prodserver down\n`,
      )
    return code
  }
  const application = await whenAsked(() => applicationOf(context, project), options.positionals.length > 0)
  if (isDetached) {
    const { startDetached } = await import('./detached.ts')
    return startDetached({ context, project, stateDir, application, exitOn: exitOn ?? 'never' })
  }
  const { upForeground } = await import('./foreground.ts')
  return upForeground({ context, project, stateDir, application, exitOn })
}

/**
 * The settings are read while the supervisor starts, but for one thing: a name may turn out to be nobody's, and then not
 * even a folder is made.
 */
async function whenAsked<T>(read: () => Promise<T>, isFirst: boolean): Promise<() => Promise<T>> {
  if (!isFirst) return read
  const value = await read()
  return async () => value
}

export async function applicationOf(context: CommandContext, located: Project, reload = false): Promise<Application> {
  const { commandNames } = context
  const { project, specs, answer, warnings } = await planProject(context, located)
  const { renderProblems } = await import('../../output/print.ts')
  if (warnings.length > 0) context.io.stderr.write(`${renderProblems(warnings, context.errorPaint)}\n`)
  const { releaseOf } = await import('../../release.ts')
  return {
    project,
    specs,
    only: selectDeclared(context.options.positionals, { answer, kinds: kindsOf(specs), commandNames }) ?? null,
    release: single(context, 'release') ?? releaseOf(located.root, specs),
    reload,
    set: setsOf(context),
  }
}

function exitOnOf(context: CommandContext): 'failure' | 'any' | 'never' | undefined {
  const given = single(context, 'exit-on')
  if (given === undefined) return undefined
  if (given === 'failure' || given === 'any' || given === 'never') return given
  throw new UsageError(`--exit-on takes failure, any or never, not ${given}.`)
}

/** Hands the declaration to the supervisor that runs, and shows what it does. */
async function applyTo(
  apply: (body: unknown, signal?: AbortSignal) => AsyncIterable<ActionLine>,
  application: Application,
  context: CommandContext,
): Promise<number> {
  return followAction((signal) => apply(application, signal), context, instanceNames(application))
}

/** What may be told of. */
export const instanceNames = ({ specs }: Application): readonly string[] =>
  specs.filter(({ enabled }) => enabled).map(({ name, instances }) => `${name}.${instances}`)

/** Shows what an action does until it is done, or the time is over; the action itself goes on then. */
export async function followAction(
  act: (signal: AbortSignal) => AsyncIterable<ActionLine>,
  context: CommandContext,
  names: readonly string[] = [],
): Promise<number> {
  const { io, options } = context
  const timeoutMs = await timeoutOf(context)
  const life = new AbortController()
  const progress = createProgress(context, { awaitsResult: true, names })
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    life.abort()
  }, timeoutMs)
  const leave = (): void => life.abort()
  process.once('SIGINT', leave)
  let result: ActionResult | undefined
  try {
    for await (const line of act(life.signal)) {
      if ('result' in line) result = line.result
      else if ('event' in line) progress.event(line.event)
      if (options.values['no-wait']) break
    }
  } catch (error) {
    if (!life.signal.aborted) throw error
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', leave)
  }
  if (result) return progress.result(result)
  if (options.values['no-wait']) {
    if (!options.values['quiet'] && !options.values['json'])
      io.stdout.write('Asked for. It goes on in the background; look: prodserver ps\n')
    return EXIT.done
  }
  io.stderr.write(
    timedOut
      ? `Not done within ${printDuration(timeoutMs)}. It goes on in the background; look: prodserver ps\n`
      : 'It goes on in the background; look: prodserver ps\n',
  )
  return timedOut ? EXIT.timedOut : EXIT.interrupted
}

export const DEFAULT_TIMEOUT = '10m'

export async function timeoutOf(context: CommandContext): Promise<number> {
  const { parseDurationMs } = await import('../../../core/durations.ts')
  const text = single(context, 'timeout') ?? DEFAULT_TIMEOUT
  const timeoutMs = parseDurationMs(text)
  if (timeoutMs === undefined) throw new UsageError(`--timeout takes a duration such as 30s or 5m, not ${text}.`)
  return timeoutMs
}

export type { ExitCode }
