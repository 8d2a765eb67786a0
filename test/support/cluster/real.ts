import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import type { Cluster, ClusterOptions } from './cluster.ts'
import { DEFAULT_FATES, fateOf, statusOf } from './fates.ts'
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
  const kubelet = await startLogs(t, folder, logs)
  await call('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { test: name } } })
  await call('PATCH', `/api/v1/nodes/${name}/status`, { status: nodeStatus((kubelet.address() as AddressInfo).port) })
  const kubeconfig = join(folder, 'config')
  for (const { context } of config.contexts) context.namespace = name
  writeFileSync(kubeconfig, stringify(config))
  const pods = async (): Promise<readonly Stored[]> =>
    ((await call('GET', `/api/v1/namespaces/${name}/pods`)) as { items: Stored[] }).items
  const told = new Set<string>()
  const tend = async (): Promise<void> => {
    for (const pod of await pods()) {
      const path = `/api/v1/namespaces/${name}/pods/${pod.metadata.name}`
      if (pod.metadata.deletionTimestamp !== undefined) {
        await call('DELETE', path, { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0 })
        continue
      }
      if (pod.spec['nodeName'] !== name) {
        const target = { apiVersion: 'v1', kind: 'Node', name }
        const binding = {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: pod.metadata.name, namespace: name },
          target,
        }
        await call('POST', `${path}/binding`, binding)
      }
      if (told.has(pod.metadata.uid)) continue
      told.add(pod.metadata.uid)
      await call('PATCH', `${path}/status`, { status: statusOf(pod, fateOf(pod, fates)) })
    }
  }
  const life = new AbortController()
  const tending = (async (): Promise<void> => {
    while (!life.signal.aborted) {
      // A pod may go while it is looked at.
      await tend().catch(() => {})
      await new Promise((next) => setTimeout(next, TEND_MS))
    }
  })()
  t.after(async () => {
    life.abort()
    await tending
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
async function startLogs(t: TestContext, folder: string, logs: PodLogs): Promise<Server> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-keyout', key, '-out', cert, '-days', '1', '-subj', '/CN=node']
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject])
  if (made.status !== 0) throw new Error(`openssl: ${String(made.stderr)}`)
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const url = new URL(request.url ?? '', 'https://node')
    const [, pod = ''] = /^\/containerLogs\/[^/]+\/([^/]+)\//.exec(url.pathname) ?? []
    logs.send(pod, url.searchParams, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return server
}
