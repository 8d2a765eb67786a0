import { connectSupervisor } from '../control/client.ts'
import type { ActionRequest } from '../control/protocol.ts'
import type { CommandContext } from './command.ts'
import { type Act, runAction } from './follow-action.ts'
import { locateState } from './locate-state.ts'
import { isOnCluster } from './on-cluster.ts'
import type { ActionOptions } from './option-sets.ts'
import { requireRunning } from './require-supervisor.ts'

export type ActionContext = CommandContext<ActionOptions>

/** Requests an action of what runs, on this machine or on a cluster, and prints what happens. */
export async function changeProcesses(request: ActionRequest, context: ActionContext): Promise<number> {
  const connect = isOnCluster(context.options) ? actOnCluster : actOnMachine
  return runAction(await connect(request, context), context)
}

async function actOnMachine(request: ActionRequest, context: ActionContext): Promise<Act> {
  const stateDir = locateState(context)
  const supervisor = requireRunning(await connectSupervisor(stateDir), stateDir)
  return (signal) => supervisor.action(request, signal)
}

/** On a cluster, selectors are resolved here: the engine takes names. */
async function actOnCluster(request: ActionRequest, context: ActionContext): Promise<Act> {
  const { connectCluster, deployedProcesses, selectCounts, selectProcesses } = await import('./cluster.ts')
  const cluster = connectCluster(context)
  const processes = await deployedProcesses(cluster)
  const counts = selectCounts(request.counts ?? {}, processes)
  const targets = request.verb === 'scale' ? [] : selectProcesses(request.targets, processes)
  return (signal) => cluster.engine.act({ ...request, targets, counts }, signal)
}
