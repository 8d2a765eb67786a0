/** Process managers beside each other, in one run: everything that is measured, in the order of the report. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BIN, measuredEnv } from '../machine.ts'
import { timeToEnd } from '../measure.ts'
import { bareNode } from './contestants/bare-node.ts'
import { ALTERNATIVES } from './contestants/index.ts'
import { prodserver, VARIANTS } from './contestants/prodserver.ts'
import { type Field, gather } from './field.ts'
import { compileChild, copyNode } from './install.ts'
import { writeProject } from './project.ts'
import { measureCrash, measureCycles, measureIdle, measureLog, measureReload } from './rows.ts'
import { endAllRuns } from './running.ts'
import type { Ground } from './start-and-stop.ts'
import { median, type Row } from './table.ts'

interface Options {
  /** With Django and gunicorn. */
  readonly python: string
  readonly version: string
  readonly rounds: number
  /** Also with other numbers of children. */
  readonly scale: boolean
}

export interface Supervision {
  /** Names, ours first, and versions. */
  readonly versions: Readonly<Record<string, string>>
  readonly absent: Readonly<Record<string, string>>
  readonly rows: readonly Row[]
  readonly notes: readonly string[]
}

const SCALE = [1, 10, 100, 500]
/** The others would take minutes. */
const SCALED = new Set<string>([...VARIANTS, 'Circus', 'honcho', 'PM2', 'runit', 's6'])

export async function measureSupervision(options: Options, folder: string): Promise<Supervision> {
  if (!existsSync('/proc/self/smaps_rollup')) throw new Error('Only Linux tells what is measured of process managers')
  try {
    const { python, version } = options
    const ours = VARIANTS.map((variant) => prodserver(python, version, variant))
    const field = gather([...ours, ...ALTERNATIVES, bareNode])
    const ground = { folder, node: copyNode(), child: compileChild() }
    const rows = await (options.scale ? measureGrowth : measureAll)(field, ground, options)
    return {
      versions: Object.fromEntries(field.entrants.map(({ name, version }) => [name, version])),
      absent: field.absent,
      rows,
      notes: [await timeReading(options, folder), ...notesOf(field)],
    }
  } finally {
    endAllRuns()
  }
}

const notesOf = ({ entrants }: Field): string[] =>
  entrants.flatMap(({ name, note, logLines }) => [
    ...(note ? [`${name}: ${note}`] : []),
    ...(logLines ? [`${name}: It is given ${(logLines * 100) / 1e6} MB to log.`] : []),
  ])

async function measureAll(field: Field, ground: Ground, options: Options): Promise<readonly Row[]> {
  const managers = field.entrants.filter(({ name }) => name !== bareNode.name)
  const one = await measureCycles(field.entrants, ground, 1, Math.min(options.rounds, 5))
  const hundred = await measureCycles(managers, ground, 100, Math.min(options.rounds, 3))
  const idle = [await measureIdle(field.entrants, ground, 1), await measureIdle(managers, ground, 100)]
  return [
    ...one.slice(0, 1),
    ...hundred.slice(0, 3),
    await measureCrash(managers, ground),
    ...(await measureLog(managers, ground, Math.min(options.rounds, 3))),
    ...one.slice(3),
    ...hundred.slice(3),
    ...idle,
    ...(await measureReload(managers, ground, options.python)),
  ]
}

async function measureGrowth({ entrants }: Field, ground: Ground, { rounds }: Options): Promise<readonly Row[]> {
  const some = entrants.filter(({ name }) => SCALED.has(name))
  const rows: Row[] = []
  for (const count of SCALE) {
    rows.push(...(await measureCycles(some, ground, count, Math.min(rounds, 3))))
    rows.push(await measureIdle(some, ground, count))
  }
  return rows
}

/** What the way from the command to the first child has in it that other managers do not do. */
async function timeReading({ python }: Options, folder: string): Promise<string> {
  const project = join(folder, 'reading')
  writeProject(project, { child: '{"BACKEND": "command", "APP": "true"}' })
  const env = measuredEnv({ PRODSERVER_PYTHON: python, DJANGO_SETTINGS_MODULE: 'mysite.settings' })
  const time = async (...argv: readonly string[]): Promise<string> => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) times.push((await timeToEnd({ argv, cwd: project, env })).wallMs)
    return `${median(times).toFixed(0)} ms`
  }
  const reading = await time(python, '-c', 'import mysite.settings')
  const node = await time(copyNode(), '-e', '0')
  const list = await time(copyNode(), BIN, 'list')
  return `Reading the settings alone: ${reading} (\`python -c "import mysite.settings"\`); \`node -e 0\`: ${node}; \`prodserver list\`, which is both: ${list}.`
}
