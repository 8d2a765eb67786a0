/** Follows the recipe for a key in CONTRIBUTING.md, in a copy of the sources. */
import assert from 'node:assert/strict'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ROOT } from './support/environment.ts'
import { createProject } from './support/project.ts'
import { type Finished, prodserver, run } from './support/running.ts'
import { createSupervised } from './support/supervised.ts'

const KEY_FILE = `import { orNull, word } from '../../core/shape.ts'
import type { LaunchedKey, OutputOf } from '../key.ts'
import { declareKey, oneOf } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    cpuPolicy: true
  }
}

const POLICIES = ['batch', 'idle'] as const

export const declared = () =>
  declareKey({
    order: 215,
    schema: oneOf(POLICIES),
    description: 'CPU scheduling policy of the process.',
    example: 'batch',
  })

export const planned: LaunchedKey<OutputOf<typeof declared>, (typeof POLICIES)[number] | null> = {
  label: 'cpu policy',
  show: (policy) => policy,
  plan: (policy) => policy ?? null,
  shape: orNull(word(POLICIES)),
  hash: 'unlessNull',
  isLaunched: true,
}
`

const ROW = "  cpuPolicy: { unsupported: 'This target sets no CPU policy.' },\n"

/** Edits by which the shim applies the value. */
const EFFECT: readonly (readonly [before: string, after: string])[] = [
  ['        self.argv = ', '        self.cpu_policy = message.text("cpuPolicy", "")\n        self.argv = '],
  ['return not (self.user or ', 'return not (self.cpu_policy or self.user or '],
  [
    '    step.name = "NICE"\n',
    `    step.name = "CPU_POLICY"
    if program.cpu_policy:
        policy = {"batch": os.SCHED_BATCH, "idle": os.SCHED_IDLE}[program.cpu_policy]
        os.sched_setscheduler(0, policy, os.sched_param(0))
    step.name = "NICE"
`,
  ],
]

const COPIED = [
  ...['src', 'scripts', 'test', 'bench', 'python', 'docs'],
  ...['package.json', 'schema.json', 'tsconfig.json', 'tsconfig.build.json'],
]

interface Copy {
  readonly path: (name: string) => string
  readonly node: (...args: readonly string[]) => Promise<Finished>
  /** Returns what the compiler prints. */
  readonly compile: () => Promise<string>
  readonly edit: (name: string, change: (text: string) => string) => void
}

/** Copies everything that the compiler and `npm run docs` read. */
function copySources(t: TestContext): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-key-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const path = (name: string): string => join(folder, name)
  const node: Copy['node'] = (...args) =>
    run(t, process.execPath, args, {
      cwd: folder,
      env: { PATH: `${path('node_modules/.bin')}:${process.env['PATH']}` },
    })
  return {
    path,
    node,
    compile: async () => (await run(t, path('node_modules/.bin/tsc'), [], { cwd: folder })).stdout,
    edit: (name, change) => writeFileSync(path(name), change(readFileSync(path(name), 'utf8'))),
  }
}

function replaced(text: string, before: string, after: string): string {
  assert.ok(text.includes(before), `${before} is gone`)
  return text.replace(before, () => after)
}

const addRow = (text: string): string => replaced(text, '  ...SHARED_ROWS,\n', `  ...SHARED_ROWS,\n${ROW}`)

