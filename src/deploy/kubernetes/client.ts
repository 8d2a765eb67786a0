import type { ClientRequest, IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { EXIT, ProdserverError } from '../../core/errors.ts'
import type { ClusterAccess } from './kubeconfig.ts'

/** Any object of the API. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string | undefined
    readonly labels?: Readonly<Record<string, string>> | undefined
    readonly annotations?: Readonly<Record<string, string>> | undefined
    readonly resourceVersion?: string | undefined
    readonly generation?: number | undefined
    readonly creationTimestamp?: string | undefined
    readonly deletionTimestamp?: string | undefined
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[] | undefined
  }
}

export interface KubeList<T extends KubeObject = KubeObject> {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly T[]
}

/** The API of one cluster, in one namespace. Every call is a request of its own. */
export interface KubeClient {
  readonly access: ClusterAccess
  /** Makes or changes the object to what it says, and takes over what others said of the same fields. */
  readonly apply: (object: KubeObject) => Promise<KubeObject>
  readonly list: <T extends KubeObject>(kind: KubeKind, labels: string) => Promise<KubeList<T>>
  readonly patch: (kind: KubeKind, name: string, patch: unknown, subresource?: string) => Promise<KubeObject>
  /** Puts a value in the place of what is there, whole; by its path, as in a JSON patch. */
  readonly replace: (kind: KubeKind, name: string, values: Readonly<Record<string, unknown>>) => Promise<KubeObject>
  /** Without a word where it is gone already. */
  readonly remove: (kind: KubeKind, name: string) => Promise<void>
  /** Ends when an object of that kind has changed since that version of its list, or after some time. */
  readonly changed: (kind: KubeKind, labels: string, since: string, signal: AbortSignal) => Promise<void>
  readonly logs: (pod: string, query: Readonly<Record<string, string>>, signal?: AbortSignal) => AsyncGenerator<string>
  /** Undefined where the cluster measures nothing. */
  readonly usage: (labels: string) => Promise<KubeList<PodUsage> | undefined>
}

export interface PodUsage extends KubeObject {
  readonly containers: readonly { readonly usage: { readonly cpu: string; readonly memory: string } }[]
}

/** Where the objects of a kind are. */
export interface KubeKind {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
}

const kinds = [
  ['v1', 'ConfigMap', 'configmaps'],
  ['v1', 'Service', 'services'],
  ['v1', 'ServiceAccount', 'serviceaccounts'],
  ['v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'],
  ['v1', 'Pod', 'pods'],
  ['apps/v1', 'Deployment', 'deployments'],
  ['apps/v1', 'StatefulSet', 'statefulsets'],
  ['apps/v1', 'ReplicaSet', 'replicasets'],
  ['batch/v1', 'Job', 'jobs'],
  ['batch/v1', 'CronJob', 'cronjobs'],
  ['policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'],
  ['networking.k8s.io/v1', 'Ingress', 'ingresses'],
  ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'],
  ['keda.sh/v1alpha1', 'ScaledObject', 'scaledobjects'],
] as const

/** The kinds that are made use of, by name. */
export const KINDS: Readonly<Record<(typeof kinds)[number][1], KubeKind>> = Object.fromEntries(
  kinds.map(([apiVersion, kind, plural]) => [kind, { apiVersion, kind, plural }]),
) as never

/** Who the cluster remembers as the author of a field. */
const MANAGER = 'prodserver'
const ANSWER_TIMEOUT_MS = 30_000
/** A watch that says nothing for so long may be one that a proxy has forgotten. */
const WATCH_S = 20

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly type?: string
  readonly signal?: AbortSignal | undefined
}

