import type { ActionChange, ActionLine } from '../../control/protocol.ts'
import { EXIT } from '../../core/errors.ts'
import type { Job, KubeObject } from './api.ts'
import type { KubeClient } from './client.ts'
import { KINDS, OWN_KINDS } from './kinds.ts'
import { exitCodeOf, isNew, outcome, scheduled } from './rollout.ts'
import { type ClusterState, instancesOf, jobEnd, processOf } from './status.ts'
import type { ClusterView } from './view.ts'

/** Objects that others need before they start. Data outlives its users, so it is never removed. */
const FIRST: ReadonlySet<string> = new Set(['ConfigMap', 'ServiceAccount', 'PersistentVolumeClaim'])

/** One deployment: applies the objects, Jobs before all others, and follows the rollout to its end. */
export class ClusterDeployment {
  readonly #client: KubeClient
  readonly #view: ClusterView
  readonly #signal: AbortSignal

  constructor(client: KubeClient, view: ClusterView, signal: AbortSignal) {
    this.#client = client
    this.#view = view
    this.#signal = signal
  }

  /** @param isWhole removes the objects of the application that are not among these */
  async *run(objects: readonly KubeObject[], isWhole: boolean): AsyncGenerator<ActionLine> {
    yield { begun: true }
    const first = objects.filter(({ kind }) => FIRST.has(kind))
    const jobs = objects.filter(({ kind }) => kind === 'Job')
    const rest = objects.filter(({ kind }) => !FIRST.has(kind) && kind !== 'Job')
    for (const object of first) await this.#client.apply(object)
    for (const job of jobs) {
      const failed = yield* this.#runJob(job)
      if (this.#signal.aborted) return
      if (failed) {
        yield { result: { exitCode: EXIT.refused, changes: [failed] } }
        return
      }
    }
    const before = await this.#view.read()
    for (const object of rest) await this.#client.apply(object)
    const removed = isWhole ? await this.#prune(objects, before) : []
    const changes = yield* this.#rollOut(rest, before)
    if (this.#signal.aborted) return
    const all = [...changes, ...scheduled(rest), ...removed]
    yield { result: { exitCode: exitCodeOf(all), changes: all } }
  }

  async *#rollOut(
    objects: readonly KubeObject[],
    before: ClusterState,
  ): AsyncGenerator<ActionLine, readonly ActionChange[]> {
    const names = new Set(objects.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name))
    const changes = yield* this.#view.follow((state) => outcome(state, before, names, 'deployed'), before, this.#signal)
    if (this.#signal.aborted) return []
    return Promise.all(changes.map((change) => this.#takeBack(change, before)))
  }

  /** Puts a Deployment that did not get ready back to its last version, so that Kubernetes does not retry for ever. */
  async #takeBack(change: ActionChange, before: ClusterState): Promise<ActionChange> {
    if (change.did !== 'refused') return change
    const old = before.deployments.find((one) => processOf(one) === change.process)
    const { pods } = await this.#view.read()
    const pod = pods.find((one) => processOf(one) === change.process && isNew(one, before))
    const details = pod && (await this.#view.lastLines(pod.metadata.name))
    if (!old) return { ...change, did: 'failed', details }
    await this.#client.replace(KINDS.Deployment, old.metadata.name, { '/spec/template': old.spec.template })
    return { ...change, message: `${change.message}; the old one goes on`, details }
  }

  /** Runs a Job to its end; returns undefined if it succeeded, now or before. */
  async *#runJob(job: KubeObject): AsyncGenerator<ActionLine, ActionChange | undefined> {
    const { name } = job.metadata
    const existing = (await this.#view.read()).jobs.find(({ metadata }) => metadata.name === name)
    const end = existing && jobEnd(existing)
    if (end === 'done') {
      yield { event: this.#view.events.skipped(processOf(job), 'done before for this release') }
      return undefined
    }
    // Kubernetes neither changes nor retries a Job that has failed.
    if (end !== undefined) await this.#removeJob(name)
    await this.#client.apply(job)
    return yield* this.#awaitJob(job)
  }

  async *#awaitJob(job: KubeObject): AsyncGenerator<ActionLine, ActionChange | undefined> {
    const { name } = job.metadata
    for await (const state of this.#view.observe(this.#signal)) {
      const own = state.jobs.find(({ metadata }) => metadata.name === name)
      const end = own && jobEnd(own)
      if (end === 'done') {
        yield { event: this.#view.events.done(processOf(job)) }
        return undefined
      }
      const pods = state.pods.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.name === name))
      const message = end === undefined ? startFailure({ ...state, pods }) : `it failed: ${end.failed}`
      if (message === undefined) continue
      const details = await this.#view.lastLines(pods.at(-1)?.metadata.name ?? '')
      return { process: processOf(job), did: 'refused', message: `${message}; what runs is left alone`, details }
    }
    return undefined
  }

  async #removeJob(name: string): Promise<void> {
    await this.#client.remove(KINDS.Job, name)
    for await (const { jobs } of this.#view.observe(this.#signal))
      if (!jobs.some(({ metadata }) => metadata.name === name)) return
  }

  /** Removes the objects that are no longer declared, and the Jobs of earlier releases. */
  async #prune(objects: readonly KubeObject[], { jobs }: ClusterState): Promise<readonly ActionChange[]> {
    const wanted = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
    const changes: ActionChange[] = []
    for (const kind of OWN_KINDS) {
      for (const object of await this.#view.objects(kind)) {
        if (wanted.has(`${kind.kind} ${object.metadata.name}`)) continue
        await this.#client.remove(kind, object.metadata.name)
        if (kind === KINDS.Deployment || kind === KINDS.CronJob)
          changes.push({ process: processOf(object), did: 'removed', message: 'it is not declared any more' })
      }
    }
    for (const job of jobs)
      if (!wanted.has(`Job ${job.metadata.name}`) && jobEnd(job) && !isOwnedByCronJob(job))
        await this.#client.remove(KINDS.Job, job.metadata.name)
    return changes
  }
}

/** Returns why no pod of a Job can start; undefined if one may. */
function startFailure(state: ClusterState): string | undefined {
  const stuck = instancesOf(state).find(({ state: is, reason }) => is === 'failed' && reason?.includes('Image'))
  return stuck && `it cannot start: ${stuck.reason ?? ''}`
}

const isOwnedByCronJob = ({ metadata }: Job): boolean =>
  metadata.ownerReferences?.some(({ kind }) => kind === 'CronJob') === true
