import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { EXIT, ProdserverError } from '../../core/errors.ts'
import type { Env } from '../../core/types.ts'
import { nearest } from '../../core/values.ts'
import { parseYaml } from '../../export/index.ts'
import type { ConnectRequest } from '../engine.ts'

/** How a cluster is reached, and as whom. */
export interface ClusterAccess {
  /** Where this was read: a file, or the folder that a pod finds it in. */
  readonly from: string
  readonly server: string
  readonly namespace: string
  readonly tls: {
    readonly ca?: string | Buffer | undefined
    readonly cert?: string | Buffer | undefined
    readonly key?: string | Buffer | undefined
    readonly servername?: string | undefined
    readonly rejectUnauthorized?: boolean | undefined
  }
  /** `Authorization`, where the cluster wants one. */
  readonly authorization: string | undefined
}

/** The part of a kubeconfig that is made use of. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
interface KubeConfig {
  readonly 'current-context'?: string
  readonly contexts?: readonly Named<'context', { cluster: string; user: string; namespace?: string }>[]
  readonly clusters?: readonly Named<'cluster', ClusterEntry>[]
  readonly users?: readonly Named<'user', UserEntry>[]
}

type Named<Key extends string, Value> = { readonly name: string } & { readonly [key in Key]?: Value }

interface ClusterEntry {
  readonly server?: string
  readonly 'certificate-authority'?: string
  readonly 'certificate-authority-data'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
  readonly 'tls-server-name'?: string
}

interface UserEntry {
  readonly token?: string
  readonly tokenFile?: string
  readonly username?: string
  readonly password?: string
  readonly 'client-certificate'?: string
  readonly 'client-certificate-data'?: string
  readonly 'client-key'?: string
  readonly 'client-key-data'?: string
  readonly exec?: {
    readonly apiVersion?: string
    readonly command: string
    readonly args?: readonly string[] | null
    readonly env?: readonly { readonly name: string; readonly value: string }[] | null
  }
}

const IN_POD = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Finds the cluster as `kubectl` does: `--kubeconfig`, `KUBECONFIG`, `~/.kube/config`; inside a pod, the pod's own.
 *
 * @throws {ProdserverError} `E901` where there is none, or it cannot be used.
 */
export function clusterAccess(request: ConnectRequest): ClusterAccess {
  const { env, cwd, kubeconfig } = request
  const paths = kubeconfig === undefined ? (env['KUBECONFIG'] ?? '').split(':').filter(Boolean) : [kubeconfig]
  const named = paths.map((path) => resolve(cwd, path))
  const own = join(env['HOME'] ?? '/', '.kube', 'config')
  const file = named.find((path) => existsSync(path)) ?? (named.length === 0 && existsSync(own) ? own : undefined)
  if (file !== undefined) return readFile(file, request)
  if (named.length === 0 && env['KUBERNETES_SERVICE_HOST'] && existsSync(join(IN_POD, 'token'))) return fromPod(request)
  throw unusable(
    named[0] ?? own,
    named.length > 0 ? 'There is no such file.' : 'No cluster is known: there is no kubeconfig.',
    'Name it: --kubeconfig FILE, or set KUBECONFIG',
  )
}

