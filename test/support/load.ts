import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'

export type LoadTarget = { readonly port: number; readonly host?: string } | { readonly socketPath: string }

export interface LoadOptions {
  /** Clients that open a connection for each request. Default 0. */
  readonly fresh?: number
  /** Clients that use one connection for as long as the server lets them. Default 0. */
  readonly keepAlive?: number
  /** What is asked for, by each client in turn. Default `/`. */
  readonly paths?: readonly string[]
  /** The longest pause of a client between two requests; each is a random part of it. Default 20. */
  readonly pauseMs?: number
  /** A request that takes longer has failed. Default 15 s. */
  readonly timeoutMs?: number
  /** Called when a request is sent; what it returns says what is wrong with the answer to it, if anything. */
  readonly expect?: () => (answer: string) => string | undefined
}

interface Failure {
  /** `connect`: no connection; `lost`: ended before a complete response; `response`: not a 200 response; `timeout`. */
  readonly kind: 'connect' | 'lost' | 'response' | 'timeout'
  readonly detail: string
  /** Since the start of the load. */
  readonly atMs: number
}

interface LoadResult {
  readonly requests: number
  /** Every failed request, at most the first thousand. */
  readonly failed: readonly Failure[]
  /** The slowest request. */
  readonly maxMs: number
}

export interface Load {
  readonly stats: () => { readonly requests: number; readonly failed: number; readonly maxMs: number }
  /** Lets the requests that are under way finish. */
  readonly stop: () => Promise<LoadResult>
}

const MOST_FAILURES = 1000
/** A load ends after this time, even if its test does not end it. */
const LIMIT_MS = 300_000

/**
 * Asks a server steadily until it is stopped, and counts strictly: whatever is not a complete response with status 200
 * has failed, and nothing is tried again. Only a connection that was closed before a request was sent on it is replaced.
 */
export function startLoad(options: LoadOptions & LoadTarget): Load {
  const { fresh = 0, keepAlive = 0, paths = ['/'], pauseMs = 20, timeoutMs = 15_000 } = options
  const startedAt = performance.now()
  const failed: Failure[] = []
  let [requests, failures, maxMs] = [0, 0, 0]
  const over = new AbortController()

  const client = async (first: number, keeps: boolean): Promise<void> => {
    let socket: Socket | undefined
    for (let index = first; !over.signal.aborted && performance.now() - startedAt < LIMIT_MS; index += 1) {
      const sentAt = performance.now()
      const path = paths[index % paths.length] ?? '/'
      const outcome = await request(socket, options, { path, keeps, timeoutMs, check: options.expect?.() })
      requests += 1
      maxMs = Math.max(maxMs, performance.now() - sentAt)
      if (outcome.failure) {
        failures += 1
        if (failed.length < MOST_FAILURES) failed.push({ ...outcome.failure, atMs: Math.round(sentAt - startedAt) })
      }
      socket = outcome.socket
      await new Promise((settle) => setTimeout(settle, Math.random() * pauseMs))
    }
    socket?.destroy()
  }

  const clients = Promise.all(Array.from({ length: fresh + keepAlive }, (_, index) => client(index, index >= fresh)))
  return {
    stats: () => ({ requests, failed: failures, maxMs }),
    stop: async () => {
      over.abort()
      await clients
      return { requests, failed, maxMs }
    },
  }
}

interface Outcome {
  readonly failure?: Omit<Failure, 'atMs'>
  /** The connection, where the next request may use it. */
  readonly socket?: Socket
}

interface Question {
  readonly path: string
  readonly keeps: boolean
  readonly timeoutMs: number
  readonly check: ((answer: string) => string | undefined) | undefined
}

function request(
  kept: Socket | undefined,
  target: LoadTarget,
  { path, keeps, timeoutMs, check }: Question,
): Promise<Outcome> {
  const reused = kept !== undefined && isOpen(kept)
  const socket = reused ? kept : open(target)
  return new Promise((settle) => {
    const chunks: Buffer[] = []
    let isConnected = reused
    const finish = (outcome: Outcome): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      // An idle connection that the server resets is no failed request.
      socket.on('error', () => {})
      if (!outcome.socket) socket.destroy()
      else socket.resume()
      settle(outcome)
    }
    const fail = (kind: Failure['kind'], detail: string): void =>
      finish({ failure: { kind, detail: `${detail}${reused ? ', on a kept connection' : ''}, GET ${path}` } })
    const timer = setTimeout(() => fail('timeout', `no response in ${timeoutMs} ms`), timeoutMs)
    const read = (ended: boolean): void => {
      const bytes = Buffer.concat(chunks)
      const answer = readResponse(bytes, ended)
      if (answer === undefined) return
      const wrong = answer.status === 200 ? check?.(bytes.toString('latin1')) : answer.line
      if (wrong !== undefined) fail('response', wrong)
      else finish(keeps && !answer.closes && !ended ? { socket } : {})
    }
    socket.on('connect', () => (isConnected = true))
    socket.on('error', (error) => fail(isConnected ? 'lost' : 'connect', error.message))
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      read(false)
    })
    socket.on('end', () => {
      read(true)
      fail('lost', `closed after ${Buffer.concat(chunks).length} bytes`)
    })
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${keeps ? '' : 'Connection: close\r\n'}\r\n`)
  })
}

const open = (target: LoadTarget): Socket =>
  'port' in target
    ? connect({ host: target.host ?? '127.0.0.1', port: target.port, noDelay: true })
    : connect(target.socketPath)

const isOpen = (socket: Socket): boolean => !socket.destroyed && socket.readable && socket.writable

/** Stops a load, and asserts that more than `minimum` requests were answered and none failed. */
export async function assertNoneFailed(load: Load, minimum: number): Promise<void> {
  const { requests, failed } = await load.stop()
  assert.deepEqual(failed, [])
  assert.ok(requests > minimum, `${requests} requests`)
}

interface Answer {
  readonly line: string
  readonly status: number
  readonly closes: boolean
}

/** The response, once it is complete. */
function readResponse(bytes: Buffer, ended: boolean): Answer | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [line = '', ...fields] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const value = (name: string): string | undefined =>
    fields.find((field) => field.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1)
  const body = bytes.subarray(headEnd + 4)
  const length = value('content-length')
  const isChunked = value('transfer-encoding')?.toLowerCase().includes('chunked') ?? false
  const isWhole = length === undefined ? ended : body.length >= Number(length)
  const isComplete = isChunked ? endsChunks(body) : isWhole
  if (!isComplete) return undefined
  const closes = fields.some((field) => /^connection:.*\bclose\b/i.test(field)) || line.startsWith('HTTP/1.0')
  return { line, status: Number(line.split(' ')[1]), closes }
}

function endsChunks(body: Buffer): boolean {
  for (let at = 0; ;) {
    const lineEnd = body.indexOf('\r\n', at)
    if (lineEnd < 0) return false
    const size = Number.parseInt(body.toString('latin1', at, lineEnd), 16)
    at = lineEnd + 2 + size + 2
    if (at > body.length) return false
    if (size === 0) return true
  }
}
