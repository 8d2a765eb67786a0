import { kubernetes as target } from '../../export/index.ts'
import type { ConnectRequest, Connection, EngineType, OperableEngine } from '../engine.ts'
import { KubeClient } from './client.ts'
import { KubernetesEngine } from './engine.ts'
import { clusterAccess } from './kubeconfig.ts'
import { deployedObjects } from './objects.ts'

export const kubernetes: EngineType<OperableEngine> = {
  name: 'kubernetes',
  title: 'Kubernetes',
  target,
  options: ['kubeconfig', 'context', 'namespace'],
  foundBy: 'Name the cluster as for kubectl: --kubeconfig, --context, --namespace',
  preview: (deployment) =>
    deployedObjects(deployment)
      .map((object) => `${JSON.stringify(object)}\n`)
      .join(''),
  connect,
}

function connect(request: ConnectRequest): Connection<OperableEngine> {
  const access = clusterAccess(request)
  const { application } = request
  return {
    engine: new KubernetesEngine(new KubeClient(access), application),
    where: `${application} in ${access.namespace} of ${access.server}`,
  }
}
