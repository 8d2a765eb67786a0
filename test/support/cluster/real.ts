import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import type { Cluster, ClusterOptions } from './cluster.ts'
import { DEFAULT_FATES, fateOf, type Fates, statusOf } from './fates.ts'
import { listenUntilEnd } from './http.ts'
import type { Data, Stored } from './objects.ts'
import { createPodLogs, type PodLogs } from './pod-logs.ts'

/**
 * A namespace of a real control plane, with a node of its own. What the node's kubelet says of pods is made up here; all
 * else (what is applied, controllers, rollouts, garbage collection) is the real thing.
 */
export async function useRealCluster(t: TestContext, file: string, options: ClusterOptions): Promise<Cluster> {
  const { fates = DEFAULT_FATES, prints } = options
  const logs = createPodLogs(prints)
  const name = `test-${randomBytes(4).toString('hex')}`
  const config = parse(readFileSync(file, 'utf8')) as KubeConfig
  const call = connect(config)
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-cluster-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const kubeletPort = await startLogs(t, folder, logs)
  await call('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { test: name } } })
  await call('PATCH', `/api/v1/nodes/${name}/status`, { status: nodeStatus(kubeletPort) })
  const kubeconfig = join(folder, 'config')
  for (const { context } of config.contexts) context.namespace = name
  writeFileSync(kubeconfig, stringify(config))
  const stopNode = runNode(call, name, fates)
  t.after(async () => {
    await stopNode()
    await call('DELETE', `/api/v1/namespaces/${name}`)
    await call('DELETE', `/api/v1/nodes/${name}`)
  })
  const pathOf = (plural: string): string => `/${GROUPS[plural] ?? 'api/v1'}/namespaces/${name}/${plural}`
  return {
    kubeconfig,
    namespace: name,
    get: async (plural, object) => {
      const found = (await call('GET', `${pathOf(plural)}/${object}`)) as Stored & { code?: number }
      return found.code === 404 ? undefined : found
    },
    list: async (plural) => ((await call('GET', pathOf(plural))) as { items: Stored[] }).items,
    apply: async (plural, object) => {
      const { name: own } = object['metadata'] as { name: string }
      const applied = await call(
        'PATCH',
        `${pathOf(plural)}/${own}?fieldManager=test&force=true`,
        object,
        'application/apply-patch+yaml',
      )
      if ((applied as { code?: number }).code !== undefined) throw new Error(JSON.stringify(applied))
    },
    print: logs.print,
  }
}

const TEND_MS = 100

/** Plays the kubelet of a node: binds pods to it, reports their status, and removes deleted pods. @returns its stop */
function runNode(call: Call, name: string, fates: Fates): () => Promise<void> {
  const life = new AbortController()
  const reported = new Set<string>()
  const tend = async (): Promise<void> => {
    const { items } = (await call('GET', `/api/v1/namespaces/${name}/pods`)) as { items: readonly Stored[] }
    for (const pod of items) await tendPod(call, name, pod, reportOnce)
  }
  const reportOnce = (pod: Stored): Data | undefined => {
    if (reported.has(pod.metadata.uid)) return undefined
    reported.add(pod.metadata.uid)
    return statusOf(pod, fateOf(pod, fates))
  }
  const tending = (async (): Promise<void> => {
    while (!life.signal.aborted) {
      // The control plane may remove a pod at any time.
      await tend().catch(() => {})
      await new Promise((next) => setTimeout(next, TEND_MS))
    }
  })()
  return () => {
    life.abort()
    return tending
  }
}

async function tendPod(
  call: Call,
  node: string,
  pod: Stored,
  statusToReport: (pod: Stored) => Data | undefined,
): Promise<void> {
  const { name, deletionTimestamp } = pod.metadata
  const path = `/api/v1/namespaces/${node}/pods/${name}`
  if (deletionTimestamp !== undefined) {
    await call('DELETE', path, { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 })
    return
  }
  if (pod.spec['nodeName'] !== node) {
    const target = { apiVersion: 'v1', kind: 'Node', name: node }
    const metadata = { name, namespace: node }
    await call('POST', `${path}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata, target })
  }
  const status = statusToReport(pod)
  if (status) await call('PATCH', `${path}/status`, { status })
}

const GROUPS: Readonly<Record<string, string>> = {
  deployments: 'apis/apps/v1',
  replicasets: 'apis/apps/v1',
  jobs: 'apis/batch/v1',
  cronjobs: 'apis/batch/v1',
}

interface KubeConfig {
  readonly clusters: {
    cluster: { server: string; 'certificate-authority-data'?: string; 'insecure-skip-tls-verify'?: boolean }
  }[]
  readonly contexts: { context: { namespace?: string } }[]
  readonly users: { user: { token?: string } }[]
}

type Call = (method: string, path: string, body?: Data, type?: string) => Promise<unknown>

/** The API as it is, without the client that is tested. */
function connect({ clusters, users }: KubeConfig): Call {
  const { server } = clusters[0]?.cluster ?? { server: '' }
  const { token = '' } = users[0]?.user ?? {}
  return (method, path, body, type = 'application/merge-patch+json') =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      const headers = {
        // Node leaves it out of a DELETE.
        'content-length': Buffer.byteLength(text),
        authorization: `Bearer ${token}`,
        'content-type': method === 'PATCH' ? type : 'application/json',
      }
      const sent = httpsRequest(`${server}${path}`, { method, headers, rejectUnauthorized: false }, (response) => {
        let answer = ''
        response.setEncoding('utf8').on('data', (part: string) => (answer += part))
        response.on('end', () => {
          if (answer.startsWith('{')) resolve(JSON.parse(answer))
          else reject(new Error(`${method} ${path}: ${answer}`))
        })
      })
      sent.on('error', reject)
      sent.end(text)
    })
}

/** What a node has to say of itself so that pods may be on it, and their logs be asked of it. */
const nodeStatus = (port: number): Data => ({
  addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
  daemonEndpoints: { kubeletEndpoint: { Port: port } },
  allocatable: { cpu: '64', memory: '256Gi', pods: '1000' },
  capacity: { cpu: '64', memory: '256Gi', pods: '1000' },
  conditions: [{ type: 'Ready', status: 'True', reason: 'Test', lastHeartbeatTime: null, lastTransitionTime: null }],
})

/** The kubelet's door for logs, which the API server asks. */
async function startLogs(t: TestContext, folder: string, logs: PodLogs): Promise<number> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=node']
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject])
  if (made.status !== 0) throw new Error(`openssl: ${String(made.stderr)}`)
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const url = new URL(request.url ?? '', 'https://node')
    const [, pod = ''] = /^\/containerLogs\/[^/]+\/([^/]+)\//.exec(url.pathname) ?? []
    logs.send(pod, url.searchParams, response)
  })
  return listenUntilEnd(t, server)
}
