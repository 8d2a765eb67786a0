import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ProdserverError, UsageError } from '../core/errors.ts'
import { connectSupervisor, isSnapshot, SOCKET_NAME, type SupervisorClient } from './client.ts'
import { socketPath, stateDirectory } from './state-dir.ts'

function folder(t: TestContext): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'prodserver-')))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A supervisor that answers as it is told. */
async function serve(t: TestContext, stateDir: string, answer: RequestListener): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/v1') response.end('{"version":"1.2.3","api":1}')
    else answer(request, response)
  })
  const { path, close } = socketPath(stateDir, SOCKET_NAME)
  await new Promise<void>((resolve) => {
    server.listen(path, resolve)
  })
  t.after(() => {
    server.closeAllConnections()
    server.close(close)
  })
  return server
}

async function connect(t: TestContext, answer: RequestListener): Promise<SupervisorClient> {
  const stateDir = folder(t)
  await serve(t, stateDir, answer)
  const client = await connectSupervisor(stateDir)
  assert.ok(client)
  return client
}

test('nothing is running where there is no folder, no socket, or nobody behind it', async (t) => {
  const stateDir = folder(t)
  assert.equal(await connectSupervisor(join(stateDir, 'none')), undefined)
  assert.equal(await connectSupervisor(stateDir), undefined)
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(join(stateDir, 'other.sock'), resolve)
  })
  symlinkSync('other.sock', join(stateDir, SOCKET_NAME))
  await new Promise((resolve) => {
    server.close(resolve)
  })
  assert.equal(await connectSupervisor(stateDir), undefined)
})

test('a folder whose path is too long for a socket is reached all the same', async (t) => {
  const stateDir = join(folder(t), 'long'.repeat(30))
  mkdirSync(stateDir)
  await serve(t, stateDir, (_, response) => response.end())
  assert.equal((await connectSupervisor(stateDir))?.status.version, '1.2.3')
})

test('calls have their paths, and answers are what was sent', async (t) => {
  const client = await connect(t, (request, response) => response.end(JSON.stringify({ path: request.url })))
  assert.deepEqual(await client.snapshot(), { path: '/v1/processes' })
  assert.deepEqual(await client.snapshot({ usage: true }), { path: '/v1/processes?usage=1' })
  assert.deepEqual(await client.why('my web.1'), { path: '/v1/processes/my%20web.1/why' })
})

test('an action is sent, and its lines come as they happen', async (t) => {
  let body = ''
  const client = await connect(t, (request, response) => {
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part
    })
    request.on('end', () => {
      response.write('{"event":{"id":1,"message":"caf')
      response.write('é"}}\n{"resu')
      response.end('lt":{"exitCode":0,"changes":[]}}\n')
    })
  })
  const lines = []
  for await (const line of client.action({ verb: 'stop', targets: ['web'] })) lines.push(line)
  assert.deepEqual(lines, [{ event: { id: 1, message: 'café' } }, { result: { exitCode: 0, changes: [] } }])
  assert.equal(body, '{"verb":"stop","targets":["web"]}')
})

test('an action without a result is an error: the supervisor is gone', async (t) => {
  const client = await connect(t, (_, response) => {
    response.write('{"event":{"id":1}}\n', () => response.destroy())
  })
  await assert.rejects(async () => {
    for await (const line of client.apply({})) assert.ok('event' in line)
  }, /E602.*The supervisor ended/)
})

test('events begin with what is', async (t) => {
  const client = await connect(t, (_, response) => {
    response.write('event: snapshot\ndata: {"supervisor":{},\ndata: "processes":[]}\n\n: still here\n\n')
    response.write('event: process\r\ndata: {"id":7}\r\n\r\nevent: other\ndata: {}\n\n')
  })
  const controller = new AbortController()
  const items = []
  for await (const item of client.events(controller.signal)) {
    items.push(item)
    if (!isSnapshot(item)) controller.abort()
  }
  assert.deepEqual(items, [{ supervisor: {}, processes: [] }, { id: 7 }])
})

const refusals: readonly (readonly [body: string, check: (error: Error) => boolean])[] = [
  [
    '{"error":"There is no web.9.","exitCode":2,"hint":"Did you mean web.1?"}',
    (error) => error instanceof UsageError && error.hint === 'Did you mean web.1?',
  ],
  [
    '{"error":"A reload is under way.","exitCode":4}',
    (error) => error instanceof ProdserverError && error.exitCode === 4 && /A reload is under way/.test(error.message),
  ],
  ['<html>', (error) => error instanceof ProdserverError && /It answered 500: <html>/.test(error.message)],
]

for (const [body, check] of refusals) {
  test(`an answer of ${body} is an error with its words`, async (t) => {
    const client = await connect(t, (_, response) => response.writeHead(500).end(body))
    await assert.rejects(client.why('web.9'), check)
  })
}

test('the state directory is the one that is named, or one for each real folder', (t) => {
  const root = folder(t)
  symlinkSync(root, join(root, 'link'))
  const home = { HOME: '/home/me' }
  const standard = stateDirectory(home, root)
  assert.match(standard, /^\/home\/me\/\.local\/state\/prodserver\/prodserver-\w+-[0-9a-f]{8}$/)
  assert.equal(stateDirectory(home, join(root, 'link')), standard)
  assert.equal(stateDirectory({ XDG_STATE_HOME: '/state', ...home }, root), standard.replace('/home/me/.local', ''))
  assert.equal(stateDirectory({ XDG_STATE_HOME: 'relative', ...home }, root), standard)
  assert.equal(stateDirectory({ STATE_DIRECTORY: '/var/lib/a:/var/lib/b', ...home }, root), '/var/lib/a')
  assert.equal(stateDirectory({ PRODSERVER_STATE_DIR: 'state', STATE_DIRECTORY: '/x' }, root), join(root, 'state'))
})
