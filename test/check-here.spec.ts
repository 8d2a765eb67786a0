import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Problem } from '../src/core/errors.ts'
import { freePort, waitForHttp } from './support/net.ts'
import { createProject, type ProjectFiles } from './support/project.ts'
import { type Finished, prodserver, run, startProdserver } from './support/running.ts'

/** What a machine bears, asked of the one that the test runs on: with numbers that none bears. */

const problemsOf = ({ stdout, stderr }: Finished): readonly Problem[] => {
  assert.equal(stderr, '')
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Problem)
}

const check = async (t: TestContext, files: ProjectFiles, ...args: readonly string[]): Promise<readonly Problem[]> =>
  problemsOf(await prodserver(t, ['check', '--json', ...args], { cwd: createProject(t, files) }))

const CELERY = { 'mysite/celery.py': 'from celery import Celery\n\napp = Celery("mysite", broker="memory://")\n' }

const IMMENSE = `PRODUCTION_PROCESSES = {
    "web": {
        "BACKEND": "gunicorn",
        "ARGS": {"bind": "127.0.0.1:0", "workers": 1_000_000, "worker-class": "gthread", "worker-connections": 2**31},
        "MEMORY_LIMIT": "5M",
        "LOG": {"max_size": "1000T", "keep": 9},
    },
    "worker": {"BACKEND": "celery-worker", "APP": "mysite.celery.app", "ARGS": {"concurrency": 3}},
}`

test('what no machine bears is told of with --here, with numbers, and not without', async (t) => {
  const files = { settings: IMMENSE, files: CELERY }
  assert.deepEqual(await check(t, files), [])
  const found = await check(t, files, '--here')
  assert.deepEqual(
    found.map(({ id, place }) => `${id} ${place}`),
    [
      'W501 PRODUCTION_PROCESSES["web"]["ARGS"]["workers"]',
      'W502 PRODUCTION_PROCESSES',
      'W505 PRODUCTION_PROCESSES["web"]["MEMORY_LIMIT"]',
      'W503 PRODUCTION_PROCESSES["web"]["ARGS"]["worker-connections"]',
      'W504 PRODUCTION_PROCESSES["web"]["LOG"]',
    ],
  )
  assert.match(found[0]?.message ?? '', /^gunicorn starts 1000000 processes, and .* processors?/)
  assert.match(found[1]?.message ?? '', /need \d+T .* has \d\S*[MGT]: web 1000000 × \d+M, worker 3 × \d+M\.$/)
})

test('problems of the machine are silenced as all are', async (t) => {
  const silenced = 'SILENCED_SYSTEM_CHECKS = [f"prodserver.W50{n}" for n in range(1, 6)]'
  assert.deepEqual(await check(t, { settings: `${IMMENSE}\n${silenced}`, files: CELERY }, '--here'), [])
})

test('what is measured of a process is what its processes have', async (t) => {
  const port = await freePort()
  const settings = (limit: string): string =>
    `PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:${port}"}, "MEMORY_LIMIT": "${limit}"}}`
  const [problem] = await check(t, { settings: settings('1M') }, '--here')
  const measured = Number(/needs (\d+)M/.exec(problem?.message ?? '')?.[1])
  const server = startProdserver(t, ['run', 'web'], { cwd: createProject(t, { settings: settings('1G') }) })
  const { body } = await waitForHttp(server, { port })
  const { pid } = JSON.parse(body) as { pid: number }
  const real = Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  assert.ok(measured > real * 0.7 && measured < real * 1.3, `measured ${measured}M, and it has ${real}M`)
})

test('an application that cannot be loaded is not measured, and said to be wrong once', async (t) => {
  const found = await check(
    t,
    { settings: IMMENSE, files: { 'mysite/celery.py': 'import nothing_like_it\n' } },
    '--here',
  )
  assert.deepEqual(
    found.map(({ id }) => id),
    ['E206', 'W501', 'W502', 'W505', 'W503', 'W504'],
  )
})

test('a process does not start at an address that somebody has, who is named at once', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const declared = (more: string): string =>
    `PRODUCTION_PROCESSES = {"web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:${port}"${more}}}}`
  const cwd = createProject(t, { settings: declared('') })
  const finished = await prodserver(t, ['run', 'web'], { cwd })
  assert.equal(finished.code, 4)
  assert.match(
    finished.stderr,
    new RegExp(
      `^E507 {2}PRODUCTION_PROCESSES\\["web"\\]\\n {6}gunicorn cannot listen on 127\\.0\\.0\\.1:${port}: .* \\(pid ${process.pid}\\) listens there\\.\\n {6}→ Look: ps -fp ${process.pid}\\n$`,
    ),
  )
  // The next thing to type can be typed as it stands.
  const typed = /→ Look: (.*)/.exec(finished.stderr)?.[1] ?? ''
  assert.match((await run(t, 'sh', ['-c', typed])).stdout, new RegExp(`\\b${process.pid}\\b`))
  // Another address on the command line is another address.
  const other = await freePort()
  const running = startProdserver(t, ['run', 'web', `--bind=127.0.0.1:${other}`], { cwd })
  assert.equal((await waitForHttp(running, { port: other })).status, 200)
  // Who only asks the server something does not listen.
  assert.equal((await prodserver(t, ['run', 'web', '--check-config'], { cwd })).code, 0)
  // Who asks for it shares; who silences it lets the server find out.
  for (const settings of [
    declared(', "reuse-port": True'),
    `${declared('')}\nSILENCED_SYSTEM_CHECKS = ["prodserver.E507"]`,
  ]) {
    const server = startProdserver(t, ['run', 'web'], { cwd: createProject(t, { settings }) })
    await server.waitForOutput(/Address already in use/)
  }
})
