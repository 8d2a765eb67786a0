import type { Autoscale, ExportedProcess, ExportInput } from '../input.ts'
import type { Fields, Manifest } from './fields.ts'

/** Returns the last scaling that the command line asks for this process. */
export const autoscaleOf = ({ name }: ExportedProcess, { autoscale }: ExportInput): Autoscale | undefined =>
  autoscale.findLast(({ process: scaled }) => scaled === name)

/** Whether more than one pod of the process may run. */
export const hasSeveral = (exported: ExportedProcess, input: ExportInput): boolean =>
  exported.kind !== 'scheduler' && (autoscaleOf(exported, input)?.max ?? exported.instances) > 1

type Queue = NonNullable<Autoscale['queue']>

/** Returns the object that scales a Deployment: by waiting messages, or else by processor use. */
export function scaler({ argv }: ExportedProcess, deployment: string, { min, max, queue }: Autoscale): Manifest {
  if (!queue) {
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment }
    const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 75 } }
    const metrics = [{ type: 'Resource', resource: cpu }]
    return [
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      { scaleTargetRef, minReplicas: min, maxReplicas: max, metrics },
    ]
  }
  const triggers = queuesOf(argv, queue).map((name) => trigger(name, queue))
  const scaleTargetRef = { name: deployment }
  // An object of KEDA, https://keda.sh, which the cluster must have.
  return ['keda.sh/v1alpha1', 'ScaledObject', { scaleTargetRef, minReplicaCount: min, maxReplicaCount: max, triggers }]
}

/** Number of waiting messages for which KEDA adds a replica. */
const WAITING = '10'

function trigger(name: string, { broker: type, variable }: Queue): Fields {
  if (type === 'redis') return { type, metadata: { addressFromEnv: variable, listName: name, listLength: WAITING } }
  const metadata = { hostFromEnv: variable, protocol: 'amqp', queueName: name, mode: 'QueueLength', value: WAITING }
  return { type, metadata }
}

/** Returns the given queues, or else those of Celery's options, or else Celery's default queue. */
function queuesOf(argv: readonly string[], { names }: Queue): readonly string[] {
  if (names.length > 0) return names
  const at = argv.indexOf('-Q')
  const given = at >= 0 ? argv[at + 1] : argv.find((word) => word.startsWith('--queues='))?.slice('--queues='.length)
  return given?.split(',') ?? ['celery']
}
