/** Process managers beside each other, in one run: everything that is measured, in the order of the report. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BIN, measuredEnv, say } from '../machine.ts'
import { timeToEnd } from '../measure.ts'
import { bareNode } from './contestants/bare-node.ts'
import { ALTERNATIVES } from './contestants/index.ts'
import { BACKGROUND, OURS, prodserver } from './contestants/prodserver.ts'
import { crash } from './crash.ts'
import { type Entrant, type Field, gather, inTurns } from './field.ts'
import { countWakeUps, IDLE_SECONDS } from './idle.ts'
import { compileChild, copyNode } from './install.ts'
import { log, type Stored } from './log.ts'
import { writeProject } from './project.ts'
import { reload } from './reload.ts'
import { endAllRuns } from './running.ts'
import { type Cycle, type Ground, startAndStop } from './start-and-stop.ts'
import { makeRow, median, type Row } from './table.ts'

export interface Options {
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

const MEBIBYTE = 2 ** 20
const SCALE = [1, 10, 100, 500]
/** The others would take minutes. */
const SCALED = new Set([OURS, BACKGROUND, 'Circus', 'honcho', 'PM2', 'runit', 's6'])

export async function measureSupervision(options: Options, folder: string): Promise<Supervision> {
  if (!existsSync('/proc/self/smaps_rollup')) throw new Error('Only Linux tells what is measured of process managers')
  try {
    const { python, version } = options
    const ours = [false, true].map((inBackground) => prodserver(python, version, inBackground))
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
    ...(await measureReload(managers, ground, options)),
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

/** Start, stop of the children, stop of all, memory. */
async function measureCycles(
  entrants: readonly Entrant[],
  ground: Ground,
  count: number,
  rounds: number,
): Promise<readonly Row[]> {
  say(`measuring start and stop of ${children(count)}`)
  const samples = await inTurns(entrants, { rounds, budgetMs: 30_000 }, (entrant) =>
    startAndStop(entrant, ground, count),
  )
  const row = (what: string, unit: string, figure: (cycle: Cycle) => number): Row =>
    makeRow({ what, unit }, samples, figure)
  return [
    row(count === 1 ? 'from the command to the first child' : `start ${count} children`, 'ms', (of) => of.startMs),
    row(`stop ${children(count)}, until none lives`, 'ms', (of) => of.stop.childrenMs),
    row(`stop ${children(count)}, until nothing lives`, 'ms', (of) => of.stop.allMs),
    row(`memory (PSS) with ${children(count)}`, 'MiB', ({ pss }) => pss / MEBIBYTE),
  ]
}

async function measureIdle(entrants: readonly Entrant[], ground: Ground, count: number): Promise<Row> {
  say(`measuring idleness with ${children(count)}`)
  const samples = await countWakeUps(entrants, ground, count)
  const what = `wake-ups in ${IDLE_SECONDS} s with ${children(count)}`
  return makeRow({ what, unit: '' }, samples, (wakeUps) => wakeUps)
}

async function measureCrash(managers: readonly Entrant[], ground: Ground): Promise<Row> {
  say('measuring crash to relaunch')
  const able = managers.filter(({ restarts }) => restarts)
  const samples = await inTurns(able, { rounds: 1, budgetMs: 0 }, (entrant) => crash(entrant, ground))
  const all = new Map([...samples].map(([name, of]) => [name, typeof of === 'string' ? of : of.flat()]))
  return makeRow({ what: 'crash to relaunch', unit: 'ms' }, all, (time) => time)
}

const WRITINGS = [
  { what: 'in writes of 64 KiB', lines: 2_000_000, block: 65_536, rounds: 3 },
  { what: 'a write each', lines: 500_000, block: 100, rounds: 2 },
]

async function measureLog(managers: readonly Entrant[], ground: Ground, rounds: number): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const { what, lines, block, ...writing } of WRITINGS) {
    const title = `log of ${(lines * 100) / 1e6} MB in lines of 100 bytes, ${what}`
    say(`measuring ${title}`)
    const turns = { rounds: Math.min(rounds, writing.rounds), budgetMs: 9_000 }
    const samples = await inTurns(managers, turns, ({ logLines = lines, ...entrant }) =>
      log(entrant, ground, { lines: Math.min(lines, logLines), block }),
    )
    const row = (of: string, unit: string, figure: (stored: Stored) => number): Row =>
      makeRow({ what: `${title}: ${of}`, unit, more: unit === 'MB/s' }, samples, figure)
    rows.push(
      row('stored', 'MB/s', ({ megabytesPerSecond }) => megabytesPerSecond),
      row('CPU of the manager for 100 MB', 's', ({ cpuSeconds }) => cpuSeconds),
      row('peak memory (RSS)', 'MiB', ({ peakRss }) => peakRss / MEBIBYTE),
      row('lines lost', '', ({ lost }) => lost),
    )
  }
  return rows.filter(
    ({ unit, cells }) => unit !== '' || Object.values(cells).some((cell) => 'most' in cell && cell.most),
  )
}

async function measureReload(
  managers: readonly Entrant[],
  { folder, ...ground }: Ground,
  { python }: Options,
): Promise<readonly Row[]> {
  say('measuring reloads under load')
  const project = join(folder, 'web')
  writeProject(project, {})
  const able = managers.filter(({ name, configureWeb }) => configureWeb && name !== BACKGROUND)
  const samples = await inTurns(able, { rounds: 1, budgetMs: 0 }, (entrant) =>
    reload(entrant, { ...ground, folder }, { python, project }),
  )
  const what = 'three reloads of gunicorn under load'
  return [
    makeRow({ what: `${what}: requests lost of 1000`, unit: '' }, samples, ({ lost, sent }) => (lost / sent) * 1000),
    makeRow({ what: `${what}: longest time without an answer`, unit: 'ms' }, samples, ({ gapMs }) => gapMs),
    makeRow({ what: `${what}: the command`, unit: 'ms' }, samples, ({ commandMs }) => commandMs),
  ]
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

const children = (count: number): string => (count === 1 ? '1 child' : `${count} children`)
