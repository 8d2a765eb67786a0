/** A kind of object, with its place in the API. */
export interface KubeKind {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
}

const kinds = [
  ['v1', 'ConfigMap', 'configmaps'],
  ['v1', 'Service', 'services'],
  ['v1', 'ServiceAccount', 'serviceaccounts'],
  ['v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'],
  ['v1', 'Pod', 'pods'],
  ['apps/v1', 'Deployment', 'deployments'],
  ['apps/v1', 'StatefulSet', 'statefulsets'],
  ['apps/v1', 'ReplicaSet', 'replicasets'],
  ['batch/v1', 'Job', 'jobs'],
  ['batch/v1', 'CronJob', 'cronjobs'],
  ['policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'],
  ['networking.k8s.io/v1', 'Ingress', 'ingresses'],
  ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'],
  ['keda.sh/v1alpha1', 'ScaledObject', 'scaledobjects'],
] as const

/** The kinds that a deployment uses, by name. */
export const KINDS: Readonly<Record<(typeof kinds)[number][1], KubeKind>> = Object.fromEntries(
  kinds.map(([apiVersion, kind, plural]) => [kind, { apiVersion, kind, plural }]),
) as never

/** Kinds that a deployment creates, dependents first. Data outlives its users and is not among them. */
export const OWN_KINDS: readonly KubeKind[] = [
  KINDS.CronJob,
  KINDS.ScaledObject,
  KINDS.HorizontalPodAutoscaler,
  KINDS.Deployment,
  KINDS.Service,
  KINDS.PodDisruptionBudget,
  KINDS.ConfigMap,
]
