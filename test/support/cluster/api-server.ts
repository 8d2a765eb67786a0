import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Fates, startControllers } from './controllers.ts'
import { type Data, matchesLabels, type Stored } from './objects.ts'
import { createStore, type Store } from './store.ts'

/** A cluster whose API speaks as the real one does, with pods that run nothing. */
export interface Cluster {
  readonly kubeconfig: string
  readonly store: Store
  /** What it was asked for, `GET /api/v1/…`, in order. */
  readonly requests: readonly string[]
  /** What a pod has printed; whoever follows gets what is added. */
  readonly print: (pod: string, line: string) => void
}

export interface ClusterOptions {
  readonly fates?: Fates
  /** Lines that a pod has printed when it starts. */
  readonly prints?: (pod: string) => readonly string[]
  /** Answers with an error instead. */
  readonly refuses?: (request: string) => { readonly code: number; readonly message: string } | undefined
}

const defaults: Fates = ({ command }) => (command.includes('migrate') ? { is: 'done' } : { is: 'ready' })

export async function startCluster(t: TestContext, options: ClusterOptions = {}): Promise<Cluster> {
  const { fates = defaults, prints = () => [], refuses } = options
  const store = createStore()
  const stopControllers = startControllers(store, fates)
  const requests: string[] = []
  const printed = new Map<string, string[]>()
  const readers = new Set<(pod: string, line: string) => void>()
  const linesOf = (pod: string): string[] => {
    const lines = printed.get(pod) ?? prints(pod).map(stamp)
    printed.set(pod, lines)
    return lines
  }
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
    if (subresource === 'log') return readLog(name ?? '', url.searchParams, response)
    if (name === undefined)
      return url.searchParams.has('watch')
        ? watch(plural, url.searchParams, response)
        : list(plural, url.searchParams, response)
    const body = request.method === 'PATCH' ? ((await readJson(request)) as Data) : {}
    if (request.method === 'PATCH' && request.headers['content-type'] === 'application/apply-patch+yaml')
      return reply(response, store.apply(plural, body as never))
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

  function readLog(pod: string, query: URLSearchParams, response: ServerResponse): void {
    if (!store.get('pods', pod)) return fail(response, 404, `pods "${pod}" not found`)
    const isStamped = query.has('timestamps')
    const show = (text: string): string => `${isStamped ? text : text.slice(text.indexOf(' ') + 1)}\n`
    const since = Date.parse(query.get('sinceTime') ?? '') || 0
    const lines = linesOf(pod).filter((text) => Date.parse(text.split(' ')[0] ?? '') >= Math.floor(since / 1000) * 1000)
    const tail = query.get('tailLines')
    response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders()
    for (const text of tail === null ? lines : lines.slice(-Number(tail))) response.write(show(text))
    if (!query.has('follow')) return void response.end()
    const reader = (of: string, text: string): void => void (of === pod && response.write(show(text)))
    readers.add(reader)
    response.on('close', () => readers.delete(reader))
  }

  return {
    kubeconfig,
    store,
    requests,
    print: (pod, line) => {
      const text = stamp(line)
      linesOf(pod).push(text)
      for (const reader of readers) reader(pod, text)
    },
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

const stamp = (line: string): string => `${new Date().toISOString().replace('Z', '000000Z')} ${line}`

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
