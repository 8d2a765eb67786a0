import type { ActionChange, ActionLine, ActionRequest, InstanceStatus, ProcessStatus } from '../../control/protocol.ts'
import { EXIT } from '../../core/errors.ts'
import { createEvents } from '../events.ts'
import { ClusterRefusal, KINDS, type KubeClient, type KubeKind, type KubeObject } from './client.ts'
import {
  type ClusterState,
  type CronJob,
  type Deployment,
  type Job,
  jobEnd,
  type Pod,
  processesOf,
  processOf,
  type Rollout,
  rolloutOf,
  selectorOf,
  type Service,
} from './status.ts'

/** One application on a cluster: what a supervisor is to a machine. */
export interface KubeEngine {
  readonly state: (options?: { readonly usage?: boolean }) => Promise<readonly ProcessStatus[]>
  /** Brings the objects into force, one-off processes before all others, and waits until they serve. */
  readonly deploy: (deployment: Deploying, signal: AbortSignal) => AsyncGenerator<ActionLine>
  /** `stop`, `start`, `restart`, `reload`, `scale` and `down`, of processes by their names. */
  readonly action: (request: ActionRequest, signal: AbortSignal) => AsyncGenerator<ActionLine>
  readonly logs: KubeClient['logs']
}

export interface Deploying {
  readonly objects: readonly KubeObject[]
  /** They are all there is: what else there is of the application is removed. */
  readonly isWhole: boolean
}

/** What is made for an application, what starts others first. Data outlives what uses it, and is not of these. */
const OWN_KINDS = [
  KINDS.CronJob,
  KINDS.ScaledObject,
  KINDS.HorizontalPodAutoscaler,
  KINDS.Deployment,
  KINDS.Service,
  KINDS.PodDisruptionBudget,
  KINDS.ConfigMap,
]

/** Why there is one of it alone. */
const ONE = 'A scheduler runs once: two would run every job twice.'
const REPLICAS = 'prodserver/replicas'
const RESTARTED = 'prodserver/restarted-at'
/** The last lines of a process that failed. */
const EVIDENCE_LINES = '20'
/** A watch that brings nothing new is looked past after this. */
const IDLE_MS = 2000

