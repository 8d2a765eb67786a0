import { type Fates, fateOf, statusOf } from './fates.ts'
import type { Data, Stored } from './objects.ts'
import type { Store } from './store.ts'

/**
 * The controllers that make pods of Deployments and Jobs, and the node that runs them: what they do to objects, in the
 * order that the real ones do it, without running anything.
 */
export function startControllers(store: Store, fates: Fates): () => void {
  let serial = 0
  const stop = store.onChange(() => queueMicrotask(settle))
  let isSettling = false
  const timers = new Set<NodeJS.Timeout>()

  function settle(): void {
    if (isSettling) return
    isSettling = true
    try {
      for (const job of store.list('jobs')) runJob(job)
      for (const deployment of store.list('deployments')) rollOut(deployment)
      for (const pod of store.list('pods')) removeOrphan(pod)
    } finally {
      isSettling = false
    }
  }

  function startPod(owner: Stored, template: Data, name: string): void {
    const metadata = (template['metadata'] ?? {}) as Data
    store.apply('pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name, ownerReferences: [{ kind: owner.kind, name: owner.metadata.name }] },
      spec: template['spec'],
      status: { phase: 'Pending', conditions: [] },
    })
    const pod = store.get('pods', name) as Stored
    store.patch('pods', name, { status: statusOf(pod, fateOf(pod, fates)) })
  }

  function runJob(job: Stored): void {
    const { name } = job.metadata
    if (((job.status['conditions'] ?? []) as unknown[]).length > 0) return
    const pod = `${name}-pod`
    if (!store.get('pods', pod)) startPod(job, job.spec['template'] as Data, pod)
    const phase = store.get('pods', pod)?.status['phase']
    if (phase === 'Succeeded')
      store.patch('jobs', name, { status: { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] } })
    if (phase === 'Failed')
      store.patch('jobs', name, {
        status: {
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
      })
  }

  function rollOut(deployment: Stored): void {
    const { name, generation } = deployment.metadata
    const wanted = (deployment.spec['replicas'] as number | undefined) ?? 1
    const template = deployment.spec['template'] as Data
    const revision = hash(JSON.stringify(template))
    const own = store
      .list('pods')
      .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.name === name))
    const current = own.filter(({ metadata }) => metadata.name.startsWith(`${name}-${revision}-`))
    const old = own.filter((pod) => !current.includes(pod))
    const isRecreate = (deployment.spec['strategy'] as { type?: string } | undefined)?.type === 'Recreate'
    if (isRecreate) for (const pod of old) store.remove('pods', pod.metadata.name)
    for (let count = current.length; count < wanted; count++)
      startPod(deployment, template, `${name}-${revision}-${++serial}`)
    for (const pod of current.slice(wanted)) store.remove('pods', pod.metadata.name)
    const updated = store.list('pods').filter(({ metadata }) => metadata.name.startsWith(`${name}-${revision}-`))
    const ready = updated.filter(isReady).length
    // As many of the old as are not replaced yet go on.
    for (const pod of old.slice(Math.max(0, wanted - ready))) store.remove('pods', pod.metadata.name)
    const left = old.filter((pod) => store.get('pods', pod.metadata.name))
    store.patch('deployments', name, {
      status: {
        observedGeneration: generation,
        replicas: updated.length + left.length,
        updatedReplicas: updated.length,
        availableReplicas: ready + left.filter(isReady).length,
        readyReplicas: ready + left.filter(isReady).length,
      },
    })
    if (ready < wanted) giveUpLater(deployment, revision)
  }

  function giveUpLater(deployment: Stored, revision: string): void {
    const { name } = deployment.metadata
    const seconds = (deployment.spec['progressDeadlineSeconds'] as number | undefined) ?? 600
    const timer = setTimeout(() => {
      timers.delete(timer)
      const now = store.get('deployments', name)
      if (!now || hash(JSON.stringify(now.spec['template'])) !== revision) return
      const message = `ReplicaSet "${name}-${revision}" has timed out progressing.`
      store.patch('deployments', name, {
        status: { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message }] },
      })
    }, seconds * 1000)
    timers.add(timer)
  }

  function removeOrphan(pod: Stored): void {
    const [owner] = pod.metadata.ownerReferences ?? []
    if (owner && !store.get(`${owner.kind.toLowerCase()}s`, owner.name)) store.remove('pods', pod.metadata.name)
  }

  return () => {
    stop()
    for (const timer of timers) clearTimeout(timer)
  }
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
