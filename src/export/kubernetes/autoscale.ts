import type { Autoscale, AutoscaleQueue, ExportedProcess, ExportInput } from '../input.ts'
import type { Fields } from './fields.ts'

/** Returns the last scaling that the command line asks for this process. */
export const autoscaleOf = ({ name }: ExportedProcess, { autoscale }: ExportInput): Autoscale | undefined =>
  autoscale.findLast(({ process: scaled }) => scaled === name)

interface Scaler {
  readonly kind: readonly [apiVersion: string, kind: string]
  readonly spec: Fields
}

/** Returns the object that scales a Deployment: by waiting messages, or else by processor use. */
export const scaler = (exported: ExportedProcess, deployment: string, { min, max, queue }: Autoscale): Scaler =>
  queue ? byQueue(exported, deployment, { min, max, queue }) : byProcessors(deployment, min, max)

const byProcessors = (deployment: string, min: number, max: number): Scaler => ({
  kind: ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment },
    minReplicas: min,
    maxReplicas: max,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 75 } } }],
  },
})

/** An object of KEDA, https://keda.sh, which the cluster must have. */
const byQueue = (
  exported: ExportedProcess,
  deployment: string,
  { min, max, queue }: { readonly min: number; readonly max: number; readonly queue: AutoscaleQueue },
): Scaler => ({
  kind: ['keda.sh/v1alpha1', 'ScaledObject'],
  spec: {
    scaleTargetRef: { name: deployment },
    minReplicaCount: min,
    maxReplicaCount: max,
    triggers: queuesOf(exported, queue).map((name) => trigger(name, queue)),
  },
})

/** Number of waiting messages for which KEDA adds a replica. */
const WAITING = '10'

const trigger = (name: string, { broker, variable }: AutoscaleQueue): Fields =>
  broker === 'rabbitmq'
    ? {
        type: 'rabbitmq',
        metadata: { hostFromEnv: variable, protocol: 'amqp', queueName: name, mode: 'QueueLength', value: WAITING },
      }
    : { type: 'redis', metadata: { addressFromEnv: variable, listName: name, listLength: WAITING } }

/** Returns the given queues, or else those of Celery's options, or else Celery's default queue. */
function queuesOf({ argv }: ExportedProcess, { names }: AutoscaleQueue): readonly string[] {
  if (names.length > 0) return names
  const at = argv.indexOf('-Q')
  const given = at >= 0 ? argv[at + 1] : argv.find((word) => word.startsWith('--queues='))?.slice('--queues='.length)
  return given?.split(',') ?? ['celery']
}