export function createKubeEngine(client: KubeClient, application: string): KubeEngine {
  const labels = selectorOf(application)
  const events = createEvents()

  async function look(usage = false): Promise<ClusterState & { readonly version: string }> {
    const [deployments, jobs, cronJobs, services, pods, used] = await Promise.all([
      client.list<Deployment>(KINDS.Deployment, labels),
      client.list<Job>(KINDS.Job, labels),
      client.list<CronJob>(KINDS.CronJob, labels),
      client.list<Service>(KINDS.Service, labels),
      client.list<Pod>(KINDS.Pod, labels),
      usage ? client.usage(labels) : undefined,
    ])
    return {
      deployments: deployments.items,
      jobs: jobs.items,
      cronJobs: cronJobs.items,
      services: services.items,
      pods: pods.items,
      usage: used?.items ?? [],
      version: pods.metadata.resourceVersion,
    }
  }

  /** None of a kind that the cluster has not been taught. */
  async function ownObjects(kind: KubeKind): Promise<readonly KubeObject[]> {
    try {
      return (await client.list(kind, labels)).items
    } catch (error) {
      if (error instanceof ClusterRefusal && error.status === 404) return []
      throw error
    }
  }

  /** The state again and again: after each change of a pod, and after a while in any case. */
  async function* observe(signal: AbortSignal): AsyncGenerator<ClusterState> {
    while (!signal.aborted) {
      const state = await look()
      yield state
      const turn = new AbortController()
      const timer = setTimeout(() => turn.abort(), IDLE_MS)
      await client.changed(KINDS.Pod, labels, state.version, AbortSignal.any([signal, turn.signal]))
      clearTimeout(timer)
      turn.abort()
    }
  }

  /** The last lines that a pod has printed, of this life or of the one before. */
  async function evidence(pod: string): Promise<string | undefined> {
    for (const query of [{ tailLines: EVIDENCE_LINES, previous: 'true' }, { tailLines: EVIDENCE_LINES }]) {
      try {
        const lines: string[] = []
        for await (const line of client.logs(pod, query)) lines.push(line)
        if (lines.length > 0) return lines.join('\n')
      } catch {
        // A pod that never started has printed nothing, and its reason is told without.
      }
    }
    return undefined
  }

  /** Follows pods from what they were before, until a rollout has come to its end. */
  async function* follow(
    isOver: (state: ClusterState) => readonly ActionChange[] | undefined,
    signal: AbortSignal,
    before: ClusterState,
  ): AsyncGenerator<ActionLine, readonly ActionChange[]> {
    // What there was before this began is no news.
    const seen = new Map(instancesOf(before).map((status) => [status.instance, newsOf(status)]))
    for await (const state of observe(signal)) {
      for (const status of instancesOf(state)) {
        if (seen.get(status.instance) === newsOf(status)) continue
        seen.set(status.instance, newsOf(status))
        const details =
          status.state === 'backoff' || status.state === 'failed' ? await evidence(status.instance) : undefined
        const event = events.of(status, details)
        if (event) yield { event }
      }
      const changes = isOver(state)
      if (changes) return changes
    }
    return []
  }

  return {
    state: async ({ usage = false } = {}) => processesOf(await look(usage)),
    logs: client.logs,
    deploy: (deployment, signal) => deploy(deployment, signal),
    action: (request, signal) => act(request, signal),
  }

  async function* deploy({ objects, isWhole }: Deploying, signal: AbortSignal): AsyncGenerator<ActionLine> {
    yield { begun: true }
    const first = objects.filter(
      ({ kind }) => kind === 'ConfigMap' || kind === 'ServiceAccount' || kind === 'PersistentVolumeClaim',
    )
    const jobs = objects.filter(({ kind }) => kind === 'Job')
    const rest = objects.filter((object) => !first.includes(object) && !jobs.includes(object))
    for (const object of first) await client.apply(object)
    for (const job of jobs) {
      const failed = yield* runJob(job, signal)
      if (signal.aborted) return
      if (failed) {
        yield { result: { exitCode: EXIT.refused, changes: [failed] } }
        return
      }
    }
    const before = await look()
    for (const object of rest) await client.apply(object)
    const removed = isWhole ? await prune(objects, before) : []
    const deployed = new Set(rest.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name))
    const changes = yield* follow((state) => outcome(state, before, deployed), signal, before)
    if (signal.aborted) return
    const settled = await Promise.all(changes.map((change) => takeBack(change, before)))
    const all = [...settled, ...scheduled(rest), ...removed]
    yield { result: { exitCode: exitCodeOf(all), changes: all } }
  }

  /** What does not get ready is put back to what it was: the old pods go on, and no new one is tried again and again. */
  async function takeBack(change: ActionChange, before: ClusterState): Promise<ActionChange> {
    if (change.did !== 'refused') return change
    const old = before.deployments.find((one) => processOf(one) === change.process)
    const pod = (await look()).pods.find((one) => processOf(one) === change.process && isNew(one, before))
    const details = pod && (await evidence(pod.metadata.name))
    if (!old) return { ...change, did: 'failed', details }
    await client.replace(KINDS.Deployment, old.metadata.name, { '/spec/template': old.spec.template })
    return { ...change, message: `${change.message}; the old one goes on`, details }
  }

  /** Runs to its end before anything else changes; undefined where that was good. */
  async function* runJob(job: KubeObject, signal: AbortSignal): AsyncGenerator<ActionLine, ActionChange | undefined> {
    const { name } = job.metadata
    const existing = (await look()).jobs.find(({ metadata }) => metadata.name === name)
    const before = existing && jobEnd(existing)
    if (before === 'done') {
      yield { event: events.skipped(processOf(job), 'done before for this release') }
      return undefined
    }
    // What a Job runs cannot be changed, and one that has failed is not tried again.
    if (existing && before !== undefined) await removeAndWait(KINDS.Job, name, signal)
    await client.apply(job)
    for await (const state of observe(signal)) {
      const own = state.jobs.find(({ metadata }) => metadata.name === name)
      const end = own && jobEnd(own)
      if (end === 'done') {
        yield { event: events.done(processOf(job)) }
        return undefined
      }
      const pods = state.pods.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.name === name))
      const stuck = instancesOf({ ...state, pods }).find(
        ({ state: is, reason }) => is === 'failed' && reason?.includes('Image'),
      )
      if (end === undefined && !stuck) continue
      const message = end === undefined ? `it cannot start: ${stuck?.reason ?? ''}` : `it failed: ${end.failed}`
      const details = await evidence(pods.at(-1)?.metadata.name ?? '')
      return { process: processOf(job), did: 'refused', message: `${message}; what runs is left alone`, details }
    }
    return undefined
  }

  /** What is there and not declared any more. */
  async function prune(objects: readonly KubeObject[], { jobs }: ClusterState): Promise<readonly ActionChange[]> {
    const wanted = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
    const changes: ActionChange[] = []
    for (const kind of OWN_KINDS) {
      for (const object of await ownObjects(kind)) {
        if (wanted.has(`${kind.kind} ${object.metadata.name}`)) continue
        await client.remove(kind, object.metadata.name)
        if (kind === KINDS.Deployment || kind === KINDS.CronJob)
          changes.push({ process: processOf(object), did: 'removed', message: 'it is not declared any more' })
      }
    }
    // Those of releases before have told all that they can tell.
    for (const job of jobs)
      if (!wanted.has(`Job ${job.metadata.name}`) && jobEnd(job) && !ownedByCronJob(job))
        await client.remove(KINDS.Job, job.metadata.name)
    return changes
  }

  async function* act({ verb, targets, counts = {} }: ActionRequest, signal: AbortSignal): AsyncGenerator<ActionLine> {
    yield { begun: true }
    if (verb === 'down') {
      yield* down(signal)
      return
    }
    const before = await look()
    const { deployments } = before
    const names = verb === 'scale' ? Object.keys(counts) : targets
    const chosen = deployments.filter((one) => names.length === 0 || names.includes(processOf(one)))
    const refused = chosen.flatMap((one) => refuse(one, verb, counts[processOf(one)]))
    if (refused.length > 0) {
      yield { result: { exitCode: EXIT.refused, changes: refused } }
      return
    }
    for (const one of chosen) await change(one, verb, counts[processOf(one)])
    const changed = new Set(chosen.map(({ metadata }) => metadata.name))
    const changes = yield* follow((state) => outcome(state, before, changed, DID[verb]), signal, before)
    if (!signal.aborted) yield { result: { exitCode: exitCodeOf(changes), changes } }
  }

  async function change(one: Deployment, verb: string, count: string | undefined): Promise<void> {
    const { name, annotations } = one.metadata
    const replicas = one.spec.replicas ?? 1
    const resize = (size: number, remembered: string | null): Promise<KubeObject> =>
      client.patch(KINDS.Deployment, name, {
        metadata: { annotations: { [REPLICAS]: remembered } },
        spec: { replicas: size },
      })
    if (verb === 'scale') await resize(countOf(one, count ?? '1'), null)
    else if (verb === 'stop' && replicas > 0) await resize(0, String(replicas))
    else if (verb === 'start' && replicas === 0) await resize(Number(annotations?.[REPLICAS] ?? 1), null)
    else if (verb === 'restart' || verb === 'reload') {
      const at = new Date().toISOString()
      await client.patch(KINDS.Deployment, name, {
        spec: { template: { metadata: { annotations: { [RESTARTED]: at } } } },
      })
    }
  }

  /** Removes every object, and waits until no pod is left. */
  async function* down(signal: AbortSignal): AsyncGenerator<ActionLine> {
    const before = await look()
    const names = processesOf(before).map(({ process: name }) => name)
    for (const kind of [...OWN_KINDS, KINDS.Job])
      for (const { metadata } of await ownObjects(kind)) await client.remove(kind, metadata.name)
    yield* follow(
      ({ pods, deployments, jobs }) => (pods.length + deployments.length + jobs.length === 0 ? [] : undefined),
      signal,
      before,
    )
    if (signal.aborted) return
    const changes = names.map((name): ActionChange => ({ process: name, did: 'stopped', message: '' }))
    yield { result: { exitCode: EXIT.done, changes } }
  }

  async function removeAndWait(kind: KubeKind, name: string, signal: AbortSignal): Promise<void> {
    await client.remove(kind, name)
    for await (const { jobs } of observe(signal)) if (!jobs.some(({ metadata }) => metadata.name === name)) return
  }
}

