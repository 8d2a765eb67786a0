import { createKubeClient } from '../deploy/kubernetes/client.ts'
import { createKubeEngine, type KubeEngine } from '../deploy/kubernetes/engine.ts'
import { clusterAccess } from '../deploy/kubernetes/kubeconfig.ts'
import type { ProcessStatus } from '../control/protocol.ts'
import { EXIT, ProdserverError } from '../core/errors.ts'
import { applicationName } from './application-name.ts'
import type { CommandContext } from './commands.ts'
import { projectFromOptions, single } from './read-project.ts'
import { selectInstances } from './select-instances.ts'

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

/** The processes that the selectors mean, each by its name. @throws {UsageError} for one that means nothing */
export function selectProcesses(selectors: readonly string[], processes: readonly ProcessStatus[]): readonly string[] {
  const known = processes.map(({ process, kind }) => ({ process, kind, instance: process }))
  return selectInstances(selectors, known).map(({ process }) => process)
}
