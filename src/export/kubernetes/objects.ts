import { runsToCompletion } from '../../core/completion.ts'
import { portName, portsOf } from '../containers/ports.ts'
import { collectInImage } from '../containers/static-files.ts'
import type { ExportedProcess, ExportInput, ExportRequest } from '../input.ts'
import type { YamlValue } from '../yaml.ts'
import { autoscaleOf, hasSeveral, scaler } from './autoscale.ts'
import { atLeastOneSecond, type Fields, type Manifest } from './fields.ts'
import { labelsOf, objectName, selector } from './names.ts'
import { podTemplate } from './pod.ts'

/** An object of the Kubernetes API, as data. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
  readonly spec: Fields
}

/** Returns the objects of the whole application, process by process in the order of the declaration. */
export function kubernetesObjects(request: ExportRequest): readonly KubernetesObject[] {
  const { input } = collectInImage(request)
  return input.processes.flatMap((exported) => objectsOf(exported, input))
}

/** Returns the objects of one process. */
export function objectsOf(exported: ExportedProcess, input: ExportInput): readonly KubernetesObject[] {
  const metadata = { name: objectName(input, exported.name), labels: labelsOf(exported, input) }
  return manifestsOf(exported, input).map(([apiVersion, kind, spec]) => ({ apiVersion, kind, metadata, spec }))
}

function manifestsOf(exported: ExportedProcess, input: ExportInput): readonly Manifest[] {
  if (exported.schedule !== null) return [['batch/v1', 'CronJob', cronJob(exported, input)]]
  if (runsToCompletion(exported)) return [['batch/v1', 'Job', job(exported, input)]]
  const manifests: Manifest[] = [['apps/v1', 'Deployment', deployment(exported, input)]]
  if (portsOf(exported).length > 0) manifests.push(['v1', 'Service', service(exported, input)])
  if (hasSeveral(exported, input))
    manifests.push(['policy/v1', 'PodDisruptionBudget', disruptionBudget(exported, input)])
  const scaled = autoscaleOf(exported, input)
  if (scaled) manifests.push(scaler(exported, objectName(input, exported.name), scaled))
  return manifests
}

const deployment = (exported: ExportedProcess, input: ExportInput): Fields => ({
  // The autoscaler decides the number of replicas.
  replicas: autoscaleOf(exported, input) ? undefined : exported.instances,
  revisionHistoryLimit: 3,
  strategy: strategy(exported),
  // A pod without a probe counts as available after the declared delay.
  minReadySeconds: exported.ready.delayMs === undefined ? undefined : atLeastOneSecond(exported.ready.delayMs),
  selector: { matchLabels: selector(exported, input) },
  template: podTemplate(exported, input),
})

/** A scheduler's old pod stops before the new pod starts; a web server's new pod is ready before the old pod stops. */
function strategy({ kind, reload, from }: ExportedProcess): YamlValue {
  const isAlone = kind === 'scheduler' || (from.reload !== undefined && reload === 'restart')
  if (isAlone) return { type: 'Recreate' }
  const isSmooth = kind === 'web' || (from.reload !== undefined && reload === 'rolling')
  return { type: 'RollingUpdate', rollingUpdate: isSmooth ? { maxSurge: 1, maxUnavailable: 0 } : undefined }
}

function job(exported: ExportedProcess, input: ExportInput): Fields {
  const several = exported.instances > 1 ? exported.instances : undefined
  // For a day the Job and its logs can be read.
  return { parallelism: several, completions: several, ttlSecondsAfterFinished: 86_400, ...jobSpec(exported, input) }
}

/** Kubernetes retries a Job only if the declaration says so. */
const jobSpec = (exported: ExportedProcess, input: ExportInput): Fields => ({
  backoffLimit: exported.restart.policy === 'on-failure' ? exported.restart.limit : 0,
  template: podTemplate(exported, input),
})

const cronJob = (exported: ExportedProcess, input: ExportInput): Fields => ({
  schedule: exported.schedule?.cron,
  timeZone: exported.schedule?.tz,
  concurrencyPolicy: 'Forbid',
  jobTemplate: { spec: jobSpec(exported, input) },
})

const service = (exported: ExportedProcess, input: ExportInput): Fields => ({
  selector: selector(exported, input),
  ports: portsOf(exported).map((port, _, all) => {
    const name = portName(port, all)
    return { name, port, targetPort: name }
  }),
})

/** While nodes are drained, Kubernetes evicts one pod after the other. */
const disruptionBudget = (exported: ExportedProcess, input: ExportInput): Fields => ({
  maxUnavailable: 1,
  selector: { matchLabels: selector(exported, input) },
})
