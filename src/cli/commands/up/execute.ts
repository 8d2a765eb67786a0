import { connectSupervisor, type SupervisorClient } from '../../../control/client.ts'
import { stateDirectory } from '../../../control/state-dir.ts'
import { ProdserverError } from '../../../core/errors.ts'
import type { Project } from '../../../project/project.ts'
import type { Application } from '../../../supervisor/spec.ts'
import { prepareStateFolder } from '../../../supervisor/state/state-folder.ts'
import { runAction } from '../../follow-action.ts'
import { instanceNames } from '../../output/progress.ts'
import { printWarnings } from '../../output/print.ts'
import { planApplication } from '../../plan-application.ts'
import { projectFromOptions } from '../../locate-project.ts'
import type { UpContext, UpRequest } from './request.ts'

/** Starts all that is declared, or brings what runs in line with it. */
export async function execute(context: UpContext): Promise<number> {
  const { io } = context
  requireLinux(io.platform)
  const project = projectFromOptions(context)
  const stateDir = stateDirectory(io.env, project.root)
  const request = { context, project, stateDir, readApplication: () => readApplication(context, project) }
  try {
    return await applyOrStart(request)
  } catch (error) {
    // Another `up` was first, a moment ago. It gets this declaration as soon as it listens.
    const isSecond = error instanceof ProdserverError && error.problems.some(({ id }) => id === 'E604')
    if (!isSecond || !(await isListening(stateDir))) throw error
    return applyOrStart(request)
  }
}

/**
 * Refuses other systems than Linux. Only there can the supervisor kill every descendant, move logs without loss, and
 * continue after its own death.
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

async function applyOrStart(request: UpRequest): Promise<number> {
  const { context, stateDir } = request
  const { options, operands } = context
  const running = await connectIfStarted(stateDir)
  if (running) return applyTo(running, request)
  // The settings are read while the supervisor starts. But a name may be unknown, and then not even a folder is made.
  const ready = operands.length > 0 ? await request.readApplication() : undefined
  const starting = ready ? { ...request, readApplication: async () => ready } : request
  if (isDetached(options)) return (await import('./detached.ts')).startDetached(starting)
  return (await import('./foreground.ts')).superviseInForeground(starting)
}

const isDetached = ({ detach, wait }: UpContext['options']): boolean => detach || wait

/** Connects to the supervisor. Without a socket nothing listens, and the HTTP client need not be loaded. */
async function connectIfStarted(stateDir: string): Promise<SupervisorClient | undefined> {
  const { existsSync } = process.getBuiltinModule('node:fs')
  // The declaration has secrets: a folder that another user owns is refused.
  if (existsSync(stateDir)) prepareStateFolder(stateDir)
  return existsSync(`${stateDir}/control.sock`) ? connectSupervisor(stateDir) : undefined
}

async function readApplication(context: UpContext, project: Project): Promise<Application> {
  const { application, warnings } = await planApplication(context, project)
  printWarnings(warnings, context)
  return application
}

/** Hands the declaration to the supervisor that runs, and shows what it does. */
async function applyTo(supervisor: SupervisorClient, { context, readApplication }: UpRequest): Promise<number> {
  const { io, options } = context
  const application = await readApplication()
  const code = await runAction((signal) => supervisor.apply(application, signal), context, instanceNames(application))
  if (!isDetached(options) && !options.quiet && !options.json)
    io.stdout.write(
      `Supervised already, by pid ${supervisor.status.pid}, which was told. Logs: prodserver logs -f. Stop: prodserver down\n`,
    )
  return code
}
