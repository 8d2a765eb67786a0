import type { ActionRequest, Verb } from '../control/protocol.ts'
import { connectSupervisor } from '../control/client.ts'
import { stateDirectory } from '../control/state-dir.ts'
import { EXIT, UsageError } from '../core/errors.ts'
import { isAlive, readProcess } from '../supervisor/procfs/process-table.ts'
import type { CommandContext, Execute } from './commands/index.ts'
import type { Project } from '../project/project.ts'
import { isOnCluster } from './on-cluster.ts'
import { leftRunning, nameLives, requireRunning } from './require-supervisor.ts'
import { projectFromOptions } from './read-project.ts'
import { followAction } from './commands/up/execute.ts'

/** A command that asks the supervisor for something, and shows what it does. */
export const actionCommand =
  (verb: Verb): Execute =>
  async (context) => {
    const { io, options } = context
    const request = requestOf(verb, context)
    if (isOnCluster(context)) return actOnCluster(request, context)
    const project = projectFromOptions(context)
    const stateDir = stateDirectory(io.env, project.root)
    const client = await connectSupervisor(stateDir)
    if (!client && verb === 'down') return downWithout(context, project, stateDir)
    const supervisor = requireRunning(client, stateDir)
    const code = await followAction((signal) => supervisor.action(request, signal), context)
    if (verb === 'down' && (code === EXIT.done || code === EXIT.failed))
      await gone([supervisor.status.pid, supervisor.status.keeperPid])
    if (verb === 'down' && code === EXIT.done && !options.values['json'] && !options.values['quiet'])
      io.stdout.write(DOWN)
    return code
  }

/** Of what was deployed: its processes as a whole. */
async function actOnCluster(request: ActionRequest, context: CommandContext): Promise<number> {
  const { connectCluster, deployedProcesses, selectCounts, selectProcesses } = await import('./cluster.ts')
  const { io, options } = context
  const cluster = await connectCluster(context)
  const processes = await deployedProcesses(cluster)
  const counts = selectCounts(request.counts ?? {}, processes)
  const targets = request.verb === 'scale' ? [] : selectProcesses(request.targets, processes)
  const code = await followAction((signal) => cluster.engine.act({ ...request, targets, counts }, signal), context)
  if (request.verb === 'down' && code === EXIT.done && !options.values['json'] && !options.values['quiet'])
    io.stdout.write(DOWN)
  return code
}

const DOWN = 'Down. Nothing is left running.\n'

/** Nobody answers: nothing runs, or it runs without its supervisor. */
async function downWithout(context: CommandContext, project: Project, stateDir: string): Promise<number> {
  const { io, options } = context
  const left = leftRunning(stateDir)
  if (left.length === 0) {
    if (!options.values['quiet']) io.stderr.write('Nothing is running.\n')
    return EXIT.done
  }
  if (!options.values['quiet']) io.stderr.write(`The supervisor is gone; it left ${nameLives(left)}.\n`)
  const { downAlone } = await import('./commands/down/without-supervisor.ts')
  const code = await downAlone(context, project, stateDir)
  if (code === EXIT.done && !options.values['json'] && !options.values['quiet']) io.stdout.write(DOWN)
  return code
}

const LOOK_MS = 5
/** They have nothing left to do. */
const PATIENCE_MS = 5000

/** Waits for the end of the supervisor itself: whoever starts another one next must not find this one. */
async function gone(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (pids.some(isRunning) && performance.now() < deadline) await new Promise((next) => setTimeout(next, LOOK_MS))
}

/** One that ended and was not collected by its parent yet is gone. */
function isRunning(pid: number): boolean {
  const row = readProcess(pid)
  return row !== undefined && isAlive(row)
}

function requestOf(verb: Verb, { options }: CommandContext): ActionRequest {
  const { positionals, values } = options
  const force = values['force'] !== undefined
  if (verb !== 'scale') return { verb, targets: positionals, force }
  if (positionals.length === 0) throw new UsageError('Say how many: NAME=COUNT.')
  const counts = positionals.map((word) => {
    const [, name, count] = /^(.+?)=([+-]?\d+)$/.exec(word) ?? []
    if (name === undefined || count === undefined) throw new UsageError(`${word} is not NAME=COUNT.`)
    return [name, count] as const
  })
  return { verb, targets: [], counts: Object.fromEntries(counts) }
}
