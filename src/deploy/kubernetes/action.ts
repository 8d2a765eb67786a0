import type { ActionChange, ActionLine, ActionRequest, ProcessStatus } from '../../control/protocol.ts'

import type { Deployment } from './api.ts'
import type { KubeClient } from './client.ts'
import { KINDS, OWN_KINDS } from './kinds.ts'
import { exitCodeOf, outcome } from './rollout.ts'
import { NOTHING, processesOf, processOf } from './status.ts'
import type { ClusterView } from './view.ts'

/** Annotation that remembers the number of replicas of a stopped Deployment. */
const REPLICAS = 'prodserver/replicas'
/** Annotation whose change makes Kubernetes replace the pods. */
const RESTARTED = 'prodserver/restarted-at'

const TOO_MANY = 'A scheduler runs once: two would run every job twice.'

const DID: Readonly<Record<string, string>> = {
  scale: 'scaled',
  stop: 'stopped',
  start: 'started',
  restart: 'restarted',
  reload: 'reloaded',
}

/** One action on deployed processes: changes their Deployments and follows the rollout to its end. */
export class ClusterAction {
  readonly #client: KubeClient
  readonly #view: ClusterView
  readonly #signal: AbortSignal

  constructor(client: KubeClient, view: ClusterView, signal: AbortSignal) {
    this.#client = client
    this.#view = view
    this.#signal = signal
  }

  async *run(request: ActionRequest): AsyncGenerator<ActionLine> {
    yield { begun: true }
    const changes = request.verb === 'down' ? yield* this.#down() : yield* this.#change(request)
    if (!this.#signal.aborted) yield { result: { exitCode: exitCodeOf(changes), changes } }
  }

  async *#change({ verb, targets, counts = {} }: ActionRequest): AsyncGenerator<ActionLine, readonly ActionChange[]> {
    const before = await this.#view.read()
    const names = verb === 'scale' ? Object.keys(counts) : targets
    const chosen = before.deployments.filter((one) => names.length === 0 || names.includes(processOf(one)))
    const refused = chosen.flatMap((one) => refuse(one, verb, counts[processOf(one)]))
    if (refused.length > 0) return refused
    for (const one of chosen) await this.#apply(one, verb, counts[processOf(one)])
    const changed = new Set(chosen.map(({ metadata }) => metadata.name))
    return yield* this.#view.follow((state) => outcome(state, before, changed, DID[verb] ?? verb), before, this.#signal)
  }

  async #apply(one: Deployment, verb: string, count: string | undefined): Promise<void> {
    const { annotations } = one.metadata
    const replicas = one.spec.replicas ?? 1
    switch (verb) {
      case 'scale':
        return this.#resize(one, countOf(one, count ?? '1'), null)
      case 'stop':
        return replicas > 0 ? this.#resize(one, 0, String(replicas)) : undefined
      case 'start':
        return replicas === 0 ? this.#resize(one, Number(annotations?.[REPLICAS] ?? 1), null) : undefined
      case 'restart':
      case 'reload':
        return this.#replacePods(one)
    }
  }

  /** @param remembered the number of replicas to start again with; null to forget it */
  async #resize({ metadata }: Deployment, size: number, remembered: string | null): Promise<void> {
    await this.#client.patch(KINDS.Deployment, metadata.name, {
      metadata: { annotations: { [REPLICAS]: remembered } },
      spec: { replicas: size },
    })
  }

  async #replacePods({ metadata }: Deployment): Promise<void> {
    const annotations = { [RESTARTED]: new Date().toISOString() }
    await this.#client.patch(KINDS.Deployment, metadata.name, { spec: { template: { metadata: { annotations } } } })
  }

  /** Removes every object, and waits until no pod is left. */
  async *#down(): AsyncGenerator<ActionLine, readonly ActionChange[]> {
    const before = await this.#view.read()
    for (const kind of [...OWN_KINDS, KINDS.Job])
      for (const { metadata } of await this.#view.objects(kind)) await this.#client.remove(kind, metadata.name)
    const stopped = processesOf(before).map(({ process }): ActionChange => ({ process, did: 'stopped', message: '' }))
    return yield* this.#view.follow(
      ({ pods, deployments, jobs }) => (pods.length + deployments.length + jobs.length === 0 ? stopped : undefined),
      before,
      this.#signal,
    )
  }
}

function refuse(one: Deployment, verb: string, count: string | undefined): readonly ActionChange[] {
  const { kind } = processesOf({ ...NOTHING, deployments: [one] })[0] as ProcessStatus
  const isTooMany = verb === 'scale' && kind === 'scheduler' && countOf(one, count ?? '1') > 1
  return isTooMany ? [{ process: processOf(one), did: 'refused', message: TOO_MANY }] : []
}

/** Returns the number that `4`, `+1` or `-1` asks for. */
function countOf({ spec }: Deployment, count: string): number {
  const number = Number(count)
  return /^[+-]/.test(count) ? Math.max(0, (spec.replicas ?? 1) + number) : number
}
