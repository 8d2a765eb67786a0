import { printElapsed } from '../../../core/durations.ts'
import type { ActionResult } from '../../../control/protocol.ts'
import type { Env } from '../../../core/types.ts'
import { followLogs } from '../../../logs/follow.ts'
import { NonBlockingWriter } from '../../../logs/non-blocking-writer.ts'
import type { Project } from '../../../project/project.ts'
import { become } from '../../../run/become.ts'
import { resolveProgram } from '../../../run/resolve-program.ts'
import { blankProject, createHost, type Host } from '../../../supervisor/host.ts'
import { ShimBusyError } from '../../../supervisor/shim/client.ts'
import { shimArguments } from '../../../supervisor/shim/open-shim.ts'
import type { Application } from '../../../supervisor/spec.ts'
import { prepareStateFolder } from '../../../supervisor/state/state-folder.ts'
import type { Output } from '../../io.ts'
import type { Paint } from '../../output/print.ts'
import { createProgress, instanceNames } from '../../output/progress.ts'
import { alreadyRunning } from '../../require-supervisor.ts'
import { VERSION } from '../../version.ts'
import { createLogPrinter } from './log-printer.ts'
import type { UpContext, UpRequest } from './request.ts'

/** Supervises in this process, and shows what happens and what is printed. */
export async function superviseInForeground(request: UpRequest): Promise<number> {
  const { context, project, stateDir } = request
  const { io } = context
  prepareStateFolder(stateDir)
  const fd = Number(io.env['PRODSERVER_SHIM_FD']) || undefined
  if (process.pid === 1 && fd === undefined) return becomeShim(project, stateDir, io.env)
  // As process 1, the shim passes on its signals as soon as it knows this process.
  const early: string[] = []
  const note = (signal: string): void => void early.push(signal)
  if (fd !== undefined) for (const signal of STOPS) process.on(signal, note)
  // The shim starts while the settings are being read.
  const opening = openHost(request, fd)
  opening.catch(() => {})
  let host: Host | undefined
  try {
    const application = await request.readApplication()
    host = await opening
    return await superviseUntilEnd(host, application, { stateDir, context, early })
  } catch (error) {
    host ??= await opening.catch(() => undefined)
    await host?.abandon()
    if (error instanceof ShimBusyError) throw alreadyRunning(stateDir)
    throw error
  }
}

function openHost({ context, project, stateDir }: UpRequest, fd: number | undefined): Promise<Host> {
  const { io, options } = context
  const shim = { python: project.python.path, env: io.env, fd }
  // A container must end with a failure: no user can correct one inside.
  const otherwise = fd === undefined ? 'never' : 'failure'
  return createHost({
    stateDir,
    version: VERSION,
    shim,
    project: blankProject(project.root, project.python.path),
    pid: process.pid,
    exitOn: options['exit-on'] ?? otherwise,
    endWhenIdle: true,
  })
}

const STOPS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const

/**
 * Lets the shim take the place of this process, and start it again as its child: the first process of a container must
 * reap orphans, which Node cannot.
 */
async function becomeShim(project: Project, stateDir: string, env: Env): Promise<number> {
  const { path } = project.python
  const python = resolveProgram({ program: path, cwd: process.cwd(), env, place: 'python', process: 'shim' })
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const argv = [python, ...shimArguments(stateDir), '--', process.execPath, ...process.argv.slice(1)]
  return become({ file: python, argv, env: Object.fromEntries(given), cwd: process.cwd() })
}

interface Given {
  readonly stateDir: string
  readonly context: UpContext
  /** Signals that came before the host was open. */
  readonly early: readonly string[]
}

async function superviseUntilEnd(host: Host, application: Application, given: Given): Promise<number> {
  const writers = [new NonBlockingWriter(1), new NonBlockingWriter(2)] as const
  const context = withWriters(given.context, writers)
  const { options, io } = context
  const stopper = createStopper(host, context)
  const printing = showOutput(host, application, { stateDir: given.stateDir, context, out: writers[0] })
  const startedMs = performance.now()
  const applied = host.apply(application)
  // Not before what an earlier supervisor left running has been adopted.
  if (given.early[0] !== undefined) setImmediate(stopper.stop, given.early[0])
  const result = await applied
  if (!host.supervisor.closing && !stopper.isAsked() && !options.json && !options.quiet) {
    const [good, bad] = renderStarted(result, performance.now() - startedMs, context.paint)
    io.stdout.write(good)
    io.stderr.write(bad)
  }
  if (!stopper.isAsked()) announce(host, context, 'READY=1')
  const code = await host.ended
  // Output that nobody reads does not keep the program from ending.
  await Promise.race([printing, writers[0].stalled(STALLED_MS)])
  for (const writer of writers) writer.close()
  return code
}

