import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { lstatSync } from 'node:fs'
import { printDuration } from '../core/durations.ts'
import { EXIT, type ExitCode, ProdserverError, UsageError } from '../core/errors.ts'
import type { ActionLine, ActionRequest, ApiError, ProcessEvent, Snapshot, SupervisorStatus, Why } from './protocol.ts'
import { socketPath } from './state-dir.ts'
import { splitLines, splitServerEvents } from './streams.ts'

/** A running supervisor. Every call is a connection of its own: nothing has to be closed. */
export interface SupervisorClient {
  /** As it was when the connection was made. */
  readonly status: SupervisorStatus
  readonly snapshot: (options?: { readonly usage?: boolean | undefined }) => Promise<Snapshot>
  /** The values of `--set` that hold; an older supervisor knows of none. */
  readonly set: () => Promise<readonly string[]>
  readonly why: (instance: string) => Promise<Why>
  /** What is, then what happens; no event is missed in between. Ends with the supervisor, or with the signal. */
  readonly events: (signal?: AbortSignal) => AsyncGenerator<Snapshot | ProcessEvent, void, void>
  /** Events as they happen, and the result last. Who stops reading leaves the action running. */
  readonly action: (request: ActionRequest, signal?: AbortSignal) => AsyncGenerator<ActionLine, void, void>
  /** As `action`, for a new plan. */
  readonly apply: (body: unknown, signal?: AbortSignal) => AsyncGenerator<ActionLine, void, void>
}

export const SOCKET_NAME = 'control.sock'

/** For an answer that is given at once. One that takes its time has no limit. */
const ANSWER_TIMEOUT_MS = 10_000

/**
 * Connects to the supervisor of a state directory; undefined where none runs.
 *
 * @throws {ProdserverError} `E602`, with exit code 6 where the socket is another user's. All calls of the client throw
 * it as well, where the supervisor goes away; what the supervisor refuses is an error with its words and exit code.
 */
