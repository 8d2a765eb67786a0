import { connectSupervisor } from '../control/client.ts'
import type { Snapshot } from '../control/protocol.ts'
import { EXIT } from '../core/errors.ts'
import type { CommandContext } from './command.ts'
import { locateState } from './locate-state.ts'
import { isOnCluster } from './on-cluster.ts'
import type { OnClusterOptions, ProjectOptions } from './option-sets.ts'
import { collapse, isAllReady, psRows, renderPs, rowToJson, type SnapshotProcesses } from './output/process-table.ts'
import { selectableProcesses, selectRunning } from './select-running.ts'

type Options = ProjectOptions & Partial<OnClusterOptions> & { readonly json: boolean; readonly summary?: boolean }

type Context = CommandContext<Options>

/** Prints what runs. The exit code is 0 when all that should run are ready. */
export async function listProcesses(context: Context): Promise<number> {
  const { options, io, paint, operands } = context
  const all = isOnCluster(options) ? await readDeployed(context) : await readSupervised(context)
  if (!all) return (await import('./list-declared.ts')).listDeclared(context)
  const selected = selectFrom(all, operands)
  const rows = psRows(selected)
  if (options.json) io.stdout.write(rows.map(rowToJson).join(''))
  else io.stdout.write(renderPs(options.summary ? collapse(rows) : rows, Date.now(), paint, io.stdout.columns))
  return isAllReady(selected) ? EXIT.done : EXIT.failed
}

/** Undefined when no supervisor runs. */
const readSupervised = async (context: Context): Promise<Snapshot | undefined> =>
  (await connectSupervisor(locateState(context)))?.snapshot({ usage: true })

async function readDeployed(context: Context): Promise<SnapshotProcesses> {
  const { connectCluster, deployedProcesses } = await import('./cluster.ts')
  return { processes: await deployedProcesses(connectCluster(context), true) }
}

function selectFrom({ processes }: SnapshotProcesses, selectors: readonly string[]): SnapshotProcesses {
  const selection = selectRunning(selectors, selectableProcesses(processes))
  const [whole, single] = [new Set(selection.processes), new Set(selection.instances)]
  const selected = processes.flatMap((owner) => {
    if (whole.has(owner.process)) return [owner]
    const instances = owner.instances.filter(({ instance }) => single.has(instance))
    return instances.length > 0 ? [{ ...owner, instances }] : []
  })
  return { processes: selected }
}
