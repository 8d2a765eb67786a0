import type { KubeObject, PodUsage } from './api.ts'
import { type KubeKind, KINDS } from './kinds.ts'
import type { ClusterAccess } from './kubeconfig.ts'
import { ClusterRefusal, send, sendJson, unreachable } from './request.ts'

interface KubeList<T extends KubeObject = KubeObject> {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly T[]
}

type Query = Readonly<Record<string, string>>

/** Name under which the cluster records the author of a field. */
const MANAGER = 'prodserver'
/** Length of a watch. A proxy may have forgotten a watch that is silent for longer. */
const WATCH_S = 20

/** The API of one cluster, in one namespace. Every call is a request of its own. */
export class KubeClient {
  readonly #access: ClusterAccess

  constructor(access: ClusterAccess) {
    this.#access = access
  }

  /** Creates or changes an object, and takes over fields that other programs have set. */
  apply(object: KubeObject): Promise<KubeObject> {
    const kind = KINDS[object.kind as keyof typeof KINDS]
    const path = this.#pathOf(kind, object.metadata.name, { fieldManager: MANAGER, force: 'true' })
    return sendJson(this.#access, { method: 'PATCH', path, body: object, type: 'application/apply-patch+yaml' })
  }

  list<T extends KubeObject>(kind: KubeKind, labels: string): Promise<KubeList<T>> {
    return sendJson(this.#access, { method: 'GET', path: this.#pathOf(kind, '', { labelSelector: labels }) })
  }

  /** Merges a patch into an object. */
  patch(kind: KubeKind, name: string, body: unknown): Promise<KubeObject> {
    const path = this.#pathOf(kind, name, { fieldManager: MANAGER })
    return sendJson(this.#access, { method: 'PATCH', path, body, type: 'application/merge-patch+json' })
  }

  /** Replaces whole values of an object, by their paths in a JSON patch. */
  replace(kind: KubeKind, name: string, values: Readonly<Record<string, unknown>>): Promise<KubeObject> {
    const body = Object.entries(values).map(([path, value]) => ({ op: 'replace', path, value }))
    const path = this.#pathOf(kind, name, { fieldManager: MANAGER })
    return sendJson(this.#access, { method: 'PATCH', path, body, type: 'application/json-patch+json' })
  }

  /** Removes an object, if it is there. */
  async remove(kind: KubeKind, name: string): Promise<void> {
    const path = this.#pathOf(kind, name, { propagationPolicy: 'Foreground' })
    await sendJson(this.#access, { method: 'DELETE', path }).catch((error: unknown) => {
      if (!(error instanceof ClusterRefusal) || error.status !== 404) throw error
    })
  }

  /** Waits until an object of the kind has changed since that version of its list, or until the watch ends. */
  async changed(kind: KubeKind, labels: string, since: string, signal: AbortSignal): Promise<void> {
    const query = { labelSelector: labels, watch: '1', resourceVersion: since, timeoutSeconds: String(WATCH_S) }
    const limit = AbortSignal.any([signal, AbortSignal.timeout((WATCH_S + 5) * 1000)])
    try {
      const response = await send(this.#access, { method: 'GET', path: this.#pathOf(kind, '', query), signal: limit })
      // The first event is a reason to read the state again, even if it is an error of the watch.
      for await (const _ of response) return
    } catch (error) {
      if (!limit.aborted) throw error
    }
  }

  /** Yields the output of a pod, line by line. */
  async *logs(pod: string, query: Query, signal?: AbortSignal): AsyncGenerator<string> {
    const path = this.#pathOf(KINDS.Pod, `${pod}/log`, query)
    const response = await send(this.#access, { method: 'GET', path, signal })
    response.setEncoding('utf8')
    let rest = ''
    try {
      for await (const part of response) {
        const lines = `${rest}${part}`.split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
    } catch (error) {
      if (!signal?.aborted) throw unreachable(this.#access, error)
    }
    if (rest !== '') yield rest
  }

  /** Reads what the pods use; undefined if the cluster measures nothing. */
  async usage(labels: string): Promise<KubeList<PodUsage> | undefined> {
    const search = new URLSearchParams({ labelSelector: labels }).toString()
    const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${this.#access.namespace}/pods?${search}`
    return sendJson<KubeList<PodUsage>>(this.#access, { method: 'GET', path }).catch((error: unknown) => {
      if (error instanceof ClusterRefusal) return undefined
      throw error
    })
  }

  #pathOf({ apiVersion, plural }: KubeKind, name: string, query: Query): string {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const search = new URLSearchParams(query).toString()
    return `${base}/namespaces/${this.#access.namespace}/${plural}${name && `/${name}`}${search && `?${search}`}`
  }
}