export async function connectSupervisor(stateDir: string): Promise<SupervisorClient | undefined> {
  const json = async <T>(path: string): Promise<T> => {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    const response = await request(stateDir, { method: 'GET', path, signal })
    return JSON.parse(await readText(response, stateDir)) as T
  }
  const stream = async function* (path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<ActionLine> {
    const response = await request(stateDir, { method: 'POST', path, signal }, JSON.stringify(body))
    let isOver = false
    for await (const line of splitLines(received(response, stateDir, signal))) {
      const parsed = JSON.parse(line) as ActionLine | ApiError
      // What was refused after it had begun.
      if ('error' in parsed) throw refusal(line, 409, stateDir)
      isOver = 'result' in parsed
      yield parsed
    }
    if (!isOver && !signal?.aborted) throw unusable(stateDir, 'The supervisor ended before it was done.')
  }
  const status = await json<SupervisorStatus>('/v1').catch((error: unknown) => {
    if (error instanceof NothingRunning) return undefined
    throw error
  })
  if (!status) return undefined
  return {
    status,
    snapshot: ({ usage = false } = {}) => json(`/v1/processes${usage ? '?usage=1' : ''}`),
    set: async () => ((status.set ?? []).length > 0 ? json('/v1/set') : []),
    why: (instance) => json(`/v1/processes/${encodeURIComponent(instance)}/why`),
    events: async function* (signal) {
      const response = await request(stateDir, { method: 'GET', path: '/v1/events', signal })
      for await (const { event, data } of splitServerEvents(received(response, stateDir, signal))) {
        if (event === 'snapshot' || event === 'process') yield JSON.parse(data) as Snapshot | ProcessEvent
      }
    },
    action: (body, signal) => stream('/v1/actions', body, signal),
    apply: (body, signal) => {
      refuseStranger(stateDir)
      return stream('/v1/apply', body, signal)
    },
  }
}

/** A declaration has secrets, and what it names is run by whoever listens. */
function refuseStranger(stateDir: string): void {
  if (lstatSync(stateDir).uid !== process.getuid?.())
    throw unusable(stateDir, 'It belongs to another user.', EXIT.notPermitted)
}

/** Tells the two things apart that the stream of events carries. */
export const isSnapshot = (item: Snapshot | ProcessEvent): item is Snapshot => 'supervisor' in item

/** @throws {ProdserverError} `E601`: what a command says that needs a supervisor. */
export function requireSupervisor(client: SupervisorClient | undefined, stateDir: string): SupervisorClient {
  if (client) return client
  throw new ProdserverError(
    [{ id: 'E601', place: stateDir, message: 'Nothing is running.', hint: 'Start with: prodserver up -d' }],
    EXIT.notRunning,
  )
}

interface Call extends RequestOptions {
  readonly signal?: AbortSignal | undefined
}

async function request(stateDir: string, call: Call, body?: string): Promise<IncomingMessage> {
  let socket: ReturnType<typeof socketPath> | undefined
  try {
    socket = socketPath(stateDir, SOCKET_NAME)
    const response = await send({ ...call, socketPath: socket.path, agent: false }, body)
    const { statusCode = 0 } = response
    if (statusCode >= 200 && statusCode < 300) return response
    throw refusal(await readText(response, stateDir), statusCode, stateDir)
  } catch (error) {
    throw translate(error, stateDir)
  } finally {
    socket?.close()
  }
}

function send(call: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  const { request } = process.getBuiltinModule('node:http')
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const sent: ClientRequest = request({ ...call, headers, host: 'localhost' }, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Nobody listens: the socket is not there, or its supervisor is gone. */
class NothingRunning extends ProdserverError {}

function translate(error: unknown, stateDir: string): unknown {
  if (error instanceof ProdserverError || error instanceof UsageError) return error
  const { code, message, name, cause } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') {
    const hint = 'Start with: prodserver up -d'
    return new NothingRunning(
      [{ id: 'E601', place: stateDir, message: 'Nothing is running.', hint }],
      EXIT.notRunning,
      { cause: error },
    )
  }
  if (code === 'EACCES' || code === 'EPERM')
    return unusable(stateDir, 'It belongs to another user.', EXIT.notPermitted, 'Run this as the user who started it')
  if (cause instanceof DOMException && cause.name === 'TimeoutError')
    return unusable(stateDir, `The supervisor has not answered for ${printDuration(ANSWER_TIMEOUT_MS)}.`, EXIT.timedOut)
  if (code === 'ECONNRESET' || code === 'EPIPE') return unusable(stateDir, 'The supervisor ended before it answered.')
  return name === 'AbortError' ? error : unusable(stateDir, message)
}

function unusable(stateDir: string, message: string, exitCode: ExitCode = EXIT.failed, hint?: string): ProdserverError {
  return new ProdserverError([{ id: 'E602', place: `${stateDir}/${SOCKET_NAME}`, message, hint }], exitCode)
}

/** What the supervisor said no with. */
function refusal(text: string, statusCode: number, stateDir: string): Error {
  const { error, exitCode, hint } = parseApiError(text) ?? { error: `It answered ${statusCode}: ${text}`, exitCode: 1 }
  if (exitCode === EXIT.usage) return new UsageError(error, hint)
  const isKnown = Object.values<number>(EXIT).includes(exitCode) && exitCode !== EXIT.done
  return unusable(stateDir, error, isKnown ? (exitCode as ExitCode) : EXIT.failed, hint)
}

function parseApiError(text: string): ApiError | undefined {
  try {
    const answer = JSON.parse(text) as ApiError | null
    return typeof answer?.error === 'string' ? answer : undefined
  } catch {
    return undefined
  }
}

async function readText(response: IncomingMessage, stateDir: string): Promise<string> {
  let text = ''
  for await (const part of received(response, stateDir)) text += part
  return text
}

/** The text of an answer as it comes. */
async function* received(response: IncomingMessage, stateDir: string, signal?: AbortSignal): AsyncGenerator<string> {
  response.setEncoding('utf8')
  try {
    for await (const part of response) yield part as string
  } catch (error) {
    if (!signal?.aborted) throw translate(error, stateDir)
  }
}
