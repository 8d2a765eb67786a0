import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PYTHON, ROOT } from './support/environment.ts'
import { freePort, httpGet, waitForHttp } from './support/net.ts'
import {
  createReferenceProject,
  readReference,
  type Reference,
  REFERENCE,
  REFERENCE_BACKENDS,
  type ReferenceProcess,
} from './support/reference.ts'
import { prodserver, startProdserver, waitUntil } from './support/running.ts'

for (const [name, reference] of Object.entries(REFERENCE)) {
  const { processes } = reference

  test(`the documented configuration ${name} is planned as documented, without a problem`, async (t) => {
    const { root, settings } = createReferenceProject(t, readReference(name))
    await assertPlanned(t, root, settings, processes)
  })

  test(`every process of the documented configuration ${name} works, all at the same time`, async (t) => {
    const { root, settings } = createReferenceProject(t, readReference(name))
    await Promise.all(Object.keys(processes).map((process) => assertWorks(t, root, settings, process, reference)))
  })
}

test('the documented configuration environment_variables reads them when it is started', async (t) => {
  const { root, settings } = createReferenceProject(t, readReference('environment_variables'))
  const command = 'gunicorn --bind=0.0.0.0:9000 --workers=2 --timeout=7 myproject.wsgi:application'
  const env = { PORT: '9000', WEB_WORKERS: '2', WEB_TIMEOUT: '7' }
  await assertPlanned(t, root, settings, { web: { command } }, env)
})

for (const [path, command] of Object.entries(REFERENCE_BACKENDS)) {
  test(`the documented import path ${path} is planned as documented, without a problem`, async (t) => {
    const app = path.startsWith('celery') ? ', "APP": "myproject.celery.app"' : ''
    const { root, settings } = createReferenceProject(
      t,
      `PRODUCTION_PROCESSES = {"process": {"BACKEND": "django_prodserver.backends.${path}"${app}}}`,
    )
    await assertPlanned(t, root, settings, { process: { command } })
  })
}

test('every documented configuration is tested', () => {
  const files = globSync('test/fixtures/reference/*.py', { cwd: ROOT }).map((path) => basename(path, '.py'))
  assert.deepEqual(files.toSorted(), Object.keys(REFERENCE).toSorted())
})

interface Plan {
  readonly processes: readonly { readonly name: string; readonly argv: readonly string[] }[]
  readonly problems: readonly unknown[]
}

const parsePlan = (json: string): Plan => JSON.parse(json) as Plan

async function assertPlanned(
  t: TestContext,
  root: string,
  settings: string,
  processes: Readonly<Record<string, ReferenceProcess>>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const call = (command: string, ...options: string[]): ReturnType<typeof prodserver> =>
    prodserver(t, [command, ...options, '--settings', settings], { cwd: root, env })
  const [show, check] = await Promise.all([call('show', '--json'), call('check')])
  const plan = parsePlan(show.stdout)
  assert.deepEqual(plan.problems, [])
  assert.deepEqual(
    plan.processes.map(({ name, argv }) => [name, ...argv]),
    Object.entries(processes).map(([name, { command }]) => [name, PYTHON, '-m', ...command.split(' ')]),
  )
  assert.equal(show.code, 0)
  const names = Object.keys(processes)
  const count = names.length === 1 ? '1 process' : `${names.length} processes`
  assert.deepEqual(check, { code: 0, stdout: `No problems in ${count}: ${names.join(', ')}.\n`, stderr: '' })
}

/** Starts a process as it is declared, but for the port, and for paths that this machine does not have. */
async function assertWorks(
  t: TestContext,
  root: string,
  settings: string,
  name: string,
  { processes, host = 'localhost' }: Reference,
): Promise<void> {
  const { command, works } = processes[name] as ReferenceProcess
  const port = await freePort()
  const extra = elsewhere(command, port, root)
  const running = startProdserver(t, ['run', '--settings', settings, name, ...extra], {
    cwd: root,
    env: { XDG_RUNTIME_DIR: root },
  })
  if (works) {
    for (const pattern of works) await running.waitForOutput(pattern)
    return
  }
  const logs = extra.flatMap((option) => option.split('logfile=')[1] ?? [])
  await waitForHttp(running, { port }).catch((error: unknown) => {
    // What it says of its end is in the files that it was told to write.
    const written = logs.filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8'))
    throw new Error(`${String(error)}\n${written.join('\n')}`, { cause: error })
  })
  const { status, body } = await httpGet({ port }, '/', { host })
  assert.deepEqual({ status, body }, { status: 200, body: 'it works' })
  for (const path of logs) await waitUntil(() => existsSync(path) || undefined)
}

/** Extra arguments, as somebody would give them on another machine. */
function elsewhere(command: string, port: number, root: string): readonly string[] {
  const program = command.split(' ')[0]
  // It says that it is ready at this level.
  if (program === 'celery') return command.includes('--loglevel') ? [] : ['--loglevel=info']
  const address = program === 'gunicorn' ? [`--bind=127.0.0.1:${port}`] : ['--host=127.0.0.1', `--port=${port}`]
  const logs = [...command.matchAll(/(--\w+-logfile)=\S+\/(\S+)/g)].map(
    ([, flag, file = '']) => `${flag}=${join(root, file)}`,
  )
  return [...address, ...logs]
}
