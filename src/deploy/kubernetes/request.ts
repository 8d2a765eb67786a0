import type { ClientRequest, IncomingMessage } from 'node:http'
import type { RequestOptions } from 'node:https'
import { defined } from '../../core/defined.ts'
import { EXIT, ProdserverError } from '../../core/errors.ts'
import type { ClusterAccess } from './kubeconfig.ts'

/** One request to the API of a cluster. */
interface ClusterRequest {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** Media type of the body. Default: application/json */
  readonly type?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Sends a request, and returns the response with its body still to be read.
 *
 * @throws {ClusterRefusal} for a status other than 2xx
 * @throws {ProdserverError} `E903` if the cluster does not answer
 */
export async function send(access: ClusterAccess, call: ClusterRequest): Promise<IncomingMessage> {
  const { method, path, body, type = 'application/json', signal } = call
  const url = new URL(access.server + path)
  const { request } = process.getBuiltinModule(url.protocol === 'http:' ? 'node:http' : 'node:https')
  const text = body === undefined ? undefined : JSON.stringify(body)
  const options: RequestOptions = {
    ...access.tls,
    method,
    signal,
    agent: false,
    headers: defined({
      accept: 'application/json, */*',
      authorization: access.authorization,
      'content-type': text === undefined ? undefined : type,
      'content-length': text === undefined ? undefined : Buffer.byteLength(text),
    }),
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

const ANSWER_TIMEOUT_MS = 30_000

/** Sends a request, and returns the JSON of the answer. */
export async function sendJson<T>(access: ClusterAccess, call: ClusterRequest): Promise<T> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  return JSON.parse(await readText(await send(access, { signal, ...call }))) as T
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const part of response) text += part
  return text
}

/** The cluster refuses a request. */
export class ClusterRefusal extends ProdserverError {
  readonly status: number

  constructor(access: ClusterAccess, status: number, text: string) {
    const message = messageOf(text) ?? `It answered ${status}.`
    const isForbidden = status === 401 || status === 403
    const hint = isForbidden ? `Who is asking is said in ${access.from}` : undefined
    const code = isForbidden ? EXIT.notPermitted : EXIT.failed
    super([{ id: 'E902', place: access.server, message: `The cluster refuses: ${message}`, hint }], code)
    this.status = status
  }
}

/** Returns the `message` of a Status object; undefined for any other text. */
function messageOf(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? `${message.replace(/\.$/, '')}.` : undefined
  } catch {
    return undefined
  }
}

export function unreachable({ server, from }: ClusterAccess, error: unknown): ProdserverError {
  const { message, code } = error as NodeJS.ErrnoException
  const hint = `It is named in ${from}; try: kubectl cluster-info`
  return new ProdserverError(
    [{ id: 'E903', place: server, message: `The cluster cannot be reached: ${message || code}.`, hint }],
    EXIT.failed,
  )
}
