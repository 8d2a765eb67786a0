import { array, assert as assertProperty, constantFrom, oneof, property, string } from 'fast-check'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isError } from '../src/core/errors.ts'
import { exportPlan, TARGETS } from '../src/export/index.ts'
import type { ExportedProcess } from '../src/export/input.ts'
import { PYTHON, ROOT } from './support/environment.ts'
import { exportedProcess, exportInput } from './support/exported.ts'
import { buildGo } from './support/go.ts'

/** What the engine would start, as one of its readers understands the file. */
interface Started {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

/** Reads the file, and says what is started for the process `it`. */
type Reader = (file: string) => Started

interface Engine {
  readonly target: string
  readonly reader: (t: TestContext) => Promise<Reader | undefined>
  /** What may be refused instead; everything else must arrive. */
  readonly mayRefuse: (value: string) => boolean
}

const READ = join(ROOT, 'test', 'support', 'read_containers.py')

const nothing = (): boolean => false

const ENGINES: Readonly<Record<string, Engine>> = {
  'Compose, by its specification': {
    target: 'compose',
    reader: () => Promise.resolve(byPython('compose')),
    mayRefuse: nothing,
  },
  'Compose, by its own library': {
    target: 'compose',
    reader: async (t) => byGo(await buildGo(t, 'compose')),
    mayRefuse: nothing,
  },
  'Kubernetes, by its specification': {
    target: 'kubernetes',
    reader: () => Promise.resolve(byPython('kubernetes')),
    mayRefuse: nothing,
  },
  'Nomad, by its own parser': {
    target: 'nomad',
    reader: async (t) => byGo(await buildGo(t, 'nomad')),
    mayRefuse: (value) => /\$\{[\w.-]+\}/.test(value) || value !== value.normalize('NFC'),
  },
}

const byPython = (engine: string): Reader => reading([PYTHON, READ, engine])

const byGo = (program: string | undefined): Reader | undefined =>
  program === undefined ? undefined : reading([program])

const reading =
  ([program = '', ...args]: readonly string[]): Reader =>
  (file) => {
    const { stdout, stderr, status } = spawnSync(program, [...args, file], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 ** 2,
      timeout: 60_000,
    })
    assert.equal(status, 0, stderr)
    return (JSON.parse(stdout) as Record<string, Started>)['it'] as Started
  }

/** Everything that somebody on the way might take for a word of its own. */
const HARD: readonly string[] = [
  '',
  ' ',
  'two words',
  ' around ',
  '"double" and \'single\'',
  String.raw`back\slash \\ \n \u0041`,
  '%',
  '%%n %{if true}',
  '$VAR',
  '$HOME ${HOME}',
  '$(HOME) $$(HOME) $()',
  '$',
  '$$',
  '$$$ $é',
  'a; b && c | d > e',
  '# not a comment',
  'a # comment',
  '*',
  '&anchor',
  '*alias',
  '!tag',
  '- item',
  'key: value',
  '{a: 1}',
  '[1]',
  '<<',
  '=',
  '~',
  'null',
  'yes',
  'No',
  '010',
  '0o10',
  '1:30',
  '1_000',
  '1e3',
  '2001-01-01',
  '.inf',
  '---',
  'line\nbreak\n',
  'tab\tand return\r',
  '\u0001\u001b[31m\u007f\u0085\u2028\u2029\ufeff',
  'Grüße, 世界 🎉',
  'x'.repeat(100_000),
]

const RECORD = join(ROOT, 'test', 'fixtures', 'record_start.py')

/** Starts what the reader has understood, with the interpreter of this machine in the place of the image's. */
function started({ argv, env, cwd }: Started): Started {
  const [program, ...args] = argv
  assert.equal(program, 'python')
  const { stdout, stderr, status } = spawnSync(PYTHON, args, { env, cwd, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 })
  assert.equal(status, 0, stderr)
  const found = JSON.parse(stdout) as { argv: string[]; env: Record<string, string>; cwd: string }
  // Python sets it by itself where the environment names no language.
  delete found.env['LC_CTYPE']
  return { ...found, argv: ['python', RECORD, ...found.argv] }
}

interface Trip extends Pick<Engine, 'target' | 'mayRefuse'> {
  readonly folder: string
  readonly read: Reader
}

/** The values that arrive, and those that the export refuses by name: no other may be missing. */
function assertArrives({ folder, target, mayRefuse, read }: Trip, values: readonly string[]): void {
  const found = TARGETS.find(({ name }) => name === target)
  assert.ok(found)
  const describe = (given: readonly string[]): ExportedProcess =>
    exportedProcess({
      name: 'it',
      argv: ['python', RECORD, ...given],
      env: Object.fromEntries(given.map((value, index) => [`VALUE_${index}`, value])),
      cwd: folder,
    })
  const refused = (value: string): boolean => exportPlan(found, exportInput([describe([value])])).problems.some(isError)
  const missing = values.filter(refused)
  assert.ok(missing.every(mayRefuse), JSON.stringify(missing))
  const process = describe(values.filter((value) => !missing.includes(value)))
  const { files, problems } = exportPlan(found, exportInput([process]))
  assert.deepEqual(problems.filter(isError), [])
  const file = join(folder, 'exported')
  writeFileSync(file, files.map(({ text }) => text).join('---\n'))
  const { argv, env, cwd } = process
  assert.deepEqual(started(read(file)), { argv, env, cwd })
}

/** Any text that a command line can hold: no NUL, and every character whole. */
const anyText = string({ unit: 'binary', maxLength: 30 })
  .map((text) => text.replaceAll('\0', ''))
  .filter((text) => text.isWellFormed())
const MEANT = '$(){}%"\'\\ab \n\t#:&*!|>-?,[]~@`=<'.split('')
/** Text of what has a meaning somewhere. */
const meantText = string({ unit: constantFrom(...MEANT), maxLength: 20 })

for (const [name, { target, reader, mayRefuse }] of Object.entries(ENGINES)) {
  test(`what is exported arrives byte for byte: ${name}`, async (t) => {
    const read = await reader(t)
    if (!read) return
    const folder = mkdtempSync(join(tmpdir(), 'prodserver-trip-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    assertArrives({ folder, target, mayRefuse, read }, HARD)
    assertProperty(
      property(array(oneof(anyText, meantText), { minLength: 20, maxLength: 60 }), (values) =>
        assertArrives({ folder, target, mayRefuse, read }, values),
      ),
      { numRuns: 10 },
    )
  })
}
