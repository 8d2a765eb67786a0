import { type Fates, fateOf, statusOf } from './fates.ts'
import type { Data, Stored } from './objects.ts'
import type { Store } from './store.ts'

/**
 * Starts the controllers that make pods of Deployments and Jobs, and the node that runs the pods. They change objects in
 * the order of the real ones and run nothing. @returns a function that stops them
 */
export function startControllers(store: Store, fates: Fates): () => void {
  const controllers = new Controllers(store, fates)
  return () => controllers.stop()
}

class Controllers {
  readonly #store: Store
  readonly #fates: Fates
  readonly #unsubscribe: () => void
  readonly #timers = new Set<NodeJS.Timeout>()
  #serial = 0
  #isSettling = false

  constructor(store: Store, fates: Fates) {
    this.#store = store
    this.#fates = fates
    this.#unsubscribe = store.onChange(() => queueMicrotask(() => this.#settle()))
  }

  stop(): void {
    this.#unsubscribe()
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #settle(): void {
    if (this.#isSettling) return
    this.#isSettling = true
    try {
      for (const job of this.#store.list('jobs')) this.#runJob(job)
      for (const deployment of this.#store.list('deployments')) this.#rollOut(deployment)
      for (const pod of this.#store.list('pods')) this.#removeOrphan(pod)
    } finally {
      this.#isSettling = false
    }
  }

  #startPod(owner: Stored, template: Data, name: string): void {
    const metadata = (template['metadata'] ?? {}) as Data
    this.#store.apply('pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name, ownerReferences: [{ kind: owner.kind, name: owner.metadata.name }] },
      spec: template['spec'],
      status: { phase: 'Pending', conditions: [] },
    })
    const pod = this.#store.get('pods', name) as Stored
    this.#store.patch('pods', name, { status: statusOf(pod, fateOf(pod, this.#fates)) })
  }

  #runJob(job: Stored): void {
    const { name } = job.metadata
    if (((job.status['conditions'] ?? []) as unknown[]).length > 0) return
    const pod = `${name}-pod`
    if (!this.#store.get('pods', pod)) this.#startPod(job, job.spec['template'] as Data, pod)
    const status = JOB_STATUS[String(this.#store.get('pods', pod)?.status['phase'])]
    if (status) this.#store.patch('jobs', name, { status })
  }

  #rollOut(deployment: Stored): void {
    const { name } = deployment.metadata
    const wanted = (deployment.spec['replicas'] as number | undefined) ?? 1
    const template = deployment.spec['template'] as Data
    const revision = hash(JSON.stringify(template))
    const isCurrent = ({ metadata }: Stored): boolean => metadata.name.startsWith(`${name}-${revision}-`)
    const own = this.#podsOf(name)
    const current = own.filter(isCurrent)
    const old = own.filter((pod) => !isCurrent(pod))
    const isRecreate = (deployment.spec['strategy'] as { type?: string } | undefined)?.type === 'Recreate'
    if (isRecreate) this.#removePods(old)
    for (let count = current.length; count < wanted; count++)
      this.#startPod(deployment, template, `${name}-${revision}-${++this.#serial}`)
    this.#removePods(current.slice(wanted))
    const updated = this.#store.list('pods').filter(isCurrent)
    const ready = updated.filter(isReady).length
    // Each new pod that is ready replaces an old one.
    this.#removePods(old.slice(Math.max(0, wanted - ready)))
    this.#reportRollout(
      deployment,
      updated,
      old.filter((pod) => this.#store.get('pods', pod.metadata.name)),
    )
    if (ready < wanted) this.#giveUpLater(deployment, revision)
  }

  #podsOf(deployment: string): readonly Stored[] {
    return this.#store
      .list('pods')
      .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.name === deployment))
  }

  #removePods(pods: readonly Stored[]): void {
    for (const pod of pods) this.#store.remove('pods', pod.metadata.name)
  }

  #reportRollout({ metadata }: Stored, updated: readonly Stored[], left: readonly Stored[]): void {
    const available = [...updated, ...left].filter(isReady).length
    const status = {
      observedGeneration: metadata.generation,
      replicas: updated.length + left.length,
      updatedReplicas: updated.length,
      availableReplicas: available,
      readyReplicas: available,
    }
    this.#store.patch('deployments', metadata.name, { status })
  }

  #giveUpLater(deployment: Stored, revision: string): void {
    const { name } = deployment.metadata
    const seconds = (deployment.spec['progressDeadlineSeconds'] as number | undefined) ?? 600
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const now = this.#store.get('deployments', name)
      if (!now || hash(JSON.stringify(now.spec['template'])) !== revision) return
      const message = `ReplicaSet "${name}-${revision}" has timed out progressing.`
      this.#store.patch('deployments', name, {
        status: { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message }] },
      })
    }, seconds * 1000)
    this.#timers.add(timer)
  }

  #removeOrphan(pod: Stored): void {
    const [owner] = pod.metadata.ownerReferences ?? []
    if (owner && !this.#store.get(`${owner.kind.toLowerCase()}s`, owner.name)) this.#removePods([pod])
  }
}

/** Status of a Job by the phase of its pod. */
const JOB_STATUS: Readonly<Record<string, Data>> = {
  Succeeded: { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] },
  Failed: {
    failed: 1,
    conditions: [
      {
        type: 'Failed',
        status: 'True',
        reason: 'BackoffLimitExceeded',
        message: 'Job has reached the specified backoff limit',
      },
    ],
  },
}

const isReady = ({ status }: Stored): boolean =>
  ((status['conditions'] ?? []) as { type: string; status: string }[]).some(
    ({ type, status: is }) => type === 'Ready' && is === 'True',
  )

function hash(text: string): string {
  let value = 5381
  for (const character of text) value = (value * 33 + (character.codePointAt(0) as number)) >>> 0
  return value.toString(36)
}
