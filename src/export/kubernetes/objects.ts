import { runsToCompletion } from '../../core/completion.ts'
import { collectInImage } from '../containers/static-files.ts'
import { portName, portsOf } from '../containers/ports.ts'
import type { Autoscale, ExportedProcess, ExportInput, ExportRequest } from '../input.ts'
import { type NameRule, targetName } from '../names.ts'
import type { YamlValue } from '../yaml.ts'
import { autoscaleOf, scaler } from './autoscale.ts'
import { type Fields, atLeastOneSecond } from './fields.ts'
import { labelsOf, selector } from './labels.ts'
import { podSpec } from './pod.ts'

/** An object of the Kubernetes API, as data. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
  }
  readonly spec: Fields
}

/** Names by RFC 1123. Kubernetes adds 11 characters to the name of a CronJob for each run. */
export const KUBERNETES_NAMES: NameRule = { title: 'Kubernetes', allowed: 'a-z0-9', lowerCase: true, longest: 52 }

export const objectName = (input: Pick<ExportInput, 'name'>, process: string): string =>
  `${targetName(input.name, KUBERNETES_NAMES)}-${targetName(process, KUBERNETES_NAMES)}`

/** Returns the objects of the whole application, process by process in the order of the declaration. */
export function kubernetesObjects(request: ExportRequest): readonly KubernetesObject[] {
  const { input } = collectInImage(request)
  return input.processes.flatMap((exported) => objectsOf(exported, input))
}

/** Returns the objects of one process. */
export function objectsOf(exported: ExportedProcess, input: ExportInput): readonly KubernetesObject[] {
  if (exported.schedule !== null) return [cronJob(exported, input)]
  if (runsToCompletion(exported)) return [job(exported, input)]
  const objects = [deployment(exported, input)]
  if (portsOf(exported).length > 0) objects.push(service(exported, input))
  if (hasSeveral(exported, input)) objects.push(disruptionBudget(exported, input))
  const scaled = autoscaleOf(exported, input)
  if (scaled) objects.push(scalerOf(exported, input, scaled))
  return objects
}

function object(
  [apiVersion, kind]: readonly [string, string],
  exported: ExportedProcess,
  input: ExportInput,
  spec: Fields,
): KubernetesObject {
  const metadata = { name: objectName(input, exported.name), labels: labelsOf(exported, input) }
  return { apiVersion, kind, metadata, spec: without(spec) as Fields }
}

/** Removes undefined values at every depth. */
function without(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(without)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, without(inner)]])),
  )
}

function template(exported: ExportedProcess, input: ExportInput): Fields {
  const scaled = autoscaleOf(exported, input)
  const spread = !runsToCompletion(exported) && hasSeveral(exported, input)
  // Kubernetes measures processor use as a share of the reservation.
  const cpu = scaled && !scaled.queue ? '250m' : undefined
  return { metadata: { labels: labelsOf(exported, input) }, spec: podSpec(exported, input, { spread, cpu }) }
}

const hasSeveral = (exported: ExportedProcess, input: ExportInput): boolean =>
  exported.kind !== 'scheduler' && (autoscaleOf(exported, input)?.max ?? exported.instances) > 1

function deployment(exported: ExportedProcess, input: ExportInput): KubernetesObject {
  return object(['apps/v1', 'Deployment'], exported, input, {
    // The autoscaler decides the number of replicas.
    replicas: autoscaleOf(exported, input) ? undefined : exported.instances,
    revisionHistoryLimit: 3,
    strategy: strategy(exported),
    minReadySeconds: minReadySeconds(exported),
    selector: { matchLabels: selector(exported, input) },
    template: template(exported, input),
  })
}

/** A scheduler's old pod stops before the new pod starts; a web server's new pod is ready before the old pod stops. */
function strategy({ kind, reload, from }: ExportedProcess): YamlValue {
  const isAlone = kind === 'scheduler' || (from.reload !== undefined && reload === 'restart')
  if (isAlone) return { type: 'Recreate' }
  const isSmooth = kind === 'web' || (from.reload !== undefined && reload === 'rolling')
  return { type: 'RollingUpdate', rollingUpdate: isSmooth ? { maxSurge: 1, maxUnavailable: 0 } : undefined }
}

/** A pod without a probe counts as available after the declared delay. */
const minReadySeconds = ({ ready }: ExportedProcess): number | undefined =>
  ready.delayMs === undefined ? undefined : atLeastOneSecond(ready.delayMs)

function job(exported: ExportedProcess, input: ExportInput): KubernetesObject {
  const several = exported.instances > 1 ? exported.instances : undefined
  return object(['batch/v1', 'Job'], exported, input, {
    parallelism: several,
    completions: several,
    // For a day the Job and its logs can be read.
    ttlSecondsAfterFinished: 86_400,
    ...jobSpec(exported, input),
  })
}

/** Kubernetes retries a Job only if the declaration says so. */
const jobSpec = (exported: ExportedProcess, input: ExportInput): Fields => ({
  backoffLimit: exported.restart.policy === 'on-failure' ? exported.restart.limit : 0,
  template: template(exported, input),
})

function cronJob(exported: ExportedProcess, input: ExportInput): KubernetesObject {
  return object(['batch/v1', 'CronJob'], exported, input, {
    schedule: exported.schedule?.cron,
    timeZone: exported.schedule?.tz,
    concurrencyPolicy: 'Forbid',
    jobTemplate: { spec: jobSpec(exported, input) },
  })
}

function service(exported: ExportedProcess, input: ExportInput): KubernetesObject {
  const ports = portsOf(exported)
  return object(['v1', 'Service'], exported, input, {
    selector: selector(exported, input),
    ports: ports.map((port) => ({ name: portName(port, ports), port, targetPort: portName(port, ports) })),
  })
}

/** While nodes are drained, Kubernetes evicts one pod after the other. */
const disruptionBudget = (exported: ExportedProcess, input: ExportInput): KubernetesObject =>
  object(['policy/v1', 'PodDisruptionBudget'], exported, input, {
    maxUnavailable: 1,
    selector: { matchLabels: selector(exported, input) },
  })

function scalerOf(exported: ExportedProcess, input: ExportInput, scaled: Autoscale): KubernetesObject {
  const { kind, spec } = scaler(exported, objectName(input, exported.name), scaled)
  return object(kind, exported, input, spec)
}
