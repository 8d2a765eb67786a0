import { createKubeClient } from '../deploy/kubernetes/client.ts'
import { createKubeEngine, type KubeEngine } from '../deploy/kubernetes/engine.ts'
import { clusterAccess } from '../deploy/kubernetes/kubeconfig.ts'
import type { ProcessStatus } from '../control/protocol.ts'
import { EXIT, ProdserverError, UsageError } from '../core/errors.ts'
import { applicationName } from './application-name.ts'
import type { CommandContext } from './commands.ts'
import { projectFromOptions, single } from './read-project.ts'
import { singleInstances } from '../core/selectors.ts'
import { selectableProcesses, selectRunning } from './select.ts'

export interface ConnectedCluster {
  readonly engine: KubeEngine
  /** For messages: the application, its namespace, the cluster. */
  readonly where: string
}

/** The application of the project on the cluster that the options or the kubeconfig name. Asks it nothing yet. */
export async function connectCluster(
  context: CommandContext,
): Promise<{ readonly engine: KubeEngine; readonly where: string }> {
  const { io } = context
  const { parseYaml } = await import('../export/index.ts')
  const access = clusterAccess({
    env: io.env,
    cwd: io.cwd,
    kubeconfig: single(context, 'kubeconfig'),
    context: single(context, 'context'),
    namespace: single(context, 'namespace'),
    parseYaml,
  })
  const name = single(context, 'name') ?? applicationName(projectFromOptions(context).root)
  return {
    engine: createKubeEngine(createKubeClient(access), name),
    where: `${name} in ${access.namespace} of ${access.server}`,
  }
}

/** What was deployed. @throws {ProdserverError} `E601` where nothing was */
export async function deployedProcesses(
  { engine, where }: ConnectedCluster,
  usage = false,
): Promise<readonly ProcessStatus[]> {
  const processes = await engine.state({ usage })
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