const STALLED_MS = 1000

/** Notifies the service manager that started this process. */
function announce(host: Host, { io }: UpContext, text: string): void {
  const { NOTIFY_SOCKET: socket } = io.env
  if (socket) host.supervisor.shim.announce(socket, text)
}

interface Stopper {
  readonly stop: (signal: string) => void
  readonly isAsked: () => boolean
}

/**
 * Time in which a second INT is the same key press: npm and other script runners pass on the INT that the terminal has
 * sent to both. Taken for a second press, it would kill what is stopping.
 */
const ONE_PRESS_MS = 500

/** Stops everything on the first signal, and kills on the second press of Ctrl-C. */
function createStopper(host: Host, context: UpContext): Stopper {
  let askedMs: number | undefined
  const stop = (signal: string): void => {
    if (askedMs === undefined) {
      askedMs = performance.now()
      if (signal === 'SIGINT' && !context.options.quiet)
        context.io.stderr.write('\nStopping. Ctrl-C again kills at once.\n')
      announce(host, context, 'STOPPING=1')
      host.stop()
      return
    }
    // A closed terminal and systemd send several signals; only a person means more by a second one.
    if (signal === 'SIGINT' && performance.now() - askedMs >= ONE_PRESS_MS) host.stop()
  }
  for (const signal of STOPS) process.on(signal, () => stop(signal))
  return { stop, isAsked: () => askedMs !== undefined }
}

interface Shown {
  readonly stateDir: string
  readonly context: UpContext
  readonly out: NonBlockingWriter
}

/** Prints events and what the processes print, until the host has ended. */
function showOutput(host: Host, application: Application, { stateDir, context, out }: Shown): Promise<void> {
  const controller = new AbortController()
  const progress = createProgress(context, { names: instanceNames(application) })
  const wants = (): boolean => !context.options.quiet
  const follower = followLogs({ stateDir, wants, signal: controller.signal, isPassedOn: true })
  const processes = application.specs.map(({ name, instances }) => [name, instances] as const)
  const printing = printLogs(follower, out, createLogPrinter(context, out.write, processes))
  host.subscribe((event) => {
    progress.event(event)
    const { type, instance, invocation } = event
    if (type === 'exited' && instance !== null && invocation !== null) follower.endRun(instance, invocation)
  })
  void host.ended.then(() => controller.abort())
  return printing
}

/** Renders the line that says that everything was started, for stdout and stderr. */
function renderStarted(
  { changes }: ActionResult,
  tookMs: number,
  paint: Paint,
): readonly [stdout: string, stderr: string] {
  const failed = changes.filter(({ did }) => did === 'failed').map(({ process }) => process)
  if (failed.length === 0) return [`${paint('green', 'Ready')} in ${printElapsed(tookMs)}. Ctrl-C stops.\n`, '']
  const rest = `The rest goes on; look: prodserver why ${failed[0]}`
  return ['', `${paint('red', 'Not everything runs')}: ${failed.join(', ')} failed. ${rest}\n`]
}

/** The same context, printing through writers. */
function withWriters(context: UpContext, [out, err]: readonly [NonBlockingWriter, NonBlockingWriter]): UpContext {
  const { io } = context
  return { ...context, io: { ...io, stdout: through(io.stdout, out), stderr: through(io.stderr, err) } }
}

const through = (output: Output, writer: NonBlockingWriter): Output => ({
  isTerminal: output.isTerminal,
  get columns() {
    return output.columns
  },
  write: writer.write,
})

async function printLogs(
  follower: ReturnType<typeof followLogs>,
  out: NonBlockingWriter,
  print: ReturnType<typeof createLogPrinter>,
): Promise<void> {
  try {
    for await (const chunks of follower) {
      print(chunks)
      // The lines are in the files: waiting for a reader loses nothing.
      await out.drained()
    }
  } catch {
    // The reader sees less; what runs does not depend on it.
  } finally {
    follower.close()
  }
}
