import type { Project } from '../source/project.ts'
import { followLogs } from '../logs/follow.ts'
import { createHost, type ExitOn, type Host } from '../supervise/host.ts'
import { KeeperBusyError } from '../supervise/keeper.ts'
import { keeperProgram } from '../supervise/programs.ts'
import { prepareStateFolder } from '../supervise/state-folder.ts'
import type { Application } from '../supervise/spec.ts'
import type { CommandContext } from './commands.ts'
import { createProgress } from './render-progress.ts'
import { createLogPrinter } from './render-logs.ts'
import { alreadyRunning } from './up-detached.ts'
import { VERSION } from './version.ts'

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
  const keeper = { python: project.python.path, program: keeperProgram, env: io.env, fd }
  // In a container nobody is there to correct what failed: whoever started it must learn of it.
  const effective = exitOn ?? (fd === undefined ? 'never' : 'failure')
  const blank = {
    root: project.root,
    settings: { module: '', reason: '' },
    python: { path: project.python.path, version: '', reason: '' },
  }
  // The keeper starts while the settings are being read.
  const opening = createHost({
    stateDir,
    version: VERSION,
    keeper,
    project: blank,
    pid: process.pid,
    exitOn: effective,
    endWhenIdle: true,
  })
  opening.catch(() => {})
  let host: Host | undefined
  try {
    const planned = await application()
    host = await opening
    return await superviseUntilEnd(host, planned, stateDir, context)
  } catch (error) {
    host ??= await opening.catch(() => undefined)
    host?.abandon()
    if (error instanceof KeeperBusyError) throw alreadyRunning(stateDir)
    throw error
  }
}

async function superviseUntilEnd(
  host: Host,
  application: Application,
  stateDir: string,
  context: CommandContext,
): Promise<number> {
  const { io, paint, options } = context
  const isQuiet = options.values['quiet'] !== undefined
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => stop(signal))
  let asked = 0
  const stop = (signal: string): void => {
    asked++
    if (signal === 'SIGINT' && asked === 1 && !isQuiet) io.stderr.write('\nStopping. Ctrl-C again kills at once.\n')
    // Who closes the terminal, and systemd, send more than one signal; only a person means more by a second one.
    if (asked === 1 || signal === 'SIGINT') host.stop()
  }
  const progress = createProgress(context)
  const isJson = options.values['json'] !== undefined
  const life = new AbortController()
  const follower = followLogs({ stateDir, wants: () => !isQuiet, signal: life.signal })
  const printing = printLogs(
    follower,
    createLogPrinter(
      context,
      application.specs.map(({ name, instances }) => [name, instances] as const),
    ),
  )
  host.subscribe(progress.event)
  void host.ended.then(() => life.abort())
  const startedMs = performance.now()
  const result = await host.apply(application)
  if (!host.supervisor.closing && asked === 0 && !isJson && !isQuiet) {
    const took = ((performance.now() - startedMs) / 1000).toFixed(1)
    const failed = result.changes.filter(({ did }) => did === 'failed').map(({ process }) => process)
    if (failed.length > 0)
      io.stderr.write(
        `${paint('red', 'Not everything runs')}: ${failed.join(', ')} failed. The rest goes on; look: prodserver why ${failed[0]}\n`,
      )
    else io.stdout.write(`${paint('green', 'Ready')} in ${took}s. Ctrl-C stops.\n`)
  }
  if (io.env['NOTIFY_SOCKET']) host.supervisor.keeper.announce(io.env['NOTIFY_SOCKET'], 'READY=1')
  const code = await host.ended
  await printing
  return code
}

async function printLogs(
  follower: ReturnType<typeof followLogs>,
  print: ReturnType<typeof createLogPrinter>,
): Promise<void> {
  try {
    for await (const lines of follower) for (const line of lines) print(line)
  } catch {
    // Whoever reads it sees less; what runs does not depend on it.
  } finally {
    follower.close()
  }
}
