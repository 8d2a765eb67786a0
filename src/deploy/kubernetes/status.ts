import type { InstanceStateName, InstanceStatus, LastExit, ProcessStatus } from '../../control/protocol.ts'
import type { ProcessKind } from '../../core/types.ts'
import type {
  ContainerStatus,
  CronJob,
  Deployment,
  Job,
  KubeObject,
  Pod,
  PodUsage,
  Service,
  Terminated,
} from './api.ts'

/** Labels of every exported or deployed object. */
const LABELS = {
  process: 'app.kubernetes.io/name',
  application: 'app.kubernetes.io/part-of',
  kind: 'app.kubernetes.io/component',
  managedBy: 'app.kubernetes.io/managed-by',
} as const

const MANAGED_BY = 'prodserver'

/** Returns a label selector for every object of an application. */
export const selectorOf = (application: string): string =>
  `${LABELS.application}=${application},${LABELS.managedBy}=${MANAGED_BY}`

/** The objects of an application, by kind. */
export interface ClusterState {
  readonly deployments: readonly Deployment[]
  readonly jobs: readonly Job[]
  readonly cronJobs: readonly CronJob[]
  readonly services: readonly Service[]
  readonly pods: readonly Pod[]
  readonly usage: readonly PodUsage[]
}

/** Returns processes and their pods in the form in which a supervisor reports them. */
export function processesOf(state: ClusterState): readonly ProcessStatus[] {
  const { deployments, jobs, cronJobs, pods } = state
  const owners = [...jobs, ...deployments, ...cronJobs]
  const names = [...new Set(owners.map(processOf))].toSorted((a, b) => rank(owners, a) - rank(owners, b))
  return names.map((name): ProcessStatus => {
    const deployment = deployments.find((one) => processOf(one) === name)
    const cronJob = cronJobs.find((one) => processOf(one) === name)
    const owner = deployment ?? cronJob ?? jobs.findLast((one) => processOf(one) === name)
    const replicas = deployment?.spec.replicas ?? (deployment ? 1 : 0)
    return {
      process: name,
      kind: kindOf(owner),
      title: 'kubernetes',
      wanted: (deployment && replicas === 0) || cronJob?.spec.suspend ? 'stopped' : 'running',
      run: deployment || cronJob ? 'always' : 'once',
      listen: listenOf(name, state),
      reload: 'rolling',
      schedule: cronJob?.spec.schedule ?? null,
      declaredInstances: replicas,
      instances: pods.filter((pod) => processOf(pod) === name).map((pod) => instanceOf(pod, state.usage)),
    }
  })
}

/** Returns the instances of all processes. */
export const instancesOf = (state: ClusterState): readonly InstanceStatus[] =>
  processesOf(state).flatMap(({ instances }) => instances)

/** A cluster without objects of the application. */
export const NOTHING: ClusterState = { deployments: [], jobs: [], cronJobs: [], services: [], pods: [], usage: [] }

/** Returns the process that an object belongs to. */
export const processOf = ({ metadata: { labels, name } }: KubeObject): string => labels?.[LABELS.process] ?? name

/** What stands first in the table is what is asked for most. */
const KIND_RANKS: Readonly<Record<ProcessKind, number>> = { web: 0, worker: 1, scheduler: 2, task: 3 }
const rank = (owners: readonly KubeObject[], name: string): number =>
  KIND_RANKS[kindOf(owners.find((owner) => processOf(owner) === name))]

function kindOf(owner: KubeObject | undefined): ProcessKind {
  const kind = owner?.metadata.labels?.[LABELS.kind]
  return kind === 'web' || kind === 'scheduler' || kind === 'task' ? kind : 'worker'
}

const listenOf = (name: string, { services }: ClusterState): readonly string[] =>
  services
    .filter((service) => processOf(service) === name)
    .flatMap(({ metadata, spec }) => (spec.ports ?? []).map(({ port }) => `${metadata.name}:${port}`))

