import type { IncomingMessage, ServerResponse } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Cluster, ClusterOptions } from './cluster.ts'
import { startControllers } from './controllers.ts'
import { DEFAULT_FATES } from './fates.ts'
import { type Data, matchesLabels, type Stored } from './objects.ts'
import { readJson, replyJson, serveApi } from './http.ts'
import { createPodLogs, type PodLogs } from './pod-logs.ts'
import { createStore, type Store } from './store.ts'

interface ApiServerOptions extends ClusterOptions {
  /** Answers with an error instead. */
  readonly refuses?: (request: string) => { readonly code: number; readonly message: string } | undefined
}

interface ApiServer extends Cluster {
  /** What it was asked for, `GET /api/v1/…`, in order. */
  readonly requests: readonly string[]
}

const NAMESPACE = 'shop'

/** Starts a fake of the Kubernetes API with the controllers that make pods. */
export async function startApiServer(t: TestContext, options: ApiServerOptions = {}): Promise<ApiServer> {
  const { fates = DEFAULT_FATES, prints, refuses } = options
  const store = createStore()
  t.after(startControllers(store, fates))
  const api: Api = { store, logs: createPodLogs(prints), requests: [], refuses }
  const address = await serveApi(t, (request, response) => answer(api, request, response))
  return {
    kubeconfig: writeKubeconfig(t, address),
    namespace: NAMESPACE,
    get: (plural, name) => Promise.resolve(store.get(plural, name)),
    list: (plural) => Promise.resolve(store.list(plural)),
    apply: (plural, object) => {
      store.apply(plural, object)
      return Promise.resolve()
    },
    requests: api.requests,
    print: api.logs.print,
  }
}

interface Api {
  readonly store: Store
  readonly logs: PodLogs
  readonly requests: string[]
  readonly refuses: ApiServerOptions['refuses']
}

/** `/api/v1/namespaces/shop/pods/NAME/log`, in groups: API group, plural, name and subresource. */
const RESOURCE = /^\/(api\/v1|apis\/[^/]+\/[^/]+)\/namespaces\/shop\/([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/

async function answer(api: Api, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { store } = api
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const line = `${request.method} ${pathname}`
  api.requests.push(line)
  const refused = api.refuses?.(line)
  if (refused) return fail(response, refused.code, refused.message)
  if (request.headers.authorization !== 'Bearer token-of-the-test') return fail(response, 401, 'Unauthorized')
  const [, group = '', plural = '', name, subresource] = RESOURCE.exec(pathname) ?? []
  if (KNOWN[plural] !== group) return fail(response, 404, 'the server could not find the requested resource')
  if (name === undefined)
    return searchParams.has('watch')
      ? watch(store, plural, searchParams, response)
      : list(store, plural, searchParams, response)
  if (subresource !== 'log') return answerObject(store, plural, name, request, response)
  if (!store.get(plural, name)) return fail(response, 404, `pods "${name}" not found`)
  return api.logs.send(name, searchParams, response)
}

async function answerObject(
  store: Store,
  plural: string,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method, headers } = request
  const body = method === 'PATCH' ? ((await readJson(request)) as Data) : {}
  if (method === 'PATCH' && headers['content-type'] === 'application/apply-patch+yaml')
    return replyJson(response, store.apply(plural, body as never))
  if (headers['content-type'] === 'application/json-patch+json')
    return replyJson(response, store.replace(plural, name, body as never) as Stored)
  if (!store.get(plural, name)) return fail(response, 404, `${plural} "${name}" not found`)
  if (method === 'DELETE') {
    store.remove(plural, name)
    return replyJson(response, { kind: 'Status', status: 'Success' })
  }
  const object = method === 'PATCH' ? store.patch(plural, name, body) : store.get(plural, name)
  return replyJson(response, object as Stored)
}

function list(store: Store, plural: string, query: URLSearchParams, response: ServerResponse): void {
  const items = store.list(plural).filter((object) => matchesLabels(object, query.get('labelSelector') ?? ''))
  replyJson(response, { kind: 'List', metadata: { resourceVersion: store.version() }, items })
}

function watch(store: Store, plural: string, query: URLSearchParams, response: ServerResponse): void {
  const selector = query.get('labelSelector') ?? ''
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
  const send = (type: string, object: Stored): void => void response.write(`${JSON.stringify({ type, object })}\n`)
  const since = Number(query.get('resourceVersion') ?? 0)
  for (const object of store.list(plural))
    if (Number(object.metadata.resourceVersion) > since && matchesLabels(object, selector)) send('MODIFIED', object)
  const stop = store.onChange((kind, type, object) => {
    if (kind === plural && matchesLabels(object, selector)) send(type, object)
  })
  response.on('close', stop)
}

const KNOWN: Readonly<Record<string, string>> = {
  configmaps: 'api/v1',
  services: 'api/v1',
  pods: 'api/v1',
  serviceaccounts: 'api/v1',
  deployments: 'apis/apps/v1',
  jobs: 'apis/batch/v1',
  cronjobs: 'apis/batch/v1',
  poddisruptionbudgets: 'apis/policy/v1',
  horizontalpodautoscalers: 'apis/autoscaling/v2',
}

function writeKubeconfig(t: TestContext, server: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-cluster-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'config')
  writeFileSync(file, kubeconfigOf(server))
  return file
}

const kubeconfigOf = (server: string): string => `apiVersion: v1
kind: Config
current-context: test
contexts:
  - name: test
    context: { cluster: here, user: me, namespace: shop }
clusters:
  - name: here
    cluster: { server: "${server}" }
users:
  - name: me
    user: { token: token-of-the-test }
`

const fail = (response: ServerResponse, code: number, message: string): void =>
  replyJson(response, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }, code)
