import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Cluster, ClusterOptions } from './cluster.ts'
import { startControllers } from './controllers.ts'
import { DEFAULT_FATES } from './fates.ts'
import { type Data, matchesLabels, type Stored } from './objects.ts'
import { createPodLogs } from './pod-logs.ts'
import { createStore } from './store.ts'

interface ApiServerOptions extends ClusterOptions {
  /** Answers with an error instead. */
  readonly refuses?: (request: string) => { readonly code: number; readonly message: string } | undefined
}

interface ApiServer extends Cluster {
  /** What it was asked for, `GET /api/v1/…`, in order. */
  readonly requests: readonly string[]
}

const NAMESPACE = 'shop'

/** A cluster whose API speaks as the real one does, with controllers that make pods. */
export async function startApiServer(t: TestContext, options: ApiServerOptions = {}): Promise<ApiServer> {
  const { fates = DEFAULT_FATES, prints, refuses } = options
  const store = createStore()
  const stopControllers = startControllers(store, fates)
  const requests: string[] = []
  const logs = createPodLogs(prints)
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => fail(response, 500, String(error)))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(async () => {
    stopControllers()
    server.closeAllConnections()
    await new Promise((resolve) => {
      server.close(resolve)
    })
  })
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-cluster-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const kubeconfig = join(folder, 'config')
  writeFileSync(kubeconfig, kubeconfigOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const line = `${request.method} ${url.pathname}`
    requests.push(line)
    const refused = refuses?.(line)
    if (refused) return fail(response, refused.code, refused.message)
    if (request.headers.authorization !== 'Bearer token-of-the-test') return fail(response, 401, 'Unauthorized')
    const [, group = '', plural = '', name, subresource] =
      /^\/(api\/v1|apis\/[^/]+\/[^/]+)\/namespaces\/shop\/([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/.exec(url.pathname) ??
      []
    if (KNOWN[plural] !== group) return fail(response, 404, 'the server could not find the requested resource')
    if (subresource === 'log') {
      if (!store.get(plural, name ?? '')) return fail(response, 404, `pods "${name}" not found`)
      return logs.send(name ?? '', url.searchParams, response)
    }
    if (name === undefined)
      return url.searchParams.has('watch')
        ? watch(plural, url.searchParams, response)
        : list(plural, url.searchParams, response)
    const body = request.method === 'PATCH' ? ((await readJson(request)) as Data) : {}
    if (request.method === 'PATCH' && request.headers['content-type'] === 'application/apply-patch+yaml')
      return reply(response, store.apply(plural, body as never))
    if (request.headers['content-type'] === 'application/json-patch+json')
      return reply(response, store.replace(plural, name, body as never) as Stored)
    if (!store.get(plural, name)) return fail(response, 404, `${plural} "${name}" not found`)
    if (request.method === 'DELETE') {
      store.remove(plural, name)
      return reply(response, { kind: 'Status', status: 'Success' })
    }
    return reply(
      response,
      (request.method === 'PATCH' ? store.patch(plural, name, body) : store.get(plural, name)) as Stored,
    )
  }

  function list(plural: string, query: URLSearchParams, response: ServerResponse): void {
    const items = store.list(plural).filter((object) => matchesLabels(object, query.get('labelSelector') ?? ''))
    reply(response, { kind: 'List', metadata: { resourceVersion: store.version() }, items })
  }

  function watch(plural: string, query: URLSearchParams, response: ServerResponse): void {
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

  return {
    kubeconfig,
    namespace: NAMESPACE,
    get: (plural, name) => Promise.resolve(store.get(plural, name)),
    list: (plural) => Promise.resolve(store.list(plural)),
    apply: (plural, object) => {
      store.apply(plural, object)
      return Promise.resolve()
    },
    requests,
    print: logs.print,
  }
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

function reply(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function fail(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }))
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return JSON.parse(text)
}
