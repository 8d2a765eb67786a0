import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { dockerfile } from '../src/export/containers/dockerfile.ts'
import { type Interpreter, probeProgram } from '../src/export/probe-program.ts'
import type { PlannedProbe } from '../src/plan/plan.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { exportedProcess, exportInput } from './support/exported.ts'
import { assertGolden } from './support/golden.ts'
import { buildGo } from './support/go.ts'
import { prodserver, run } from './support/running.ts'
import { createEverything, createStack } from './support/stack.ts'

const OPTIONS = ['--name=shop', '--image=registry.example.com/shop:1.4', '--env-from=.env.production']

/** Exports a project into a folder of its own, and gives that. */
async function exportCompose(t: TestContext, root: string, options: readonly string[] = OPTIONS): Promise<string> {
  const { code, stderr } = await prodserver(
    t,
    ['export', 'compose', '--python', PYTHON, ...options, '--out', 'deploy'],
    {
      cwd: root,
    },
  )
  assert.equal(code, 0, stderr)
  return join(root, 'deploy')
}

const hidePython = (text: string): string => text.replace(/python:3\.\d+-/g, 'python:3.13-')

const HADOLINT = join(dirname(PYTHON), 'hadolint')

test("the reference's complete stack, as files that stand in the repository", async (t) => {
  const { root } = createStack(t)
  const folder = await exportCompose(t, root)
  assertGolden('compose', folder, hidePython)
  const check = ['export', 'compose', '--python', PYTHON, ...OPTIONS, '--out', 'deploy', '--check']
  const again = await prodserver(t, check, { cwd: root })
  assert.deepEqual([again.code, again.stdout], [0, 'Up to date: 3 files in deploy.\n'])
  // As a person says `prodserver export compose --out .`
  const inPlace = await prodserver(t, ['export', 'compose', '--python', PYTHON, '--name=shop', '--out', '.'], {
    cwd: root,
  })
  assert.equal(inPlace.code, 0)
  assert.match(readFileSync(join(root, 'compose.yaml'), 'utf8'), /^ {2}build: "\."$/m)
  assert.match(readFileSync(join(root, 'Dockerfile'), 'utf8'), /pip install -r requirements\.txt/)
  assert.match(inPlace.stdout, /\n {2}docker compose --file \.\/compose\.yaml up --build --detach --wait\n/)
})

test("what is written is valid by the Compose specification's own schema", async (t) => {
  const schema = JSON.parse(
    readFileSync(join(ROOT, 'test', 'schemas', 'compose', 'compose-spec.json'), 'utf8'),
  ) as object
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addFormat('duration', /^(\d+(\.\d+)?(us|ms|s|m|h))+$/)
  const isValid = ajv.compile(schema)
  const { root } = createEverything(t)
  const folder = await exportCompose(t, root)
  const document = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true }) as {
    services: Record<string, Record<string, unknown>>
  }
  assert.ok(isValid(document), JSON.stringify(isValid.errors))
  // It can fail.
  assert.ok(!isValid({ services: { web: { ...document.services['web'], restarts: 'always' } } }))
})

test('Compose understands it as it is meant', async (t) => {
  const reader = await buildGo(t, 'compose')
  if (reader === undefined) return
  const { root } = createEverything(t)
  const folder = await exportCompose(t, root)
  const { code, stdout, stderr } = await run(t, reader, [join(folder, 'compose.yaml')])
  assert.equal(code, 0, stderr)
  const services = JSON.parse(stdout) as Record<string, Record<string, unknown>>
  const shown = Object.fromEntries(
    Object.entries(services).map(([name, { dependsOn, restart, stopSignal, graceSeconds, replicas, memoryBytes }]) => [
      name,
      { dependsOn, restart, stopSignal, graceSeconds, replicas, memoryBytes },
    ]),
  )
  const release = { migrate: 'service_completed_successfully' }
  const usual = { dependsOn: release, restart: 'unless-stopped', stopSignal: '', replicas: 1, memoryBytes: 0 }
  assert.deepEqual(shown, {
    migrate: { ...usual, dependsOn: {}, restart: 'no', graceSeconds: 30 },
    web: { ...usual, graceSeconds: 35, replicas: 3, memoryBytes: 1024 ** 3 },
    api: {
      ...usual,
      dependsOn: {
        ...release,
        web: 'service_healthy',
        worker: 'service_started',
        load: 'service_completed_successfully',
      },
      stopSignal: 'SIGINT',
      graceSeconds: 30,
    },
    load: { ...usual, restart: 'no', graceSeconds: 30 },
    worker: { ...usual, restart: 'on-failure:10', graceSeconds: 600, replicas: 2 },
    beat: { ...usual, restart: 'no', graceSeconds: 10 },
    clean_up: { ...usual, restart: 'no', graceSeconds: 30 },
  })
  const env = services['web']?.['env'] as Record<string, string> | undefined
  assert.equal(env?.['PRICE'], '$5 ${X} $(Y)')
})

