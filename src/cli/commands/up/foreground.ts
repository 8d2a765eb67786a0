import { printElapsed } from '../../../core/durations.ts'
import type { Project } from '../../../project/project.ts'
import { followLogs } from '../../../logs/follow.ts'
import { createOutlet, type Outlet } from '../../../logs/outlet.ts'
import type { ExitOn } from '../../../supervisor/exit-conditions.ts'
import { blankProject, createHost, type Host } from '../../../supervisor/host.ts'
import { KeeperBusyError, keeperArguments } from '../../../supervisor/shim/client.ts'
import { become } from '../../../run/become.ts'
import { resolveProgram } from '../../../run/resolve-program.ts'
import { shimProgram } from '../../../supervisor/shim/programs.ts'
import { prepareStateFolder } from '../../../supervisor/state/state-folder.ts'
import type { Application } from '../../../supervisor/spec.ts'
import type { Env } from '../../../core/types.ts'
import type { CommandContext } from '../index.ts'
import type { Output } from '../../io.ts'
import { instanceNames } from './execute.ts'
import { createProgress } from '../../output/progress.ts'
import { createLogPrinter } from './log-printer.ts'
import { alreadyRunning } from './detached.ts'
import { VERSION } from '../../version.ts'

export interface ForegroundRequest {
  readonly context: CommandContext
  readonly project: Project
  readonly stateDir: string
  readonly exitOn: ExitOn | undefined
  readonly application: () => Promise<Application>
}

/** Supervises in this process, and shows what happens and what is printed. */
export async function upForeground({
  context,
  project,
  stateDir,
  exitOn,
  application,
}: ForegroundRequest): Promise<number> {
  const { io } = context
  prepareStateFolder(stateDir)
  const fd = Number(io.env['PRODSERVER_KEEPER_FD']) || undefined
  if (process.pid === 1 && fd === undefined) return becomeKeeper(project, stateDir, io.env)
  // The keeper, as process 1, passes on what it is told as soon as it has heard of us.
  const early: string[] = []
  const note = (signal: string): void => void early.push(signal)
  if (fd !== undefined) for (const signal of STOPS) process.on(signal, note)
  const keeper = { python: project.python.path, program: shimProgram, env: io.env, fd }
  // In a container nobody is there to correct what failed: whoever started it must learn of it.
  const effective = exitOn ?? (fd === undefined ? 'never' : 'failure')
  // The keeper starts while the settings are being read.
  const opening = createHost({
    stateDir,
    version: VERSION,
    keeper,
    project: blankProject(project.root, project.python.path),
    pid: process.pid,
    exitOn: effective,
    endWhenIdle: true,
  })
  opening.catch(() => {})
  let host: Host | undefined
  try {
    const planned = await application()
    host = await opening
    return await superviseUntilEnd(host, planned, { stateDir, context, early })
  } catch (error) {
    host ??= await opening.catch(() => undefined)
    await host?.abandon()
    if (error instanceof KeeperBusyError) throw alreadyRunning(stateDir)
    throw error
  }
}

const STOPS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const

/**
 * An INT this soon after the first is no second press: npm and other runners of scripts pass on to their child the one
 * that the terminal has already sent to both, and taken for another it would kill all that is stopping.
 */
const ONE_PRESS_MS = 500

/**
 * As the first process of a container, we have to collect whatever loses its parent, which Node cannot: the keeper
 * takes our place, and starts us as its child.
 */
async function becomeKeeper(project: Project, stateDir: string, env: Env): Promise<number> {
  const { path } = project.python
  const python = resolveProgram({ program: path, cwd: process.cwd(), env, place: 'python', process: 'keeper' })
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const argv = [python, ...keeperArguments(shimProgram, stateDir), '--', process.execPath, ...process.argv.slice(1)]
  return become({ file: python, argv, env: Object.fromEntries(given), cwd: process.cwd() })
}

