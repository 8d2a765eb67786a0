import type { ProcessStatus } from '../control/protocol.ts'
import { EXIT, ProdserverError, UsageError } from '../core/errors.ts'
import { singleInstances } from '../core/selectors.ts'
import type { Connection, Engine, EngineType, OperableEngine } from '../deploy/engine.ts'
import { kubernetes } from '../deploy/kubernetes/index.ts'
import { applicationName } from './application-name.ts'
import type { CommandContext } from './command.ts'
import type { ClusterOptions, ProjectOptions } from './option-sets.ts'
import { projectFromOptions } from './locate-project.ts'
import { selectableProcesses, selectRunning } from './select-running.ts'

type ClusterContext = Pick<CommandContext<ProjectOptions & Partial<ClusterOptions>>, 'io' | 'options'>

/** Finds the cluster that the options name, or that an engine finds by its own rules. Sends nothing. */
export const connect = <E extends Engine>(type: EngineType<E>, context: ClusterContext): Connection<E> => {
  const { io, options } = context
  return type.connect({
    application: options.name ?? applicationName(projectFromOptions(context).root),
    env: io.env,
    cwd: io.cwd,
    kubeconfig: options.kubeconfig,
    context: options.context,
    namespace: options.namespace,
  })
}

/** Finds the cluster of `--on`. */
export const connectCluster = (context: ClusterContext): Connection<OperableEngine> => connect(kubernetes, context)

/**
 * Reads what was deployed.
 *
 * @throws {ProdserverError} `E601` when nothing was.
 */
export async function deployedProcesses(
  { engine, where }: Connection<OperableEngine>,
  usage = false,
): Promise<readonly ProcessStatus[]> {
  const processes = await engine.processes({ usage })
  if (processes.length > 0) return processes
  const hint = 'Deploy it: prodserver deploy kubernetes. Another name or place: --name, --namespace, --context'
  throw new ProdserverError([{ id: 'E601', place: where, message: 'Nothing is deployed.', hint }], EXIT.notRunning)
}

/**
 * Names of the selected processes. On a cluster an action changes whole processes.
 *
 * @throws {UsageError} for a selector that selects nothing, or single instances.
 */
export function selectProcesses(selectors: readonly string[], processes: readonly ProcessStatus[]): readonly string[] {
  const found = selectRunning(selectors, selectableProcesses(processes))
  const [instance] = found.instances
  if (instance === undefined) return found.processes
  throw new UsageError(singleInstances(instance), 'On a cluster, name the process')
}

/**
 * Resolves the selectors of `scale` to processes.
 *
 * @throws {UsageError} as `selectProcesses`.
 */
export const selectCounts = (
  counts: Readonly<Record<string, string>>,
  processes: readonly ProcessStatus[],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(counts).flatMap(([selector, count]) =>
      selectProcesses([selector], processes).map((process) => [process, count] as const),
    ),
  )
