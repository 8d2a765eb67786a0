import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { InstanceStatus, Snapshot } from '../src/control/protocol.ts'
import { useBroker } from './support/brokers.ts'
import { ROOT } from './support/environment.ts'
import { freePort, httpGet } from './support/net.ts'
import { usePostgres } from './support/postgres.ts'
import { commandLineOf } from './support/processes.ts'
import { type Finished, run, type Running, start, waitUntil } from './support/running.ts'

interface Stack {
  readonly database: string
  readonly broker: string
  readonly workers: readonly string[]
  readonly executions: readonly { readonly worker: string; readonly text: string; readonly pid: number }[]
}

/** `npm start`, with ports and data of its own. */
interface Started {
  readonly server: Running
  readonly ports: { readonly PORT: string; readonly ASYNC_PORT: string; readonly FRONTEND_PORT: string }
  /** `npm start -- …` beside it. */
  readonly npmStart: (...args: readonly string[]) => Promise<Finished>
  readonly ps: () => Promise<readonly InstanceStatus[]>
  /** Everything of it that is still there. */
  readonly left: () => readonly number[]
  /** What the page asks Django for, through the frontend. */
  readonly stack: () => Promise<Stack>
}

async function npmStart(t: TestContext, more: Readonly<Record<string, string>> = {}): Promise<Started> {
  const data = mkdtempSync(join(tmpdir(), 'prodserver-start-'))
  const ports = {
    PORT: String(await freePort()),
    ASYNC_PORT: String(await freePort()),
    FRONTEND_PORT: String(await freePort()),
  }
  const options = { cwd: ROOT, env: { ...ports, DATA_DIR: data, BEAT_SECONDS: '1', ...more } }
  const beside = (...args: readonly string[]): Promise<Finished> =>
    run(t, 'npm', ['start', '--silent', ...(args.length > 0 ? ['--', ...args] : [])], options)
  t.after(() => {
    // Where the test failed, what was started is still there, in sessions of its own.
    for (const pid of inhabitants(data)) process.kill(pid, 'SIGKILL')
    rmSync(data, { recursive: true, force: true, maxRetries: 3 })
  })
  const server = start(t, 'npm', ['start'], options)
  // The first start installs the example's Python packages.
  await server.waitForOutput(/^Ready in /m, 300_000)
  return {
    server,
    ports,
    npmStart: beside,
    left: () => inhabitants(data),
    ps: async () => {
      const { stdout } = await beside('ps', '--json')
      return stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as InstanceStatus)
    },
    stack: async () =>
      JSON.parse((await httpGet({ port: Number(ports.FRONTEND_PORT) }, '/api/stack.json')).body) as Stack,
  }
}

/** Processes that have the folder in their environment: what they start inherits it. */
function inhabitants(data: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`DATA_DIR=${data}`)
    } catch {
      // It ended meanwhile, or is somebody else's.
      return false
    }
  })
}

/** What the buttons of the page do. */
function ask(port: string, body: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((settle, fail) => {
    const asked = request({ port, host: '127.0.0.1', path: '/api/jobs/', method: 'POST', headers }, (answer) => {
      answer.resume()
      settle(answer.statusCode ?? 0)
    })
    asked.once('error', fail).end(body)
  })
}

const json = { 'content-type': 'application/json', host: 'localhost' }

/** Every worker executes what the page asks it for, and the scheduler asks by itself. */
async function checkWork({ stack, ports, server }: Started): Promise<Stack> {
  const { workers } = await stack()
  assert.deepEqual(workers, ['worker', 'tasks', 'queue'])
  for (const worker of workers) assert.equal(await ask(ports.FRONTEND_PORT, JSON.stringify({ worker }), json), 202)
  let last: Stack | undefined
  return waitUntil(
    async () => {
      last = await stack()
      const executed = new Set(last.executions.map(({ worker }) => worker))
      return ['beat', ...workers].every((worker) => executed.has(worker)) ? last : undefined
    },
    60_000,
    () => `Executed: ${JSON.stringify(last?.executions)}\n${server.output()}`,
  )
}

test('npm start brings up all of the example, says where, and ends with all of it', async (t) => {
  const started = await npmStart(t)
  const { server, ports } = started
  const { FRONTEND_PORT, PORT } = ports
  assert.match(
    server.output(),
    new RegExp(
      `^• http://127\\.0\\.0\\.1:${FRONTEND_PORT}/ \\(Django itself: http://127\\.0\\.0\\.1:${PORT}/\\); Ctrl-C`,
      'm',
    ),
  )
  const states = (await started.ps()).map(({ instance, state }) => `${instance} ${state}`)
  assert.deepEqual(states, [
    'web.1 running',
    'web-async.1 running',
    'worker.1 running',
    'beat.1 running',
    'tasks.1 running',
    'queue.1 running',
    'migrate.1 done',
    'frontend.1 running',
  ])

  await t.test('a second one says so, and changes nothing', async () => {
    const before = await started.ps()
    const { code, stdout } = await started.npmStart()
    assert.match(stdout, new RegExp(`it runs already: http://127\\.0\\.0\\.1:${FRONTEND_PORT}/`))
    assert.equal(code, 0)
    assert.deepEqual(
      (await started.ps()).map(({ pid }) => pid),
      before.map(({ pid }) => pid),
    )
  })

  await t.test('Django serves its page, and the frontend serves its own', async () => {
    const django = await httpGet({ port: Number(PORT) })
    assert.equal(django.status, 200)
    assert.match(django.body, /Answered by (gunicorn|waitress|uvicorn)/)
    const page = await httpGet({ port: Number(FRONTEND_PORT) })
    assert.equal(page.status, 200)
    assert.match(page.body, /<title>mysite<\/title>/)
    const { supervisor, processes } = JSON.parse(
      (await httpGet({ port: Number(FRONTEND_PORT) }, '/supervisor')).body,
    ) as Snapshot
    assert.equal(supervisor.settings, 'mysite.settings')
    assert.equal(processes.length, states.length)
  })

  await t.test('another site cannot give work, nor read the page under a name of its own', async () => {
    assert.equal(await ask(FRONTEND_PORT, 'worker=tasks', { 'content-type': 'text/plain', host: 'localhost' }), 415)
    assert.equal((await httpGet({ port: Number(FRONTEND_PORT) }, '/supervisor', { host: 'evil.example' })).status, 421)
  })

  await t.test('every worker executes what it is given', async () => {
    const { database, broker } = await checkWork(started)
    assert.deepEqual([database, broker], ['SQLite', 'filesystem'])
  })

  server.signal('SIGTERM')
  assert.deepEqual(await server.ended(60_000), { code: 0, signal: null })
  await waitUntil(
    () => started.left().length === 0 || undefined,
    10_000,
    () =>
      `Still there: ${started
        .left()
        .map((pid) => commandLineOf(pid).join(' '))
        .join(', ')}`,
  )
  for (const port of Object.values(ports)) await assert.rejects(httpGet({ port: Number(port) }))
})

test('npm start runs on PostgreSQL and Redis where their addresses are given', async (t) => {
  const database = await usePostgres(t)
  const broker = await useBroker(t, 'Redis')
  if (!database || !broker) return
  const started = await npmStart(t, { DATABASE_URL: database, CELERY_BROKER_URL: broker.url() })
  const stack = await checkWork(started)
  assert.deepEqual([stack.database, stack.broker], ['PostgreSQL', 'redis'])
  started.server.signal('SIGINT')
  assert.deepEqual(await started.server.ended(60_000), { code: 0, signal: null })
})
