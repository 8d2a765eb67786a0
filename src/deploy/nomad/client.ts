import type { ClientRequest, IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { readFileSync } from 'node:fs'
import { defined } from '../../core/defined.ts'
import { EXIT, ProdserverError } from '../../core/errors.ts'
import type { Env } from '../../core/types.ts'

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

export interface DeploymentStatus {
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
/** Length of the output that a failed task shows. */
const LAST_BYTES = 4096
const LAST_LINES = 20

/** The HTTP API of Nomad, as far as a deployment needs it. https://developer.hashicorp.com/nomad/api-docs */
export class NomadClient {
  readonly address: string
  readonly #scope: readonly (readonly [name: string, value: string])[]
  readonly #tls: Pick<RequestOptions, 'ca' | 'cert' | 'key'>
  readonly #token: string

  /** Finds the cluster as `nomad` does: `NOMAD_ADDR`, `NOMAD_TOKEN`, `NOMAD_NAMESPACE`, `NOMAD_REGION`. */
  constructor(env: Env) {
    this.address = (env['NOMAD_ADDR'] || 'http://127.0.0.1:4646').replace(/\/+$/, '')
    if (!URL.canParse(this.address)) throw refusal('NOMAD_ADDR', `${this.address} is not a URL.`)
    this.#scope = Object.entries({ namespace: env['NOMAD_NAMESPACE'], region: env['NOMAD_REGION'] }).filter(
      (entry): entry is [string, string] => Boolean(entry[1]),
    )
    this.#tls = defined({
      ca: readIfNamed(env['NOMAD_CACERT']),
      cert: readIfNamed(env['NOMAD_CLIENT_CERT']),
      key: readIfNamed(env['NOMAD_CLIENT_KEY']),
    })
    this.#token = env['NOMAD_TOKEN'] ?? ''
  }

  /** Returns the job that a file in HCL describes. Nomad itself parses the file. */
  parse(hcl: string): Promise<NomadJob> {
    return this.#json('POST', '/v1/jobs/parse', {}, { JobHCL: hcl, Canonicalize: true })
  }

  async job(id: string): Promise<NomadJob | undefined> {
    const { status, answer } = await this.#send('GET', `/v1/job/${encodeURIComponent(id)}`)
    if (status === 404) return undefined
    if (status !== 200) throw refusal(this.address, answer, status)
    return JSON.parse(answer) as NomadJob
  }

  /** Registers a job, and returns the id of the evaluation that brings it into force; empty for a periodic job. */
  register(job: NomadJob): Promise<{ readonly EvalID: string; readonly JobModifyIndex: number }> {
    return this.#json('POST', '/v1/jobs', {}, { Job: job })
  }

  evaluation(id: string): Promise<Evaluation> {
    return this.#json('GET', `/v1/evaluation/${id}`)
  }

  deployment(id: string): Promise<DeploymentStatus> {
    return this.#json('GET', `/v1/deployment/${id}`)
  }

  allocations(job: string): Promise<readonly Allocation[]> {
    return this.#json('GET', `/v1/job/${encodeURIComponent(job)}/allocations`, { task_states: 'true' })
  }

  /** Returns the end of a task's errors, or else of its output; undefined if it printed nothing. */
  async lastLines(allocation: string, task: string): Promise<string | undefined> {
    const query = { task, plain: 'true', origin: 'end', offset: String(LAST_BYTES) }
    const answers = await Promise.all(
      ['stderr', 'stdout'].map((type) => this.#send('GET', `/v1/client/fs/logs/${allocation}`, { ...query, type })),
    )
    const texts = answers.filter(({ status }) => status === 200).map(({ answer }) => answer.trimEnd())
    const text = texts.find((one) => one !== '')
    return text?.split('\n').slice(-LAST_LINES).join('\n')
  }

  async #json<T>(method: string, path: string, query: Query = {}, body?: unknown): Promise<T> {
    const { status, answer } = await this.#send(method, path, query, body)
    if (status >= 200 && status < 300) return JSON.parse(answer) as T
    throw refusal(this.address, `${answer.trim().replace(/\.$/, '')}.`, status)
  }

  async #send(method: string, path: string, query: Query = {}, body?: unknown): Promise<Answer> {
    const url = new URL(this.address + path)
    for (const [name, value] of [...this.#scope, ...Object.entries(query)]) url.searchParams.set(name, value)
    const { request } = process.getBuiltinModule(url.protocol === 'http:' ? 'node:http' : 'node:https')
    const text = body === undefined ? undefined : JSON.stringify(body)
    const options: RequestOptions = {
      ...this.#tls,
      method,
      agent: false,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      headers: defined({
        'x-nomad-token': this.#token,
        'content-length': text ? Buffer.byteLength(text) : undefined,
      }),
    }
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent: ClientRequest = request(url, options, resolve)
      sent.on('error', (error) => reject(unreachable(this.address, error)))
      sent.end(text)
    })
    let answer = ''
    for await (const part of response.setEncoding('utf8')) answer += part
    return { status: response.statusCode ?? 0, answer }
  }
}

type Query = Readonly<Record<string, string>>

interface Answer {
  readonly status: number
  readonly answer: string
}

const readIfNamed = (path: string | undefined): Buffer | undefined => (path ? readFileSync(path) : undefined)

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
