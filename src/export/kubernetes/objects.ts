import { isOneOff, portsOf, withoutCollecting } from '../containers.ts'
import { atLeastOneSecond, type Fields, labelValue, podSpec, portName, selector } from './pod.ts'
import { type NameRule, targetName } from '../names.ts'
import type { Autoscale, AutoscaleQueue, ExportedProcess, ExportInput } from '../target.ts'
import type { YamlValue } from '../yaml.ts'

/** An object of the API, as data. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
  }
  readonly spec: Fields
}

/** RFC 1123. What a CronJob is called gets a number of 11 characters for each of its runs. */
export const KUBERNETES_NAMES: NameRule = { title: 'Kubernetes', allowed: 'a-z0-9', lowerCase: true, longest: 52 }

export const objectName = (input: Pick<ExportInput, 'name'>, process: string): string =>
  `${targetName(input.name, KUBERNETES_NAMES)}-${targetName(process, KUBERNETES_NAMES)}`

/** Everything that a cluster is told of an application: the objects of each process, in the order of the declaration. */
export const kubernetesObjects = (input: ExportInput): readonly KubernetesObject[] =>
  withoutCollecting(input.processes).processes.flatMap((exported) => objectsOf(exported, input))

/** The objects of one process. What others need stands first. */
export function objectsOf(exported: ExportedProcess, input: ExportInput): readonly KubernetesObject[] {
  if (exported.schedule !== null) return [cronJob(exported, input)]
  if (isOneOff(exported)) return [job(exported, input)]
  const scaled = autoscaleOf(exported, input)
  return [
    deployment(exported, input),
    ...(portsOf(exported).length > 0 ? [service(exported, input)] : []),
    ...(hasSeveral(exported, input) ? [disruptionBudget(exported, input)] : []),
    ...(scaled ? [scaled.queue ? byQueue(exported, input, scaled) : byProcessors(exported, input, scaled)] : []),
  ]
}

/** Labels by which an object is found, and by `prodserver ps --on kubernetes` as well. */
export const labelsOf = (exported: ExportedProcess, input: ExportInput): Record<string, string> => ({
  ...selector(exported, input),
  'app.kubernetes.io/component': exported.kind,
  'app.kubernetes.io/managed-by': 'prodserver',
  // What is to run before all else is applied by this label alone.
  ...(exported.schedule === null && exported.run !== 'always' && { 'prodserver/run': labelValue(exported.run) }),
})

function object(
  [apiVersion, kind]: readonly [string, string],
  exported: ExportedProcess,
  input: ExportInput,
  spec: Fields,
): KubernetesObject {
  const metadata = { name: objectName(input, exported.name), labels: labelsOf(exported, input) }
  return { apiVersion, kind, metadata, spec: without(spec) as Fields }
}

/** The value without what is undefined in it. */
function without(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(without)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, without(inner)]])),
  )
}

function template(exported: ExportedProcess, input: ExportInput): Fields {
  const scaled = autoscaleOf(exported, input)
  const spread = !isOneOff(exported) && hasSeveral(exported, input)
  // A share of a processor that is in use is one of what was set aside.
  const cpu = scaled && !scaled.queue ? '250m' : undefined
  return { metadata: { labels: labelsOf(exported, input) }, spec: podSpec(exported, input, { spread, cpu }) }
}

const autoscaleOf = ({ name }: ExportedProcess, { autoscale }: ExportInput): Autoscale | undefined =>
  autoscale.findLast(({ process: scaled }) => scaled === name)

const hasSeveral = (exported: ExportedProcess, input: ExportInput): boolean =>
  exported.kind !== 'scheduler' && (autoscaleOf(exported, input)?.max ?? exported.instances) > 1

function deployment(exported: ExportedProcess, input: ExportInput): KubernetesObject {
  return object(['apps/v1', 'Deployment'], exported, input, {
    // What scales it says how many there are.
    replicas: autoscaleOf(exported, input) ? undefined : exported.instances,
    revisionHistoryLimit: 3,
    strategy: strategy(exported),
    minReadySeconds: minReadySeconds(exported),
    selector: { matchLabels: selector(exported, input) },
    template: template(exported, input),
  })
}

