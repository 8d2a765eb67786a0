import type { Data, Stored } from './objects.ts'

/** How a container fares, as its node would find out. */
type Fate =
  | { readonly is: 'ready' | 'done' | 'no-image' }
  /** It ends by itself, and is started again where it belongs to a Deployment. */
  | { readonly is: 'crash'; readonly exitCode: number }

/** Decides how the container of a pod fares. */
export type Fates = (pod: { readonly process: string; readonly image: string; readonly job: boolean }) => Fate

/** Jobs come to their end, and all else serves. */
export const DEFAULT_FATES: Fates = ({ job }) => ({ is: job ? 'done' : 'ready' })

export function fateOf(pod: Stored, fates: Fates): Fate {
  const [container] = (pod.spec['containers'] ?? []) as { image?: string }[]
  return fates({
    process: pod.metadata.labels?.['app.kubernetes.io/name'] ?? '',
    image: container?.image ?? '',
    job: isOfJob(pod),
  })
}

const isOfJob = ({ metadata }: Stored): boolean => metadata.ownerReferences?.some(({ kind }) => kind === 'Job') === true

/** The status that a kubelet gives a pod whose container fares so. */
export function statusOf(pod: Stored, fate: Fate): Data {
  const startTime = new Date().toISOString().replace(/\.\d+/, '')
  const { name = 'main', image = '' } = ((pod.spec['containers'] ?? []) as { name?: string; image?: string }[])[0] ?? {}
  const container = (state: Data, more: Data = {}): Data => ({
    name,
    image,
    imageID: '',
    restartCount: 0,
    ready: false,
    state,
    ...more,
  })
  const conditions = (ready: 'True' | 'False'): readonly Data[] =>
    ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: type === 'PodScheduled' || type === 'Initialized' ? 'True' : ready,
      lastTransitionTime: startTime,
    }))
  const status = (phase: string, ready: 'True' | 'False', containerStatus: Data): Data => ({
    phase,
    startTime,
    conditions: conditions(ready),
    containerStatuses: [containerStatus],
  })
  switch (fate.is) {
    case 'ready':
      return status('Running', 'True', container({ running: { startedAt: startTime } }, { ready: true }))
    case 'done':
      return status(
        'Succeeded',
        'False',
        container({ terminated: { exitCode: 0, reason: 'Completed', finishedAt: startTime } }),
      )
    case 'crash': {
      const terminated = { exitCode: fate.exitCode, reason: 'Error', startedAt: startTime, finishedAt: startTime }
      if (isOfJob(pod)) return status('Failed', 'False', container({ terminated }))
      const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' }
      return status('Running', 'False', container({ waiting }, { restartCount: 1, lastState: { terminated } }))
    }
    case 'no-image':
      return status(
        'Pending',
        'False',
        container({ waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image' } }),
      )
  }
}
