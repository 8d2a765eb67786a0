import type { ActionChange, InstanceStatus } from '../../control/protocol.ts'
import { EXIT } from '../../core/errors.ts'
import type { CronJob, Deployment, KubeObject, Pod } from './api.ts'
import { type ClusterState, instancesOf, processOf } from './status.ts'

/** Progress of a Deployment with its last change. */
type Rollout =
  | { readonly is: 'going-on' }
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly message: string }

/** Reads the progress of a Deployment as `kubectl rollout status` does. */
function rolloutOf({ metadata, spec, status = {} }: Deployment): Rollout {
  const wanted = spec.replicas ?? 1
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return { is: 'going-on' }
  const progress = status.conditions?.find(({ type }) => type === 'Progressing')
  if (progress?.reason === 'ProgressDeadlineExceeded')
    return { is: 'failed', message: progress.message ?? 'it did not get ready in time' }
  const isDone = updatedReplicas >= wanted && replicas <= updatedReplicas && availableReplicas >= updatedReplicas
  return { is: isDone ? 'done' : 'going-on' }
}

/** Returns the change of each named Deployment; undefined until the rollout of each has ended. */
export function outcome(
  state: ClusterState,
  before: ClusterState,
  names: ReadonlySet<string>,
  did: string,
): readonly ActionChange[] | undefined {
  const own = state.deployments.filter(({ metadata }) => names.has(metadata.name))
  if (own.length < names.size) return undefined
  const rollouts = own.map((one) => [one, failureOf(one, state, before) ?? rolloutOf(one)] as const)
  if (rollouts.some(([, { is }]) => is === 'going-on')) return undefined
  return rollouts.map(([one, rollout]): ActionChange => {
    const name = processOf(one)
    if (rollout.is === 'failed') return { process: name, did: 'refused', message: rollout.message.replace(/\.$/, '') }
    const wanted = one.spec.replicas ?? 1
    return { process: name, did, message: `${wanted} of ${wanted}` }
  })
}

/** Returns the failure of a new pod that keeps crashing or cannot start. Kubernetes itself reports it much later. */
function failureOf(one: Deployment, state: ClusterState, before: ClusterState): Rollout | undefined {
  const pods = state.pods.filter((pod) => processOf(pod) === processOf(one) && isNew(pod, before))
  const failing = instancesOf({ ...state, pods }).find(({ state: is }) => is === 'failed' || is === 'backoff')
  return failing && { is: 'failed', message: failing.reason ?? 'it does not start' }
}

export const isNew = ({ metadata }: Pod, before: ClusterState): boolean =>
  !before.pods.some((pod) => pod.metadata.name === metadata.name)

/** Identifies the state of an instance, so that each state is reported once. */
export const newsOf = ({ state, reason, invocation }: InstanceStatus): string =>
  `${state} ${reason ?? ''} ${invocation}`

/** Returns a change for each process that runs on a schedule. */
export const scheduled = (objects: readonly KubeObject[]): readonly ActionChange[] =>
  objects
    .filter(({ kind }) => kind === 'CronJob')
    .map((object) => ({ process: processOf(object), did: 'scheduled', message: (object as CronJob).spec.schedule }))

export function exitCodeOf(changes: readonly ActionChange[]): number {
  if (changes.some(({ did }) => did === 'refused')) return EXIT.refused
  return changes.some(({ did }) => did === 'failed') ? EXIT.failed : EXIT.done
}