async function superviseUntilEnd(
  host: Host,
  application: Application,
  given: { readonly stateDir: string; readonly context: CommandContext; readonly early: readonly string[] },
): Promise<number> {
  const { stateDir, early } = given
  const outlets = [createOutlet(1), createOutlet(2)] as const
  const context = withOutlets(given.context, outlets)
  const { io, paint, options } = context
  const isQuiet = options.values['quiet'] !== undefined
  for (const signal of STOPS) process.on(signal, () => stop(signal))
  let askedMs: number | undefined
  const stop = (signal: string): void => {
    if (askedMs === undefined) {
      askedMs = performance.now()
      if (signal === 'SIGINT' && !isQuiet) io.stderr.write('\nStopping. Ctrl-C again kills at once.\n')
      tell('STOPPING=1')
      host.stop()
    }
    // Who closes the terminal, and systemd, send more than one signal; only a person means more by a second one.
    else if (signal === 'SIGINT' && performance.now() - askedMs >= ONE_PRESS_MS) host.stop()
  }
  /** To the service manager that started us. */
  const tell = (text: string): void => {
    const { NOTIFY_SOCKET: socket } = io.env
    if (socket) host.supervisor.keeper.announce(socket, text)
  }
  const progress = createProgress(context, { names: instanceNames(application) })
  const isJson = options.values['json'] !== undefined
  const life = new AbortController()
  const follower = followLogs({ stateDir, wants: () => !isQuiet, signal: life.signal, isPassedOn: true })
  const [out] = outlets
  const printing = printLogs(
    follower,
    out,
    createLogPrinter(
      context,
      out.write,
      application.specs.map(({ name, instances }) => [name, instances] as const),
    ),
  )
  host.subscribe((event) => {
    progress.event(event)
    const { type, instance, run } = event
    if (type === 'exited' && instance !== null && run !== null) follower.endRun(instance, run)
  })
  void host.ended.then(() => life.abort())
  const startedMs = performance.now()
  const applied = host.apply(application)
  // Not before what an earlier supervisor left running has been taken over.
  if (early[0] !== undefined) setImmediate(stop, early[0])
  const result = await applied
  if (!host.supervisor.closing && askedMs === undefined && !isJson && !isQuiet) {
    const took = printElapsed(performance.now() - startedMs)
    const failed = result.changes.filter(({ did }) => did === 'failed').map(({ process }) => process)
    if (failed.length > 0)
      io.stderr.write(
        `${paint('red', 'Not everything runs')}: ${failed.join(', ')} failed. The rest goes on; look: prodserver why ${failed[0]}\n`,
      )
    else io.stdout.write(`${paint('green', 'Ready')} in ${took}. Ctrl-C stops.\n`)
  }
  if (askedMs === undefined) tell('READY=1')
  const code = await host.ended
  // What nobody reads does not keep it from ending.
  await Promise.race([printing, out.stalled(STALLED_MS)])
  for (const outlet of outlets) outlet.close()
  return code
}

const STALLED_MS = 1000

/** The same, printing through outlets. */
function withOutlets(context: CommandContext, [out, err]: readonly [Outlet, Outlet]): CommandContext {
  const { io } = context
  return { ...context, io: { ...io, stdout: through(io.stdout, out), stderr: through(io.stderr, err) } }
}

const through = (output: Output, outlet: Outlet): Output => ({
  isTerminal: output.isTerminal,
  get columns() {
    return output.columns
  },
  write: outlet.write,
})

async function printLogs(
  follower: ReturnType<typeof followLogs>,
  out: Outlet,
  print: ReturnType<typeof createLogPrinter>,
): Promise<void> {
  try {
    for await (const chunks of follower) {
      print(chunks)
      // They are in the files: nothing is lost by waiting for a reader.
      await out.drained()
    }
  } catch {
    // Whoever reads it sees less; what runs does not depend on it.
  } finally {
    follower.close()
  }
}
