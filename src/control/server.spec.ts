import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { waitUntil } from '../../test/support/running.ts'
import type { ActionResult, ProcessEvent, Snapshot, Why } from './protocol.ts'
import { findRoute, type Route, ROUTES } from './routes.ts'
import { type Controlled, createApi, listen } from './server.ts'

const snapshot = { supervisor: { version: '1.2.3' }, processes: [] } as unknown as Snapshot
const result: ActionResult = { exitCode: 0, changes: [] }
const eventOf = (id: number): ProcessEvent => ({ id, message: `event ${id}` }) as ProcessEvent

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

interface Served {
  readonly path: string
  /** Those who are told of events. */
  readonly listeners: Set<(event: ProcessEvent) => void>
  readonly tell: (id: number) => void
  readonly ask: (method: string, url: string, body?: string) => Promise<Answer>
  /** The answer as it comes. */
  readonly open: (method: string, url: string, body?: string) => Promise<IncomingMessage>
}

class Refused extends Error {}

async function serve(t: TestContext, more: Partial<Controlled> = {}): Promise<Served> {
  const dir = mkdtempSync(join(tmpdir(), 'prodserver-'))
  const path = join(dir, 'control.sock')
  const listeners: Served['listeners'] = new Set()
  const controlled: Controlled = {
    snapshot: ({ usage }) => ({ ...snapshot, ...(usage && { usage: true }) }),
    set: () => ['web.ARGS.workers=8'],
    why: (id) => (id === 'web.1' ? ({ wanted: 'running' } as Why) : undefined),
    act: () => Promise.resolve(result),
    apply: () => Promise.resolve({ exitCode: 4, changes: [] }),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    ...more,
  }
  const api = createApi(controlled, (error) =>
    error instanceof Refused
      ? { status: 409, error: { error: error.message, exitCode: 4, hint: 'wait' } }
      : { status: 500, error: { error: String(error), exitCode: 70 } },
  )
  const socket = await listen(path, api)
  t.after(() => {
    socket.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const open: Served['open'] = (method, url, body) =>
    new Promise((settle, fail) => {
      const sent = request({ socketPath: path, method, path: url, agent: false }, settle)
      sent.on('error', fail)
      sent.end(method === 'GET' ? undefined : body)
      t.after(() => sent.destroy())
    })
  const ask: Served['ask'] = async (method, url, body) => {
    const response = await open(method, url, body)
    let text = ''
    for await (const part of response.setEncoding('utf8')) text += part
    return { status: response.statusCode ?? 0, headers: response.headers, text }
  }
  const tell = (id: number): void => {
    for (const listener of listeners) listener(eventOf(id))
  }
  return { path, listeners, tell, ask, open }
}

/** Reads until it has what is looked for. */
async function readUntil(response: IncomingMessage, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const part of response.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += part
    if (pattern.test(text)) return text
  }
  return assert.fail(`ended after ${text}`)
}

const answers: readonly (readonly [request: string, status: number, body: unknown])[] = [
  ['GET /v1', 200, snapshot.supervisor],
  ['GET /v1/processes', 200, snapshot],
  ['GET /v1/processes?usage=1', 200, { ...snapshot, usage: true }],
  ['GET /v1/processes?usage=0', 200, snapshot],
  ['GET /v1/processes/web.1/why', 200, { wanted: 'running' }],
  ['GET /v1/processes/web%2e1/why', 200, { wanted: 'running' }],
  ['POST /v1/actions {"verb":"stop"}', 200, { result }],
  ['POST /v1/apply {}', 200, { result: { exitCode: 4, changes: [] } }],
  ['GET /v1/processes/web.9/why', 404, { error: 'There is no instance web.9.', exitCode: 2 }],
  ['GET /v1/processes/%zz/why', 404, { error: 'There is no instance %zz.', exitCode: 2 }],
  ['GET /v1/processes/a/b/why', 404, { error: 'There is no /v1/processes/a/b/why.', exitCode: 2 }],
  ['GET /v1/processes//why', 404, { error: 'There is no /v1/processes//why.', exitCode: 2 }],
  ['GET /', 404, { error: 'There is no /.', exitCode: 2 }],
  ['GET //', 404, { error: 'There is no //.', exitCode: 2 }],
  ['GET /v2', 404, { error: 'There is no /v2.', exitCode: 2 }],
  ['POST /v1/actions {"verb":', 400, { error: 'The body is not JSON.', exitCode: 2 }],
  ['POST /v1/actions', 400, { error: 'The body is not JSON.', exitCode: 2 }],
]

/** The first line of every action that is not refused. */
const BEGUN = '{"begun":true}\n'

for (const [line, status, body] of answers) {
  test(`${line} is answered ${status}`, async (t) => {
    const { ask } = await serve(t)
    const [method = '', url = '', ...sent] = line.split(' ')
    const answer = await ask(method, url, sent.join(' '))
    const text = answer.text.replace(BEGUN, '')
    assert.deepEqual([answer.status, JSON.parse(text)], [status, body])
    assert.equal(answer.text !== text, status === 200 && method === 'POST')
  })
}

for (const { method, path, as } of Object.values<Route>(ROUTES)) {
  const url = path.replace('{instance}', 'web.1')
  test(`${method} ${path} is answered as ${as}, and no other method is`, async (t) => {
    const { ask, open } = await serve(t)
    const response = await open(method, url, '{}')
    assert.deepEqual([response.statusCode, response.headers['content-type']], [200, as])
    response.destroy()
    const other = await ask(method === 'GET' ? 'POST' : 'GET', url, '{}')
    assert.deepEqual([other.status, other.headers.allow], [405, method])
  })
}

test('a path has one meaning', () => {
  for (const [name, { method, path }] of Object.entries<Route>(ROUTES))
    assert.deepEqual(findRoute(method, path.replace('{instance}', 'x')), {
      name,
      instance: path.includes('{') ? 'x' : '',
    })
})

test('the stream of events begins with what is, and none is missed or kept for who has gone', async (t) => {
  const { open, tell, listeners } = await serve(t)
  const response = await open('GET', '/v1/events')
  assert.match(await readUntil(response, /\n\n/), /^event: snapshot\ndata: \{.*\}\n\n$/)
  tell(7)
  assert.equal(await readUntil(response, /\n\n/), `event: process\nid: 7\ndata: ${JSON.stringify(eventOf(7))}\n\n`)
  response.destroy()
  await waitUntil(() => listeners.size === 0)
})

test('a client that does not read is not remembered for ever', async (t) => {
  const { path, listeners } = await serve(t)
  const socket = connect(path)
  t.after(() => socket.destroy())
  socket.pause().write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n')
  await waitUntil(() => listeners.size === 1)
  const large = { ...eventOf(1), details: 'x'.repeat(1024 ** 2) }
  await waitUntil(() => {
    for (const listener of listeners) listener(large)
    return listeners.size === 0
  })
})

test('what happens during an action is told while it happens, and the result is last', async (t) => {
  const { promise, resolve } = Promise.withResolvers<ActionResult>()
  let asked: unknown
  const served = await serve(t, {
    act: (body) => {
      asked = body
      served.tell(1)
      return promise
    },
  })
  const response = await served.open('POST', '/v1/actions', '{"verb":"stop","targets":["web"]}')
  assert.deepEqual(asked, { verb: 'stop', targets: ['web'] })
  assert.equal(await readUntil(response, /event.*\n/), `${BEGUN}${JSON.stringify({ event: eventOf(1) })}\n`)
  served.tell(2)
  assert.equal(await readUntil(response, /\n/), `${JSON.stringify({ event: eventOf(2) })}\n`)
  resolve(result)
  assert.equal(await readUntil(response, /\n/), `${JSON.stringify({ result })}\n`)
  await waitUntil(() => served.listeners.size === 0)
})

test('who leaves before the result leaves the action running', async (t) => {
  const { promise, resolve } = Promise.withResolvers<ActionResult>()
  let isDone = false
  const { open, listeners, tell } = await serve(t, {
    act: async () => {
      const outcome = await promise
      isDone = true
      return outcome
    },
  })
  const response = await open('POST', '/v1/actions', '{}')
  response.destroy()
  tell(1)
  resolve(result)
  await waitUntil(() => isDone && listeners.size === 0)
})

const refusing: readonly (readonly [when: string, act: Controlled['act']])[] = [
  [
    'at once',
    () => {
      throw new Refused('a reload is under way')
    },
  ],
  ['in the next moment', () => Promise.reject(new Refused('a reload is under way'))],
]

for (const [when, act] of refusing) {
  test(`what is refused ${when} is an error, and not a stream`, async (t) => {
    const { ask, listeners } = await serve(t, { act })
    const { status, text } = await ask('POST', '/v1/actions', '{}')
    assert.equal(status, 409)
    assert.deepEqual(JSON.parse(text), { error: 'a reload is under way', exitCode: 4, hint: 'wait' })
    assert.equal(listeners.size, 0)
  })
}

test('what turns out late to be refused is the last line', async (t) => {
  const { promise, reject } = Promise.withResolvers<ActionResult>()
  const { open } = await serve(t, { act: () => promise })
  const response = await open('POST', '/v1/actions', '{}')
  assert.equal(response.statusCode, 200)
  reject(new Refused('a reload is under way'))
  const text = await readUntil(response, /error.*\n/)
  assert.deepEqual(JSON.parse(text.replace(BEGUN, '')), {
    error: 'a reload is under way',
    exitCode: 4,
    hint: 'wait',
  })
})

test('a bug of ours is an answer, and the next request has its own', async (t) => {
  const { ask } = await serve(t, {
    why: () => {
      throw new Error('oops')
    },
  })
  const { status, text } = await ask('GET', '/v1/processes/web.1/why')
  assert.deepEqual([status, JSON.parse(text)], [500, { error: 'Error: oops', exitCode: 70 }])
  assert.equal((await ask('GET', '/v1')).status, 200)
})

test('a body larger than any declaration is not taken', async (t) => {
  let isAsked = false
  const { ask } = await serve(t, {
    apply: () => {
      isAsked = true
      return Promise.resolve(result)
    },
  })
  const body = JSON.stringify('x'.repeat(17 * 1024 ** 2))
  const outcome = await ask('POST', '/v1/apply', body).then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code,
  )
  assert.ok(outcome === 400 || outcome === 'EPIPE' || outcome === 'ECONNRESET', String(outcome))
  assert.equal(isAsked, false)
})

test('what is no HTTP ends its own connection only', async (t) => {
  const { path, ask } = await serve(t)
  const socket = connect(path)
  t.after(() => socket.destroy())
  socket.on('error', () => {}).write('hello\r\n\r\n')
  await new Promise((settle) => {
    socket.on('close', settle).resume()
  })
  assert.equal((await ask('GET', '/v1')).status, 200)
})
