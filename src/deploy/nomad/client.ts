import type { ClientRequest, IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { readFileSync } from 'node:fs'
import { EXIT, ProdserverError } from '../../core/errors.ts'
import type { Env } from '../../core/types.ts'

/** The HTTP API of Nomad, as far as a deployment needs it. https://developer.hashicorp.com/nomad/api-docs */
export interface NomadClient {
  readonly address: string
  /** The job that a file in HCL describes, as Nomad itself reads it. */
  readonly parse: (hcl: string) => Promise<NomadJob>
  readonly job: (id: string) => Promise<NomadJob | undefined>
  /** Registers a job, and returns the evaluation that brings it into force; empty for a periodic one. */
  readonly register: (job: NomadJob) => Promise<{ readonly EvalID: string; readonly JobModifyIndex: number }>
  readonly evaluation: (id: string) => Promise<Evaluation>
  readonly deployment: (id: string) => Promise<NomadDeployment>
  readonly allocations: (job: string) => Promise<readonly Allocation[]>
  /** The end of what a task has printed. */
  readonly lastLines: (allocation: string, task: string) => Promise<string | undefined>
}

export interface NomadJob {
  readonly ID: string
  readonly Type: string
  readonly Status?: string
  readonly Periodic?: { readonly Spec?: string; readonly Specs?: readonly string[] } | null
  readonly TaskGroups: readonly { readonly Name: string; readonly Count: number }[]
  readonly Meta?: Readonly<Record<string, string>> | null
}

export interface Evaluation {
  readonly Status: string
  readonly StatusDescription?: string
  readonly DeploymentID?: string
  readonly FailedTGAllocs?: Readonly<Record<string, unknown>> | null
}

export interface NomadDeployment {
  readonly Status: string
  readonly StatusDescription: string
  readonly TaskGroups: Readonly<
    Record<string, { readonly DesiredTotal: number; readonly HealthyAllocs: number; readonly UnhealthyAllocs: number }>
  >
}

export interface Allocation {
  readonly ID: string
  /** `shop.web[0]`. */
  readonly Name: string
  readonly TaskGroup: string
  readonly ClientStatus: string
  readonly DesiredStatus?: string
  readonly DeploymentID?: string
  readonly CreateIndex: number
  readonly DeploymentStatus?: { readonly Healthy?: boolean | null } | null
  readonly TaskStates?: Readonly<
    Record<
      string,
      {
        readonly State: string
        readonly Failed: boolean
        readonly Events?: readonly { readonly DisplayMessage?: string }[]
      }
    >
  > | null
}

const ANSWER_TIMEOUT_MS = 30_000
const LAST_BYTES = 4096

/** The cluster of the environment, as `nomad` finds it: `NOMAD_ADDR`, `NOMAD_TOKEN`, `NOMAD_NAMESPACE`, `NOMAD_REGION`. */
export function createNomadClient(env: Env): NomadClient {
  const address = (env['NOMAD_ADDR'] || 'http://127.0.0.1:4646').replace(/\/+$/, '')
  if (!URL.canParse(address)) throw refusal('NOMAD_ADDR', `${address} is not a URL.`)
  const scope = Object.entries({ namespace: env['NOMAD_NAMESPACE'], region: env['NOMAD_REGION'] }).filter(
    (entry): entry is [string, string] => Boolean(entry[1]),
  )
  const tls = {
    ...(env['NOMAD_CACERT'] && { ca: readFileSync(env['NOMAD_CACERT']) }),
    ...(env['NOMAD_CLIENT_CERT'] && { cert: readFileSync(env['NOMAD_CLIENT_CERT']) }),
    ...(env['NOMAD_CLIENT_KEY'] && { key: readFileSync(env['NOMAD_CLIENT_KEY']) }),
  }
  const ask = async (method: string, path: string, query: Readonly<Record<string, string>> = {}, body?: unknown) => {
    const url = new URL(address + path)
    for (const [name, value] of [...scope, ...Object.entries(query)]) url.searchParams.set(name, value)
    const { request } = process.getBuiltinModule(url.protocol === 'http:' ? 'node:http' : 'node:https')
    const text = body === undefined ? undefined : JSON.stringify(body)
    const options: RequestOptions = {
      ...tls,
      method,
      agent: false,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      headers: {
        'x-nomad-token': env['NOMAD_TOKEN'] ?? '',
        ...(text && { 'content-length': Buffer.byteLength(text) }),
      },
    }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent: ClientRequest = request(url, options, resolve)
      sent.on('error', (error) => reject(unreachable(address, error)))
      sent.end(text)
    })
    let answer = ''
    for await (const part of response.setEncoding('utf8')) answer += part
    return { status: response.statusCode ?? 0, answer }
  }
  const json = async <T>(...call: Parameters<typeof ask>): Promise<T> => {
    const { status, answer } = await ask(...call)
    if (status >= 200 && status < 300) return JSON.parse(answer) as T
    throw refusal(address, `${answer.trim().replace(/\.$/, '')}.`, status)
  }
  return {
    address,
    parse: (hcl) => json('POST', '/v1/jobs/parse', {}, { JobHCL: hcl, Canonicalize: true }),
    job: async (id) => {
      const { status, answer } = await ask('GET', `/v1/job/${encodeURIComponent(id)}`)
      if (status === 404) return undefined
      if (status !== 200) throw refusal(address, answer, status)
      return JSON.parse(answer) as NomadJob
    },
    register: (job) => json('POST', '/v1/jobs', {}, { Job: job }),
    evaluation: (id) => json('GET', `/v1/evaluation/${id}`),
    deployment: (id) => json('GET', `/v1/deployment/${id}`),
    allocations: (job) => json('GET', `/v1/job/${encodeURIComponent(job)}/allocations`, { task_states: 'true' }),
    lastLines: async (allocation, task) => {
      const query = { task, plain: 'true', origin: 'end', offset: String(LAST_BYTES) }
      const [errors, output] = await Promise.all(
        ['stderr', 'stdout'].map((type) => ask('GET', `/v1/client/fs/logs/${allocation}`, { ...query, type })),
      )
      const texts = [errors, output].flatMap((one) => (one?.status === 200 ? [one.answer.trimEnd()] : []))
      return texts
        .find((text) => text !== '')
        ?.split('\n')
        .slice(-20)
        .join('\n')
    },
  }
}

function unreachable(address: string, error: Error): ProdserverError {
  const hint = 'Set NOMAD_ADDR, as for nomad itself; try: nomad server members'
  return new ProdserverError(
    [{ id: 'E903', place: address, message: `The cluster cannot be reached: ${error.message}.`, hint }],
    EXIT.failed,
  )
}

function refusal(place: string, message: string, status = 0): ProdserverError {
  const isForbidden = status === 401 || status === 403
  const hint = isForbidden ? 'Set NOMAD_TOKEN' : undefined
  return new ProdserverError(
    [
      {
        id: status === 0 ? 'E901' : 'E902',
        place,
        message: status === 0 ? message : `The cluster refuses: ${message}`,
        hint,
      },
    ],
    isForbidden ? EXIT.notPermitted : EXIT.failed,
  )
}