/** Of what only one may run, the old one ends before the new one starts; of what serves, after the new one is ready. */
function strategy({ kind, reload, from }: ExportedProcess): YamlValue {
  const isAlone = kind === 'scheduler' || (from.reload !== undefined && reload === 'restart')
  if (isAlone) return { type: 'Recreate' }
  const isSmooth = kind === 'web' || (from.reload !== undefined && reload === 'rolling')
  return { type: 'RollingUpdate', rollingUpdate: isSmooth ? { maxSurge: 1, maxUnavailable: 0 } : undefined }
}

/** What cannot be asked counts as available after a while. */
const minReadySeconds = ({ ready }: ExportedProcess): number | undefined =>
  ready.delayMs === undefined ? undefined : atLeastOneSecond(ready.delayMs)

function job(exported: ExportedProcess, input: ExportInput): KubernetesObject {
  const several = exported.instances > 1 ? exported.instances : undefined
  return object(['batch/v1', 'Job'], exported, input, {
    parallelism: several,
    completions: several,
    // For a day it can be looked at.
    ttlSecondsAfterFinished: 86_400,
    ...jobSpec(exported, input),
  })
}

/** It is tried again only where that is declared. */
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

/** While nodes are drained, one after the other goes. */
const disruptionBudget = (exported: ExportedProcess, input: ExportInput): KubernetesObject =>
  object(['policy/v1', 'PodDisruptionBudget'], exported, input, {
    maxUnavailable: 1,
    selector: { matchLabels: selector(exported, input) },
  })

const byProcessors = (exported: ExportedProcess, input: ExportInput, { min, max }: Autoscale): KubernetesObject =>
  object(['autoscaling/v2', 'HorizontalPodAutoscaler'], exported, input, {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: objectName(input, exported.name) },
    minReplicas: min,
    maxReplicas: max,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 75 } } }],
  })

/** How many messages may wait for each replica. */
const WAITING = '10'

/** An object of KEDA, https://keda.sh, which the cluster must have. */
const byQueue = (exported: ExportedProcess, input: ExportInput, { min, max, queue }: Autoscale): KubernetesObject =>
  object(['keda.sh/v1alpha1', 'ScaledObject'], exported, input, {
    scaleTargetRef: { name: objectName(input, exported.name) },
    minReplicaCount: min,
    maxReplicaCount: max,
    triggers: queue ? queuesOf(exported, queue).map((name) => trigger(name, queue)) : [],
  })

const trigger = (name: string, { broker, variable }: AutoscaleQueue): Fields =>
  broker === 'rabbitmq'
    ? {
        type: 'rabbitmq',
        metadata: { hostFromEnv: variable, protocol: 'amqp', queueName: name, mode: 'QueueLength', value: WAITING },
      }
    : { type: 'redis', metadata: { addressFromEnv: variable, listName: name, listLength: WAITING } }

/** Those that are named, else those that Celery is told to take from, else its usual one. */
function queuesOf({ argv }: ExportedProcess, { names }: AutoscaleQueue): readonly string[] {
  if (names.length > 0) return names
  const at = argv.indexOf('-Q')
  const given = at >= 0 ? argv[at + 1] : argv.find((word) => word.startsWith('--queues='))?.slice('--queues='.length)
  return given?.split(',') ?? ['celery']
}

const NAME = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)'
const FIELD = new RegExp(String.raw`^(?:[*?]|\d+|${NAME})(?:-(?:\d+|${NAME}))?(?:/\d+)?$`, 'i')

/** Why Kubernetes cannot read a schedule; undefined where it can. */
export function scheduleProblem(cron: string): string | undefined {
  if (cron.startsWith('@')) return undefined
  const fields = cron.trim().split(/\s+/)
  if (fields.length !== 5) return 'A schedule of Kubernetes has five fields, and no seconds.'
  const odd = fields.find((field) => !field.split(',').every((part) => FIELD.test(part)))
  if (odd !== undefined) return `Kubernetes cannot read ${JSON.stringify(odd)} in a schedule.`
  return /(^|[,-])7([,-]|$)/.test(fields[4] ?? '') ? 'Sunday is 0 for Kubernetes, and there is no 7.' : undefined
}
