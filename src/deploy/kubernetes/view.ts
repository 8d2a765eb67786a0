import type { ActionChange, ActionLine } from '../../control/protocol.ts'
import { createEvents, type Events } from '../events.ts'
import type { CronJob, Deployment, Job, KubeObject, Pod, Service } from './api.ts'
import type { KubeClient } from './client.ts'
import { type KubeKind, KINDS } from './kinds.ts'
import { ClusterRefusal } from './request.ts'
import { newsOf } from './rollout.ts'
import { type ClusterState, instancesOf, selectorOf } from './status.ts'

/** Number of lines that a failed instance shows of its output. */
const LAST_LINES = '20'
/** Longest wait for a change before the state is read again. */
const IDLE_MS = 2000

/** Reads and watches the objects of one application. */
export class ClusterView {
  readonly events: Events = createEvents()
  readonly #client: KubeClient
  readonly #labels: string

  constructor(client: KubeClient, application: string) {
    this.#client = client
    this.#labels = selectorOf(application)
  }

  async read({ usage = false } = {}): Promise<ClusterState & { readonly version: string }> {
    const client = this.#client
    const labels = this.#labels
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

  /** Lists the objects of one kind; none if the cluster does not have the kind. */
  async objects(kind: KubeKind): Promise<readonly KubeObject[]> {
    try {
      return (await this.#client.list(kind, this.#labels)).items
    } catch (error) {
      if (error instanceof ClusterRefusal && error.status === 404) return []
      throw error
    }
  }

  /** Yields the state after each change of a pod, and every two seconds, until the signal aborts. */
  async *observe(signal: AbortSignal): AsyncGenerator<ClusterState> {
    while (!signal.aborted) {
      const state = await this.read()
      yield state
      const turn = new AbortController()
      const timer = setTimeout(() => turn.abort(), IDLE_MS)
      await this.#client.changed(KINDS.Pod, this.#labels, state.version, AbortSignal.any([signal, turn.signal]))
      clearTimeout(timer)
      turn.abort()
    }
  }

  /** Yields an event for each change of an instance since `before`, until `outcome` returns the changes of processes. */
  async *follow(
    outcome: (state: ClusterState) => readonly ActionChange[] | undefined,
    before: ClusterState,
    signal: AbortSignal,
  ): AsyncGenerator<ActionLine, readonly ActionChange[]> {
    const seen = new Map(instancesOf(before).map((status) => [status.instance, newsOf(status)]))
    for await (const state of this.observe(signal)) {
      for (const status of instancesOf(state)) {
        if (seen.get(status.instance) === newsOf(status)) continue
        seen.set(status.instance, newsOf(status))
        const hasFailed = status.state === 'backoff' || status.state === 'failed'
        const event = this.events.of(status, hasFailed ? await this.lastLines(status.instance) : undefined)
        if (event) yield { event }
      }
      const changes = outcome(state)
      if (changes) return changes
    }
    return []
  }

  /** Returns the last lines that a pod printed before it failed, or else the last lines since. */
  async lastLines(pod: string): Promise<string | undefined> {
    for (const query of [{ tailLines: LAST_LINES, previous: 'true' }, { tailLines: LAST_LINES }]) {
      try {
        const lines: string[] = []
        for await (const line of this.#client.logs(pod, query)) lines.push(line)
        if (lines.length > 0) return lines.join('\n')
      } catch {
        // A pod that never started printed nothing, and its reason is reported without.
      }
    }
    return undefined
  }
}
