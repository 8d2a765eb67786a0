import type { IncomingMessage } from 'node:http'
import { printDuration } from '../../core/durations.ts'
import type { Address } from '../../core/addresses.ts'
import { connectTo, failureWords } from './endpoint.ts'
import type { ProbeResult } from './probe.ts'

/** Loading Node's own HTTP client takes 13 MiB; a probe needs a status and the first bytes of a body. */

interface HttpRequest {
  /** With the query. */
  readonly path: string
  /** The Host header. */
  readonly host: string
  /** Of an Authorization header. */
  readonly login?: string | undefined
  /** What is asked, for the reply: `GET /health/`. */
  readonly shown: string
}

/** The head of an answer must come within this, and of its body no more is looked at. */
const MAX_HEAD_BYTES = 64 * 1024
const MAX_BODY_BYTES = 4 * 1024
/** How long is waited for the end of an answer whose status is known, so that its server sees no broken connection. */
const REST_MS = 100

/** Asks a server without encryption. Any status below 500 is an answer of a server that works. */
export function probeHttp(
  endpoint: Address,
  request: HttpRequest,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const fail = (words: string): void => resolve({ ok: false, reply: `${request.shown} → ${words}` })
  let received = Buffer.alloc(0)
  let rest: NodeJS.Timeout | undefined
  const socket = connectTo(endpoint)
  const finish = (): void => {
    const answer = parseAnswer(received)
    if (answer === 'incomplete') return fail(received.length === 0 ? 'no answer: it closed the connection' : CUT_SHORT)
    if (answer === 'not http') return fail(`the answer is not HTTP: ${clean(received.toString('utf8', 0, 300))}`)
    resolve(judge(request.shown, answer.status, answer.body))
  }
  const timer = setTimeout(() => {
    if (received.length > 0 && parseAnswer(received) !== 'incomplete') finish()
    else fail(`no answer within ${printDuration(timeoutMs)}`)
  }, timeoutMs)
  const callOff = (): void => fail('called off')
  signal.addEventListener('abort', callOff, { once: true })
  socket.on('connect', () => socket.write(requestText(request)))
  socket.on('data', (chunk: Buffer) => {
    if (received.length < MAX_HEAD_BYTES + MAX_BODY_BYTES) received = Buffer.concat([received, chunk])
    const answer = parseAnswer(received)
    if (answer === 'incomplete') {
      if (received.length >= MAX_HEAD_BYTES) fail('the head of the answer has no end')
    } else if (answer === 'not http' || answer.body.length >= MAX_BODY_BYTES) finish()
    else rest ??= setTimeout(finish, REST_MS)
  })
  socket.on('end', finish)
  socket.on('error', (error) => (received.length > 0 ? finish() : fail(failureWords(error))))
  return promise.finally(() => {
    clearTimeout(timer)
    clearTimeout(rest)
    signal.removeEventListener('abort', callOff)
    socket.destroy()
  })
}

const CUT_SHORT = 'the connection was closed before the answer was complete'

/** Asks with Node's own client. The certificate is checked, but for a server on this very machine. */
export function probeHttps(url: URL, shown: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const fail = (words: string): void => resolve({ ok: false, reply: `${shown} → ${words}` })
  const rejectUnauthorized = !/^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)
  const request = process
    .getBuiltinModule('node:https')
    .get(url, { agent: false, rejectUnauthorized, headers: { 'user-agent': 'prodserver' } }, (response) => {
      collect(response, (body) => resolve(judge(shown, response.statusCode ?? 0, body)))
    })
  const timer = setTimeout(() => fail(`no answer within ${printDuration(timeoutMs)}`), timeoutMs)
  const callOff = (): void => fail('called off')
  signal.addEventListener('abort', callOff, { once: true })
  request.on('error', (error) => fail(failureWords(error)))
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', callOff)
    request.destroy()
  })
}

/** The first bytes of a body, which need not have an end. */
function collect(response: IncomingMessage, done: (body: Buffer) => void): void {
  let body = Buffer.alloc(0)
  const rest = setTimeout(() => done(body), REST_MS)
  const finish = (): void => {
    clearTimeout(rest)
    done(body)
  }
  response.on('data', (chunk: Buffer) => {
    body = Buffer.concat([body, chunk])
    if (body.length >= MAX_BODY_BYTES) finish()
  })
  for (const event of ['end', 'error', 'close'] as const) response.on(event, finish)
}

function requestText({ path, host, login }: HttpRequest): string {
  // What a path may not have is written as a URL writes it; a line end in it would be a header of its own.
  const target = path.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character))
  const headers = [`Host: ${host}`, 'User-Agent: prodserver', 'Accept: */*', 'Connection: close']
  if (login !== undefined) headers.push(`Authorization: Basic ${login}`)
  return `GET ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`
}

interface Answer {
  readonly status: number
  readonly body: Buffer
}

/** Reads what has come of an answer so far. */
export function parseAnswer(received: Buffer): Answer | 'incomplete' | 'not http' {
  const text = received.toString('latin1')
  if (!'HTTP/1.'.startsWith(text.slice(0, 7))) return 'not http'
  const head = /^([\s\S]*?)\r?\n\r?\n/.exec(text)
  if (!head) return 'incomplete'
  const status = Number(/^HTTP\/1\.\d (\d{3})(?:\s|$)/.exec(head[1] ?? '')?.[1])
  if (!status) return 'not http'
  const body = received.subarray(head[0].length)
  // Early news, before the answer.
  if (status < 200) return parseAnswer(body)
  return { status, body: /^transfer-encoding:.*\bchunked\b/im.test(head[1] ?? '') ? dechunk(body) : body }
}

/** The parts of a chunked body that have come; where it is malformed, what was good of it. */
function dechunk(body: Buffer): Buffer {
  const parts: Buffer[] = []
  let rest = body
  for (;;) {
    const size = /^([0-9a-f]{1,8})[^\n]*\n/i.exec(rest.toString('latin1', 0, 200))
    const length = Number.parseInt(size?.[1] ?? '0', 16)
    if (!size || length === 0) return Buffer.concat(parts)
    const start = size[0].length
    parts.push(rest.subarray(start, start + length))
    rest = rest.subarray(start + length + 2)
  }
}

function judge(shown: string, status: number, body: Buffer): ProbeResult {
  if (status < 500) return { ok: true }
  const words = clean(body.toString('utf8', 0, MAX_BODY_BYTES))
  return { ok: false, reply: `${shown} → ${status}${words ? `  ${words}` : ''}` }
}

const MAX_WORDS = 300

/** Text from outside in one line: no markup, nothing that moves a cursor. */
export function clean(text: string): string {
  const words = text
    .replace(/<(script|style)\b[\s\S]*?(<\/\1\s*>|$)/gi, ' ')
    .replace(/<[!/a-z][^>]*(>|$)/gi, ' ')
    // oxlint-disable-next-line no-control-regex -- The colours of a terminal.
    .replace(/\x1b\[[\d;]*[A-Za-z]/g, '')
    .replace(/&(lt|gt|quot|amp|nbsp|#x27|#39);/g, (_, name: string) => ENTITIES[name] ?? ' ')
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)}…` : words
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&', '#x27': "'", '#39': "'" }