function instanceOf(pod: Pod, usages: readonly PodUsage[]): InstanceStatus {
  const { metadata, status = {} } = pod
  const [container] = status.containerStatuses ?? []
  const { state, reason } = stateOf(pod)
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const usage = usages.find((one) => one.metadata.name === metadata.name)
  return {
    instance: metadata.name,
    process: processOf(pod),
    state,
    pid: null,
    invocation: (container?.restartCount ?? 0) + 1,
    since: ready?.lastTransitionTime ?? metadata.creationTimestamp ?? '',
    startedAt: container?.state?.running?.startedAt ?? status.startTime ?? metadata.creationTimestamp ?? null,
    readyAt: state === 'running' ? (ready?.lastTransitionTime ?? null) : null,
    restarts: container?.restartCount ?? 0,
    lastExit: lastExitOf(container),
    nextAt: null,
    waitingFor: [],
    reason,
    beside: null,
    usage: usage && {
      cpuPercent: sum(usage.containers.map((one) => quantity(one.usage.cpu) * 100)),
      memoryBytes: sum(usage.containers.map((one) => quantity(one.usage.memory))),
      processes: usage.containers.length,
    },
  }
}

/** What does not pass by waiting. https://kubernetes.io/docs/concepts/containers/images/ and the kubelet's own reasons. */
const HOPELESS = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

function stateOf({ metadata, status = {} }: Pod): { state: InstanceStateName; reason: string | null } {
  const [container] = status.containerStatuses ?? []
  if (metadata.deletionTimestamp !== undefined) return { state: 'stopping', reason: null }
  if (status.phase === 'Succeeded') return { state: 'done', reason: null }
  const waiting = container?.state?.waiting
  const words = [waiting?.reason, waiting?.message].filter(Boolean).join(': ')
  if (status.phase === 'Failed') {
    const exit = container?.state?.terminated
    return { state: 'failed', reason: status.message ?? status.reason ?? (exit ? exitWords(exit) : 'it failed') }
  }
  if (waiting?.reason === 'CrashLoopBackOff') {
    const last = container?.lastState?.terminated
    return { state: 'backoff', reason: last ? exitWords(last) : words }
  }
  if (waiting?.reason !== undefined && HOPELESS.has(waiting.reason)) return { state: 'failed', reason: words }
  const unscheduled = status.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
  if (unscheduled) return { state: 'waiting', reason: unscheduled.message ?? unscheduled.reason ?? null }
  const isReady = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  return isReady ? { state: 'running', reason: null } : { state: 'starting', reason: words || null }
}

function lastExitOf(container: ContainerStatus | undefined): LastExit | null {
  const exit = container?.state?.terminated ?? container?.lastState?.terminated
  if (!exit) return null
  const ranMs = Date.parse(exit.finishedAt ?? '') - Date.parse(exit.startedAt ?? '')
  return {
    code: exit.exitCode,
    signal: null,
    at: exit.finishedAt ?? '',
    words: exitWords(exit),
    ranMs: Number.isFinite(ranMs) ? ranMs : 0,
  }
}

/** `OOMKilled` says more than the exit code that it gave. */
const exitWords = ({ reason, exitCode }: Terminated): string =>
  reason === undefined || reason === 'Error' || reason === 'Completed'
    ? `exit ${exitCode}`
    : `${reason}, exit ${exitCode}`

const UNITS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
}

/** `250m`, `64Mi`. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
function quantity(text: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(text) ?? []
  return Number(number) * (UNITS[unit] ?? 1)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** Whether a Job has ended, and how. */
export function jobEnd({ status }: Job): 'done' | { readonly failed: string } | undefined {
  const condition = status?.conditions?.find(
    ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
  )
  if (!condition) return undefined
  return condition.type === 'Complete' ? 'done' : { failed: condition.message ?? condition.reason ?? 'it failed' }
}