export function createKubeClient(access: ClusterAccess): KubeClient {
  const { namespace } = access
  const pathOf = (
    { apiVersion, plural }: KubeKind,
    name = '',
    query: Readonly<Record<string, string>> = {},
  ): string => {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const search = new URLSearchParams(query).toString()
    return `${base}/namespaces/${namespace}/${plural}${name && `/${name}`}${search && `?${search}`}`
  }
  const json = async <T>(call: Call): Promise<T> => {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    return JSON.parse(await readText(await send(access, { signal, ...call }))) as T
  }
  return {
    access,
    apply: (object) => {
      const kind = KINDS[object.kind as keyof typeof KINDS]
      const path = pathOf(kind, object.metadata.name, { fieldManager: MANAGER, force: 'true' })
      return json({ method: 'PATCH', path, body: object, type: 'application/apply-patch+yaml' })
    },
    list: (kind, labels) => json({ method: 'GET', path: pathOf(kind, '', { labelSelector: labels }) }),
    patch: (kind, name, body, subresource) => {
      const path = pathOf(kind, subresource ? `${name}/${subresource}` : name, { fieldManager: MANAGER })
      return json({ method: 'PATCH', path, body, type: 'application/merge-patch+json' })
    },
    replace: (kind, name, values) => {
      const body = Object.entries(values).map(([path, value]) => ({ op: 'replace', path, value }))
      const path = pathOf(kind, name, { fieldManager: MANAGER })
      return json({ method: 'PATCH', path, body, type: 'application/json-patch+json' })
    },
    remove: async (kind, name) => {
      const path = pathOf(kind, name, { propagationPolicy: 'Foreground' })
      await json({ method: 'DELETE', path }).catch((error: unknown) => {
        if (!(error instanceof ClusterRefusal) || error.status !== 404) throw error
      })
    },
    changed: async (kind, labels, since, signal) => {
      const query = { labelSelector: labels, watch: '1', resourceVersion: since, timeoutSeconds: String(WATCH_S) }
      const limit = AbortSignal.any([signal, AbortSignal.timeout((WATCH_S + 5) * 1000)])
      try {
        // Whatever comes first, an error of the watch included, is a reason to look again.
        for await (const _ of await send(access, { method: 'GET', path: pathOf(kind, '', query), signal: limit }))
          return
      } catch (error) {
        if (!limit.aborted) throw error
      }
    },
    logs: async function* (pod, query, signal) {
      const response = await send(access, { method: 'GET', path: pathOf(KINDS.Pod, `${pod}/log`, query), signal })
      response.setEncoding('utf8')
      let rest = ''
      try {
        for await (const part of response) {
          const lines = `${rest}${part}`.split('\n')
          rest = lines.pop() ?? ''
          yield* lines
        }
      } catch (error) {
        if (!signal?.aborted) throw unreachable(access, error)
      }
      if (rest !== '') yield rest
    },
    usage: async (labels) => {
      const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods?${new URLSearchParams({ labelSelector: labels }).toString()}`
      return json<KubeList<PodUsage>>({ method: 'GET', path }).catch((error: unknown) => {
        if (error instanceof ClusterRefusal) return undefined
        throw error
      })
    },
  }
}

/** The cluster said no. */
export class ClusterRefusal extends ProdserverError {
  readonly status: number

  constructor(access: ClusterAccess, status: number, text: string) {
    const message = messageOf(text) ?? `It answered ${status}.`
    const hint = status === 401 || status === 403 ? `Who is asking is said in ${access.from}` : undefined
    const code = status === 401 || status === 403 ? EXIT.notPermitted : EXIT.failed
    super([{ id: 'E902', place: access.server, message: `The cluster refuses: ${message}`, hint }], code)
    this.status = status
  }
}

/** The `message` of a Status object. */
function messageOf(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? `${message.replace(/\.$/, '')}.` : undefined
  } catch {
    return undefined
  }
}

async function send(
  access: ClusterAccess,
  { method, path, body, type = 'application/json', signal }: Call,
): Promise<IncomingMessage> {
  const url = new URL(access.server + path)
  const { request } = process.getBuiltinModule(url.protocol === 'http:' ? 'node:http' : 'node:https')
  const text = body === undefined ? undefined : JSON.stringify(body)
  const options: RequestOptions = {
    ...access.tls,
    method,
    signal,
    agent: false,
    headers: {
      accept: 'application/json, */*',
      ...(access.authorization !== undefined && { authorization: access.authorization }),
      ...(text !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
    },
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent: ClientRequest = request(url, options, resolve)
    sent.on('error', (error) => reject(signal?.aborted ? error : unreachable(access, error)))
    sent.end(text)
  })
  const { statusCode = 0 } = response
  if (statusCode >= 200 && statusCode < 300) return response
  throw new ClusterRefusal(access, statusCode, await readText(response))
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const part of response) text += part
  return text
}

function unreachable({ server, from }: ClusterAccess, error: unknown): ProdserverError {
  const { message, code } = error as NodeJS.ErrnoException
  const hint = `It is named in ${from}; try: kubectl cluster-info`
  return new ProdserverError(
    [{ id: 'E903', place: server, message: `The cluster cannot be reached: ${message || code}.`, hint }],
    EXIT.failed,
  )
}
