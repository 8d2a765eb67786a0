import type { Connection, Engine, EngineType, OperableEngine } from '../deploy/engine.ts'
import { kubernetes } from '../deploy/kubernetes/index.ts'
import type { ProcessStatus } from '../control/protocol.ts'
import { EXIT, ProdserverError, UsageError } from '../core/errors.ts'
import { applicationName } from './application-name.ts'
import type { CommandContext } from './commands/index.ts'
import { projectFromOptions, single } from './read-project.ts'
import { singleInstances } from '../core/selectors.ts'
import { selectableProcesses, selectRunning } from './select.ts'

/** Finds the cluster that the options name, or that an engine finds by its own rules. Sends nothing. */
export function connect<E extends Engine>(type: EngineType<E>, context: CommandContext): Connection<E> {
  const { io } = context
  return type.connect({
    application: single(context, 'name') ?? applicationName(projectFromOptions(context).root),
    env: io.env,
    cwd: io.cwd,
    kubeconfig: single(context, 'kubeconfig'),
    context: single(context, 'context'),
    namespace: single(context, 'namespace'),
  })
}

/** Finds the cluster of `--on`. */
export const connectCluster = async (context: CommandContext): Promise<Connection<OperableEngine>> =>
  connect(kubernetes, context)

/** What was deployed. @throws {ProdserverError} `E601` where nothing was */
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
