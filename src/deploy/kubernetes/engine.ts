import type { ActionLine, ActionRequest, ProcessStatus } from '../../control/protocol.ts'
import type { Deployment, LogQuery, OperableEngine } from '../engine.ts'
import { ClusterAction } from './action.ts'
import type { KubeClient } from './client.ts'
import { ClusterDeployment } from './deployment.ts'
import { deployedObjects } from './objects.ts'
import { processesOf } from './status.ts'
import { ClusterView } from './view.ts'

/** One application on a Kubernetes cluster. */
export class KubernetesEngine implements OperableEngine {
  readonly #client: KubeClient
  readonly #view: ClusterView

  constructor(client: KubeClient, application: string) {
    this.#client = client
    this.#view = new ClusterView(client, application)
  }

  async processes({ usage }: { readonly usage: boolean }): Promise<readonly ProcessStatus[]> {
    return processesOf(await this.#view.read({ usage }))
  }

  deploy(deployment: Deployment, signal: AbortSignal): AsyncGenerator<ActionLine> {
    const { isWhole } = deployment
    return new ClusterDeployment(this.#client, this.#view, signal).run(deployedObjects(deployment), isWhole)
  }

  act(request: ActionRequest, signal: AbortSignal): AsyncGenerator<ActionLine> {
    return new ClusterAction(this.#client, this.#view, signal).run(request)
  }

  logs(pod: string, { follow, last, sinceMs, previous }: LogQuery, signal?: AbortSignal): AsyncGenerator<string> {
    const query: Record<string, string> = { timestamps: 'true' }
    if (follow) query['follow'] = 'true'
    if (last !== undefined) query['tailLines'] = String(last)
    if (sinceMs !== undefined) query['sinceTime'] = new Date(sinceMs).toISOString()
    if (previous) query['previous'] = 'true'
    return this.#client.logs(pod, query, signal)
  }
}
