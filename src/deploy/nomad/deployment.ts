import type { ActionChange, ActionLine } from '../../control/protocol.ts'
import { createEvents, type Events } from '../events.ts'
import type { Allocation, DeploymentStatus, Evaluation, NomadClient, NomadJob } from './client.ts'

/** Time between two questions to the cluster. */
const LOOK_MS = 500
/** Metadata of a job with the release that it last ran for. */
const RELEASE = 'prodserver_release'

/** One deployment: registers jobs and follows each to its end. */
export class NomadDeployment {
  readonly #client: NomadClient
  readonly #signal: AbortSignal
  readonly #events: Events = createEvents()

  constructor(client: NomadClient, signal: AbortSignal) {
    this.#client = client
    this.#signal = signal
  }

  /**
   * Runs a batch job to its end; returns undefined if it succeeded, now or before.
   *
   * @param released names of the processes that run once per release; the others run at each deployment
   */
  async *runToCompletion(
    job: NomadJob,
    released: ReadonlySet<string>,
    release: string | undefined,
  ): AsyncGenerator<ActionLine, ActionChange | undefined> {
    const name = groupsOf(job)[0] ?? job.ID
    const own = released.has(name) ? (release ?? JSON.stringify(job)) : new Date().toISOString()
    if (await this.#isDone(job.ID, own)) {
      yield { event: this.#events.skipped(name, 'done before for this release') }
      return undefined
    }
    const { JobModifyIndex } = await this.#client.register({ ...job, Meta: { ...job.Meta, [RELEASE]: own } })
    for await (const allocations of this.#look(() => this.#client.allocations(job.ID))) {
      const newest = allocations.filter(({ CreateIndex }) => CreateIndex >= JobModifyIndex)
      if (newest.some(isComplete)) {
        yield { event: this.#events.done(name) }
        return undefined
      }
      const failed = newest.find(({ ClientStatus }) => ClientStatus === 'failed')
      if (!failed) continue
      const message = `it failed: ${whyOf(failed)}; what runs is left alone`
      return { process: name, did: 'refused', message, details: await this.#client.lastLines(failed.ID, name) }
    }
    return undefined
  }

  async #isDone(job: string, release: string): Promise<boolean> {
    const before = await this.#client.job(job)
    return before?.Meta?.[RELEASE] === release && (await this.#client.allocations(job)).some(isComplete)
  }

  /** Registers a job that Nomad starts by its schedule. */
  async schedule(job: NomadJob): Promise<readonly ActionChange[]> {
    await this.#client.register(job)
    const { Spec, Specs } = job.Periodic ?? {}
    const message = Spec || (Specs ?? []).join(', ')
    return groupsOf(job).map((process) => ({ process, did: 'scheduled', message }))
  }

  /** Registers a job of services, and follows the deployment that Nomad makes of it. */
  async *rollOut(job: NomadJob): AsyncGenerator<ActionLine, readonly ActionChange[]> {
    const evaluation = await this.#evaluate(job)
    if (evaluation === undefined) return []
    if (isRefused(evaluation))
      return groupsOf(job).map((name) => refused(name, evaluation.StatusDescription ?? evaluation.Status))
    // Nomad makes no deployment if the job is unchanged.
    if (!evaluation.DeploymentID) return changed(job, 'unchanged')
    return yield* this.#follow(job, evaluation.DeploymentID)
  }

  /** Registers a job, and returns the evaluation once it has come to a deployment or an end; undefined after an abort. */
  async #evaluate(job: NomadJob): Promise<Evaluation | undefined> {
    const { EvalID } = await this.#client.register(job)
    for await (const evaluation of this.#look(() => this.#client.evaluation(EvalID)))
      if (isRefused(evaluation) || evaluation.DeploymentID || evaluation.Status === 'complete') return evaluation
    return undefined
  }

  async *#follow(job: NomadJob, id: string): AsyncGenerator<ActionLine, readonly ActionChange[]> {
    const reported = new Set<string>()
    for await (const deployment of this.#look(() => this.#client.deployment(id))) {
      const allocations = (await this.#client.allocations(job.ID)).filter(({ DeploymentID }) => DeploymentID === id)
      for (const one of allocations) {
        const type = eventOf(one)
        if (type === undefined || reported.has(`${one.ID} ${type}`)) continue
        reported.add(`${one.ID} ${type}`)
        const message = type === 'ready' ? 'ready' : whyOf(one)
        yield { event: this.#events.make(type, one.TaskGroup, instanceOf(one), message) }
      }
      if (deployment.Status === 'successful') return changed(job, 'deployed')
      if (deployment.Status === 'failed' || deployment.Status === 'cancelled')
        return Promise.all(groupsOf(job).map((name) => this.#failure(name, deployment, allocations)))
    }
    return []
  }

  /** Returns the change of one group of a failed deployment. Nomad reverts all groups of the job. */
  async #failure(
    name: string,
    deployment: DeploymentStatus,
    allocations: readonly Allocation[],
  ): Promise<ActionChange> {
    const group = deployment.TaskGroups[name]
    const bad = allocations.find((one) => one.TaskGroup === name && isUnhealthy(one))
    if (bad) return { ...refused(name, whyOf(bad)), details: await this.#client.lastLines(bad.ID, name) }
    if (group && group.HealthyAllocs >= group.DesiredTotal) return { process: name, did: 'deployed', message: '' }
    return refused(name, deployment.StatusDescription)
  }

  /** Asks again and again, until the signal aborts. */
  async *#look<T>(ask: () => Promise<T>): AsyncGenerator<T> {
    while (!this.#signal.aborted) {
      yield await ask()
      await new Promise((next) => setTimeout(next, LOOK_MS))
    }
  }
}

const groupsOf = ({ TaskGroups }: NomadJob): readonly string[] => TaskGroups.map(({ Name }) => Name)

const changed = ({ TaskGroups }: NomadJob, did: 'deployed' | 'unchanged'): readonly ActionChange[] =>
  TaskGroups.map(({ Name, Count }) => ({ process: Name, did, message: `${Count} of ${Count}` }))

const isRefused = ({ Status }: Evaluation): boolean => Status === 'failed' || Status === 'canceled'

/** The exported job has `auto_revert`, so Nomad goes back to the last healthy version. */
const refused = (name: string, why: string): ActionChange => ({
  process: name,
  did: 'refused',
  message: `${why.replace(/\.$/, '')}; the version before comes back`,
})

const isComplete = ({ ClientStatus }: Allocation): boolean => ClientStatus === 'complete'

const isUnhealthy = ({ ClientStatus, DeploymentStatus }: Allocation): boolean =>
  ClientStatus === 'failed' || DeploymentStatus?.Healthy === false

function eventOf({ ClientStatus, DeploymentStatus }: Allocation): 'ready' | 'failed' | undefined {
  if (DeploymentStatus?.Healthy) return 'ready'
  return ClientStatus === 'failed' ? 'failed' : undefined
}

/** `web[0]`, and the beginning of the allocation's id. */
const instanceOf = ({ Name, ID }: Allocation): string => `${Name.replace(/^.*\./, '')} ${ID.slice(0, 8)}`

/** Returns the last message of Nomad on the task that failed. */
function whyOf({ TaskStates, ClientStatus }: Allocation): string {
  const states = Object.values(TaskStates ?? {})
  const state = states.find(({ Failed }) => Failed) ?? states[0]
  const messages = (state?.Events ?? []).flatMap(({ DisplayMessage }) => DisplayMessage ?? [])
  return messages.find((text) => /exit|fail|error/i.test(text)) ?? messages.at(-1) ?? ClientStatus
}
