import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { EXIT } from '../core/errors.ts'
import type { ActionResult, ApiError, ProcessEvent, Snapshot, Why } from './protocol.ts'
import { findRoute } from './routes.ts'

/** What the API asks of a supervisor. */
export interface Controlled {
  readonly snapshot: (options: { usage: boolean }) => Snapshot
  /** The values of `--set` that hold. */
  readonly set: () => readonly string[]
  readonly why: (instance: string) => Why | undefined
  readonly act: (request: unknown) => Promise<ActionResult>
  readonly apply: (application: unknown) => Promise<ActionResult>
  /** Returns what ends the subscription. */
  readonly subscribe: (listener: (event: ProcessEvent) => void) => () => void
}

/** What a request asked for that cannot be. */
export interface Refusal {
  readonly status: number
  readonly error: ApiError
}

/** More than any declaration of a person; nobody may fill our memory. */
const MAX_BODY_BYTES = 16 * 1024 ** 2
const MAX_BODIES_BYTES = 3 * MAX_BODY_BYTES
const BODY_TIMEOUT_MS = 30_000
/** What a client has not read of a stream. */
const MAX_UNREAD_BYTES = 4 * 1024 ** 2
/** Connections at a time that have not asked for anything yet; beyond it, who has waited longest goes. */
const MAX_IDLE = 64
/** A request must have come this long after its connection. */
const HEAD_TIMEOUT_MS = 10_000

/** The API as a function of a request. It listens nowhere. */
export function createApi(controlled: Controlled, refusalOf: (error: unknown) => Refusal): RequestListener {
  return (request, response) => {
    route(request, response, controlled).catch((error: unknown) => {
      const { status, error: body } = refusalOf(error)
      // What turns out when events were told already is the last line.
      if (response.headersSent) response.end(`${JSON.stringify(body)}\n`)
      else answer(response, status, body)
    })
  }
}

async function route(request: IncomingMessage, response: ServerResponse, controlled: Controlled): Promise<void> {
  const { method = '', url = '/' } = request
  const [pathname = '', query] = url.split('?', 2)
  const found = findRoute(method, pathname)
  if (!found) return refuse(response, 404, `There is no ${pathname}.`)
  if ('allowed' in found) {
    response.setHeader('allow', found.allowed)
    return refuse(response, 405, `${pathname} takes ${found.allowed} only.`)
  }
  switch (found.name) {
    case 'status':
      return answer(response, 200, controlled.snapshot({ usage: false }).supervisor)
    case 'processes':
      return answer(response, 200, controlled.snapshot({ usage: new URLSearchParams(query).get('usage') === '1' }))
    case 'set':
      return answer(response, 200, controlled.set())
    case 'why': {
      const why = controlled.why(found.instance)
      return why ? answer(response, 200, why) : refuse(response, 404, `There is no instance ${found.instance}.`)
    }
    case 'events':
      return streamEvents(request, response, controlled)
    case 'actions':
    case 'apply': {
      const body = await readJson(request)
      if (body === undefined) return refuse(response, 400, 'The body is not JSON.')
      return streamAction(response, controlled, found.name === 'apply' ? controlled.apply : controlled.act, body)
    }
    default:
      return found.name satisfies never
  }
}

const refuse = (response: ServerResponse, status: number, error: string): void =>
  answer(response, status, { error, exitCode: EXIT.usage } satisfies ApiError)

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}

/** What is, then what happens. Nothing happens between the two. */
function streamEvents(request: IncomingMessage, response: ServerResponse, controlled: Controlled): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(`event: snapshot\ndata: ${JSON.stringify(controlled.snapshot({ usage: false }))}\n\n`)
  const unsubscribe = controlled.subscribe((event) => {
    // A client that reads nothing is not waited for, and not remembered for ever.
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
    else response.write(`event: process\nid: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`)
  })
  request.socket.once('close', unsubscribe)
}

/** Events as lines while it is done, and its result last. It is done also when nobody reads any more. */
async function streamAction(
  response: ServerResponse,
  controlled: Controlled,
  act: (body: unknown) => Promise<ActionResult>,
  body: unknown,
): Promise<void> {
  const early: ProcessEvent[] = []
  let isOpen = false
  const write = (event: ProcessEvent): void => {
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
    else response.write(`${JSON.stringify({ event })}\n`)
  }
  const unsubscribe = controlled.subscribe((event) => void (isOpen ? write(event) : early.push(event)))
  try {
    const result = act(body)
    // What is refused at once is an error, and not a stream.
    await Promise.race([result, new Promise((settle) => setImmediate(settle))])
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    isOpen = true
    response.write(`${JSON.stringify({ begun: true })}\n`)
    early.forEach(write)
    response.end(`${JSON.stringify({ result: await result })}\n`)
  } finally {
    unsubscribe()
  }
}

/** Of all bodies that are being received. */
let bodyBytes = 0

/** Undefined where it is no JSON, or too much of it. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const timer = setTimeout(() => request.destroy(), BODY_TIMEOUT_MS)
  let size = 0
  try {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      bodyBytes += chunk.length
      if (size > MAX_BODY_BYTES || bodyBytes > MAX_BODIES_BYTES) return undefined
      chunks.push(chunk)
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
    bodyBytes -= size
  }
}

interface ControlSocket {
  readonly close: () => void
}

/**
 * Listens on a Unix socket. Node's HTTP server takes 13 MiB and is loaded when somebody connects for the first time:
 * a supervisor that nobody asks does without it.
 */
export async function listen(path: string, api: RequestListener): Promise<ControlSocket> {
  const { createServer } = process.getBuiltinModule('node:net')
  let accept: ((socket: Socket) => void) | undefined
  const connections = new Set<Socket>()
  const idle = new Map<Socket, NodeJS.Timeout>()
  const settle = (socket: Socket): void => {
    clearTimeout(idle.get(socket))
    idle.delete(socket)
  }
  const server = createServer((socket) => {
    connections.add(socket)
    // Who never asks anything is not waited for: Node's own limits need a server that listens itself.
    idle.set(
      socket,
      setTimeout(() => socket.destroy(), HEAD_TIMEOUT_MS),
    )
    socket.once('close', () => {
      connections.delete(socket)
      settle(socket)
    })
    const [oldest] = idle.keys()
    if (idle.size > MAX_IDLE) oldest?.destroy()
    accept ??= createHttp((request, response) => {
      settle(request.socket)
      api(request, response)
    })
    accept(socket)
  })
  await new Promise<void>((listening, fail) => {
    server.once('error', fail)
    server.listen(path, listening)
  })
  // Of descriptors there may be none left for a moment.
  server.on('error', () => {})
  return {
    close: () => {
      server.close()
      for (const socket of connections) socket.destroySoon()
    },
  }
}

function createHttp(api: RequestListener): (socket: Socket) => void {
  const { createServer } = process.getBuiltinModule('node:http')
  const http = createServer({ keepAliveTimeout: 5000 }, api)
  // Between two requests nobody would be waited for with patience.
  http.maxRequestsPerSocket = 1
  return (socket) => void http.emit('connection', socket)
}
