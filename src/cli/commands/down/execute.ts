import { connectSupervisor } from '../../../control/client.ts'
import { stateDirectory } from '../../../control/state-dir.ts'
import { EXIT } from '../../../core/errors.ts'
import { isAlive, readProcess } from '../../../supervisor/procfs/process-table.ts'
import { shimPidOf } from '../../../supervisor/state/compat.ts'
import { changeProcesses } from '../../change-processes.ts'
import type { ContextOf } from '../../command.ts'
import { runAction } from '../../follow-action.ts'
import { isOnCluster } from '../../on-cluster.ts'
import { projectFromOptions } from '../../locate-project.ts'
import { leftRunning, nameLives } from '../../require-supervisor.ts'
import type { FLAGS } from './flags.ts'

type Context = ContextOf<typeof FLAGS>

/** Stops everything and ends the supervisor. */
export async function execute(context: Context): Promise<number> {
  const { io, options } = context
  const down = await endEverything(context)
  if (down.nothingRan) {
    if (!options.quiet) io.stderr.write('Nothing is running.\n')
  } else if (down.code === EXIT.done && !options.json && !options.quiet)
    io.stdout.write('Down. Nothing is left running.\n')
  return down.code
}

interface Down {
  readonly code: number
  readonly nothingRan: boolean
}

async function endEverything(context: Context): Promise<Down> {
  const { io, options } = context
  const request = { verb: 'down', targets: [], force: options.force } as const
  if (isOnCluster(options)) return { code: await changeProcesses(request, context), nothingRan: false }
  const project = projectFromOptions(context)
  const stateDir = stateDirectory(io.env, project.root)
  const supervisor = await connectSupervisor(stateDir)
  if (supervisor) {
    const code = await runAction((signal) => supervisor.action(request, signal), context)
    const { pid } = supervisor.status
    if (code === EXIT.done || code === EXIT.failed) await untilGone([pid, shimPidOf(supervisor.status)])
    return { code, nothingRan: false }
  }
  const left = leftRunning(stateDir)
  if (left.length === 0) return { code: EXIT.done, nothingRan: true }
  if (!options.quiet) io.stderr.write(`The supervisor is gone; it left ${nameLives(left)}.\n`)
  const { downWithoutSupervisor } = await import('./without-supervisor.ts')
  return { code: await downWithoutSupervisor(context, project, stateDir), nothingRan: false }
}

const LOOK_MS = 5
/** Time for a supervisor and a shim that have nothing left to do. */
const PATIENCE_MS = 5000

/** Waits for the end of the supervisor itself: the next `up` must not connect to it. */
async function untilGone(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (pids.some(isRunning) && performance.now() < deadline) await new Promise((next) => setTimeout(next, LOOK_MS))
}

/** Counts a process that ended, and that its parent has not reaped yet, as gone. */
function isRunning(pid: number): boolean {
  const row = readProcess(pid)
  return row !== undefined && isAlive(row)
}