test('hadolint finds nothing wrong with a Dockerfile, whatever the project is installed with', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-docker-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { project } = exportInput([])
  const collector = exportedProcess({ name: 'static', argv: ['python', '-m', 'django', 'collectstatic', '--noinput'] })
  for (const lock of ['uv.lock', 'poetry.lock', 'Pipfile.lock', 'requirements.txt', 'pyproject.toml', 'none'])
    for (const program of ['python', 'node']) {
      const web = exportedProcess({ name: 'web', argv: [program, 'server'], listen: ['0.0.0.0:8000'] })
      const found = new Set([lock, 'package.json', 'package-lock.json'])
      const [file] = dockerfile({ project, processes: [web], collector, found })
      writeFileSync(join(folder, `${lock}.${program}.Dockerfile`), file?.text ?? '')
    }
  const [alone] = dockerfile({
    project: { ...project, python: null, settings: null },
    processes: [exportedProcess({ name: 'web', argv: ['node', 'server.js'] })],
    collector: undefined,
    found: new Set(['package.json', 'package-lock.json']),
  })
  writeFileSync(join(folder, 'node.Dockerfile'), alone?.text ?? '')
  const files = globSync('*.Dockerfile', { cwd: folder })
  assert.equal(files.length, 13)
  const { code, stdout, stderr } = await run(t, HADOLINT, files, { cwd: folder })
  assert.deepEqual([code, stdout, stderr], [0, '', ''])
  // It can fail.
  writeFileSync(join(folder, 'bad'), 'FROM python\nRUN cd /tmp && pip install django\n')
  assert.match((await run(t, HADOLINT, ['bad'], { cwd: folder })).stdout, /DL3006/)
})

const READY = { intervalMs: 1000, timeoutMs: 2000, failures: 3, startMs: 60_000 }

interface Question {
  readonly probe: Partial<PlannedProbe>
  readonly listen?: readonly string[]
  readonly passes: boolean
}

test('the probe in a container finds what up would', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-probe-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host}`)
    response.statusCode = Number(request.url?.slice(1, 4)) || 200
    response.end()
  })
  const port = await listening(t, server, { port: 0, host: '127.0.0.1' })
  const socket = join(folder, 'web.sock')
  const unix = createServer((request, response) => server.emit('request', request, response))
  await listening(t, unix, { path: socket })
  const address = `0.0.0.0:${port}`
  const questions: readonly Question[] = [
    { probe: { http: '/' }, listen: [address], passes: true },
    { probe: { http: "/404/it's?a=é b" }, listen: [address], passes: true },
    { probe: { http: '/503/' }, listen: [address], passes: false },
    { probe: { http: `http://127.0.0.1:${port}/400/?x` }, passes: true },
    { probe: { http: '/' }, listen: ['127.0.0.1:9'], passes: false },
    { probe: { http: '/200/' }, listen: [`unix:${socket}`], passes: true },
    { probe: { http: '/500/' }, listen: [`unix:${socket}`], passes: false },
    { probe: { tcp: String(port) }, listen: [address], passes: true },
    { probe: { tcp: '9' }, listen: [address], passes: false },
    { probe: { tcp: `127.0.0.1:${port}` }, passes: true },
    { probe: { exec: [PYTHON, '-c', 'exit(0)'] }, passes: true },
    { probe: { exec: [PYTHON, '-c', 'exit(1)'] }, passes: false },
  ]
  const answers = await Promise.all(
    questions.map(async ({ probe, listen = [] }) => {
      const ask = async (interpreter: Interpreter): Promise<boolean> => {
        const [program = '', ...args] = probeProgram({ ...READY, ...probe }, listen, interpreter) ?? []
        return (await run(t, program === 'python' ? PYTHON : program, args)).code === 0
      }
      return Promise.all([ask('python'), ask('node')])
    }),
  )
  assert.deepEqual(
    questions.map((question, index) => ({ ...question, answers: answers[index] })),
    questions.map((question) => ({ ...question, answers: [question.passes, question.passes] })),
  )
  assert.ok(asked.includes("GET /404/it's?a=%C3%A9%20b localhost"), asked.join('\n'))
  assert.ok(asked.includes(`GET /400/?x 127.0.0.1:${port}`))
})

async function listening(t: TestContext, server: Server, where: object): Promise<number> {
  server.listen(where)
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}