function fromPod({ env, namespace }: ConnectRequest): ClusterAccess {
  const read = (name: string): string => readFileSync(join(IN_POD, name), 'utf8').trim()
  const host = env['KUBERNETES_SERVICE_HOST'] as string
  return {
    from: IN_POD,
    server: `https://${host.includes(':') ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
    namespace: namespace ?? read('namespace'),
    tls: { ca: read('ca.crt') },
    authorization: `Bearer ${read('token')}`,
  }
}

function readFile(file: string, request: ConnectRequest): ClusterAccess {
  const config = parse(file)
  const wanted = request.context ?? config['current-context']
  const context = find(config.contexts, wanted, { file, what: 'context', key: 'context' })
  const cluster = find(config.clusters, context.cluster, { file, what: 'cluster', key: 'cluster' })
  const user = find(config.users, context.user, { file, what: 'user', key: 'user' })
  if (!cluster.server) throw unusable(file, `The cluster ${context.cluster} has no server.`)
  const bytes = (data: string | undefined, path: string | undefined): Buffer | undefined => {
    if (data !== undefined) return Buffer.from(data, 'base64')
    return path === undefined ? undefined : readBeside(file, path)
  }
  const plugin = user.exec && runPlugin(user.exec, file, request.env)
  const token = plugin?.token ?? user.token ?? (user.tokenFile && readBeside(file, user.tokenFile).toString().trim())
  const basic = user.username === undefined ? undefined : `${user.username}:${user.password ?? ''}`
  return {
    from: file,
    server: cluster.server.replace(/\/+$/, ''),
    namespace: request.namespace ?? context.namespace ?? 'default',
    tls: {
      ca: bytes(cluster['certificate-authority-data'], cluster['certificate-authority']),
      cert: plugin?.clientCertificateData ?? bytes(user['client-certificate-data'], user['client-certificate']),
      key: plugin?.clientKeyData ?? bytes(user['client-key-data'], user['client-key']),
      servername: cluster['tls-server-name'],
      rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true,
    },
    authorization: token ? `Bearer ${token}` : basic && `Basic ${Buffer.from(basic).toString('base64')}`,
  }
}

function parse(file: string): KubeConfig {
  try {
    const value: unknown = parseYaml(readFileSync(file, 'utf8'))
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    throw unusable(file, `It cannot be read: ${(error as Error).message.split('\n')[0]}.`)
  }
  throw unusable(file, 'It is not a kubeconfig.')
}

function find<Key extends string, Value>(
  entries: readonly Named<Key, Value>[] | undefined,
  name: string | undefined,
  { file, what, key }: { file: string; what: string; key: Key },
): Value {
  const names = entries?.map((entry) => entry.name) ?? []
  if (!name) throw unusable(file, `It says no current ${what}.`, `Name one: --${what} ${names[0] ?? 'NAME'}`)
  const value = entries?.find((entry) => entry.name === name)?.[key] as Value | undefined
  if (value !== undefined) return value
  const near = nearest(name, names)
  throw unusable(
    file,
    `It has no ${what} ${JSON.stringify(name)}.`,
    near ? `Did you mean ${near}?` : `Known: ${names.join(', ')}`,
  )
}

function readBeside(file: string, path: string): Buffer {
  try {
    return readFileSync(resolve(dirname(file), path))
  } catch (error) {
    throw unusable(file, `It names a file that cannot be read: ${(error as Error).message}.`)
  }
}

interface PluginStatus {
  readonly token?: string
  readonly clientCertificateData?: string
  readonly clientKeyData?: string
}

/** Clouds give short-lived tokens by a program of theirs. https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
function runPlugin(exec: NonNullable<UserEntry['exec']>, file: string, env: Env): PluginStatus {
  const { apiVersion = 'client.authentication.k8s.io/v1', command } = exec
  const args = exec.args ?? []
  const program = command.includes('/') ? resolve(dirname(file), command) : command
  const added = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]))
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } })
  const result = spawnSync(program, [...args], {
    encoding: 'utf8',
    env: { ...env, ...added, KUBERNETES_EXEC_INFO: info },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  })
  const hint = `Try it: ${[command, ...args].join(' ')}`
  if (result.error || result.status !== 0) {
    const why = result.error?.message ?? (result.stderr.trim() || `exit ${result.status ?? result.signal}`)
    throw unusable(file, `The program that gives its credentials failed: ${why}.`, hint)
  }
  try {
    return (JSON.parse(result.stdout) as { status?: PluginStatus }).status ?? {}
  } catch {
    throw unusable(file, 'The program that gives its credentials printed no JSON.', hint)
  }
}

function unusable(place: string, message: string, hint?: string): ProdserverError {
  return new ProdserverError([{ id: 'E901', place, message, hint }], EXIT.failed)
}