const instancesOf = (state: ClusterState): readonly InstanceStatus[] =>
  processesOf(state).flatMap(({ instances }) => instances)

/** What there is to tell of an instance; it is told once. */
const newsOf = ({ state, reason, run }: InstanceStatus): string => `${state} ${reason ?? ''} ${run}`

const NOTHING: ClusterState = { deployments: [], jobs: [], cronJobs: [], services: [], pods: [], usage: [] }
const DID: Readonly<Record<string, string>> = {
  scale: 'scaled',
  stop: 'stopped',
  start: 'started',
  restart: 'restarted',
  reload: 'reloaded',
}

function refuse(one: Deployment, verb: string, count: string | undefined): readonly ActionChange[] {
  const { kind } = processesOf({ ...NOTHING, deployments: [one] })[0] as ProcessStatus
  const isTooMany = verb === 'scale' && kind === 'scheduler' && countOf(one, count ?? '1') > 1
  return isTooMany ? [{ process: processOf(one), did: 'refused', message: ONE }] : []
}

/** `4`, `+1` and `-1`. */
function countOf({ spec }: Deployment, count: string): number {
  const number = Number(count)
  return /^[+-]/.test(count) ? Math.max(0, (spec.replicas ?? 1) + number) : number
}

/** Of these Deployments, once each has come to an end, good or bad. */
function outcome(
  state: ClusterState,
  before: ClusterState,
  names: ReadonlySet<string>,
  did = 'deployed',
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

/** A new pod that has crashed more than once, or that cannot be started, as the cluster itself says. */
function failureOf(one: Deployment, state: ClusterState, before: ClusterState): Rollout | undefined {
  const pods = state.pods.filter((pod) => processOf(pod) === processOf(one) && isNew(pod, before))
  const failing = instancesOf({ ...state, pods }).find(({ state: is }) => is === 'failed' || is === 'backoff')
  return failing && { is: 'failed', message: failing.reason ?? 'it does not start' }
}

const isNew = ({ metadata }: Pod, before: ClusterState): boolean =>
  !before.pods.some((pod) => pod.metadata.name === metadata.name)

const scheduled = (objects: readonly KubeObject[]): readonly ActionChange[] =>
  objects
    .filter(({ kind }) => kind === 'CronJob')
    .map((object) => ({ process: processOf(object), did: 'scheduled', message: (object as CronJob).spec.schedule }))

const exitCodeOf = (changes: readonly ActionChange[]): number =>
  changes.some(({ did }) => did === 'refused')
    ? EXIT.refused
    : changes.some(({ did }) => did === 'failed')
      ? EXIT.failed
      : EXIT.done

const ownedByCronJob = ({ metadata }: KubeObject): boolean =>
  metadata.ownerReferences?.some(({ kind }) => kind === 'CronJob') === true