test('a new key is one file and one row per target, and the compiler names each missing row', async (t) => {
  const copy = copySources(t)
  writeFileSync(copy.path('src/config/keys/cpu-policy.ts'), KEY_FILE)
  assert.match(await copy.compile(), /^src\/generated\/keys\.ts\(.*'cpuPolicy' is missing/)

  assert.equal((await copy.node('scripts/generate/keys.ts')).stderr, '')
  const tables = globSync('src/export/*/support.ts', { cwd: copy.path('.') }).toSorted()
  assert.equal(tables.length, 6)
  const errors = await copy.compile()
  assert.deepEqual(errors.match(/^[\w/-]+\.ts/gm)?.toSorted(), tables, errors)
  assert.equal(errors.match(/'cpuPolicy' is missing/g)?.length, tables.length, errors)

  for (const table of tables) copy.edit(table, addRow)
  assert.equal(await copy.compile(), '')

  const { stderr, code } = await copy.node('scripts/docs.ts')
  assert.deepEqual([stderr, code], ['', 0])
  await t.test('documentation, editors and types know the key', () => assertDescribed(copy))
  await t.test('plan, show, diff and overrides carry the key', (t) => assertPlanned(t, copy))
  await t.test('the hash and the shim carry the key', (t) => assertLaunched(t, copy))
})

function assertDescribed({ path }: Copy): void {
  const read = (name: string): string => readFileSync(path(name), 'utf8')
  assert.match(read('docs/reference/declaration.md'), /^\| `CPU_POLICY` +\| `cpuPolicy` +\| CPU scheduling policy/m)
  assert.match(read('docs/reference/export.md'), /^\| `CPU_POLICY` +(\| ○ +){6}\|$/m)
  assert.match(read('docs/reference/export.md'), /\| `CPU_POLICY` .*This target sets no CPU policy\./)
  const schema = JSON.parse(read('schema.json')) as { definitions: { process: { properties: Record<string, object> } } }
  const description = 'CPU scheduling policy of the process.'
  assert.deepEqual(schema.definitions.process.properties['cpuPolicy'], { enum: ['batch', 'idle'], description })
  assert.match(read('src/generated/declared.ts'), /^ {2}readonly cpuPolicy\?: 'batch' \| 'idle' \| undefined$/m)
  assert.match(read('python/django_prodserver/types.py'), /^ {4}CPU_POLICY: Literal\["batch", "idle"\]$/m)
}

const JOB = { BACKEND: 'command', APP: 'sleep 1000' }

interface Shown {
  readonly cpuPolicy: string | null
  readonly origins: Readonly<Record<string, string>>
}

async function assertPlanned(t: TestContext, { path }: Copy): Promise<void> {
  const files = { 'mysite/other.py': OTHER_SETTINGS, 'prodserver.config.ts': CONFIG_FILE }
  const cwd = createProject(t, { settings: `PRODUCTION_PROCESSES = ${JSON.stringify({ job: BATCH })}`, files })
  const cli = (args: readonly string[], env = {}): Promise<Finished> =>
    prodserver(t, args, { cwd, env, bin: path('src/bin.ts') })
  const shown = async (name: string, args: readonly string[] = [], env = {}): Promise<Shown> => {
    const { stdout, stderr } = await cli(['show', '--json', name, ...args], env)
    assert.equal(stderr, '')
    const { processes } = JSON.parse(stdout) as { readonly processes: readonly [Shown] }
    return processes[0]
  }
  const { cpuPolicy, origins } = await shown('job')
  assert.deepEqual([cpuPolicy, origins['cpuPolicy']], ['batch', 'PRODUCTION_PROCESSES["job"]["CPU_POLICY"]'])
  assert.equal((await shown('configured')).cpuPolicy, 'idle')
  assert.equal((await shown('job', ['--set=job.CPU_POLICY=idle'])).cpuPolicy, 'idle')
  assert.equal((await shown('job', [], { PRODSERVER_JOB_CPU_POLICY: 'idle' })).cpuPolicy, 'idle')
  assert.match((await cli(['show', 'job'])).stdout, /^ +cpu policy +batch +PRODUCTION_PROCESSES\["job"\]/m)
  const wrong = await cli(['check', '--set=job.CPU_POLICY=later'])
  assert.match(wrong.stdout + wrong.stderr, /CPU_POLICY must be one of "batch", "idle", not "later"\./)
  assert.match((await cli(['diff', 'mysite.settings', 'mysite.other'])).stdout, /CPU_POLICY +batch → idle/)
}

const BATCH = { ...JOB, CPU_POLICY: 'batch' }

const OTHER_SETTINGS = `from mysite.settings import *

PRODUCTION_PROCESSES = {"job": {**PRODUCTION_PROCESSES["job"], "CPU_POLICY": "idle"}}
`

const CONFIG_FILE = `export default {
  processes: { configured: { backend: 'command', app: 'sleep 1000', cpuPolicy: 'idle' } },
}
`

async function assertLaunched(t: TestContext, copy: Copy): Promise<void> {
  for (const [before, after] of EFFECT)
    copy.edit('src/supervisor/shim/prodserver_shim/start.py', (text) => replaced(text, before, after))
  const { code, stderr } = await copy.node('scripts/build.mjs')
  assert.equal(code, 0, stderr)
  const supervised = createSupervised(t, { processes: { job: BATCH, plain: JOB }, bin: copy.path('dist/bin.js') })
  const pidOf = async (id: string): Promise<number> => (await supervised.instance(id)).pid ?? 0
  await supervised.up()
  const [job, plain] = [await pidOf('job.1'), await pidOf('plain.1')]
  assert.deepEqual([policyOf(job), policyOf(plain)], [SCHED_BATCH, SCHED_OTHER])

  await supervised.up(0, '--set=job.CPU_POLICY=idle')
  assert.equal(policyOf(await pidOf('job.1')), SCHED_IDLE)
  assert.notEqual(await pidOf('job.1'), job, 'up replaces the instance whose key has changed')
  assert.equal(await pidOf('plain.1'), plain, 'up leaves the other instance alone')
}

/** Returns the scheduling policy of a process: field 41 of its line in /proc. */
function policyOf(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[38])
}

const SCHED_OTHER = 0
const SCHED_BATCH = 3
const SCHED_IDLE = 5
