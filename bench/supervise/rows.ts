/** The contests between process managers, each as rows of the table. */
import { join } from 'node:path'
import { say } from '../machine.ts'
import { OURS, VARIANTS } from './contestants/prodserver.ts'
import { crash } from './crash.ts'
import { type Entrant, inTurns } from './field.ts'
import { countWakeUps, IDLE_SECONDS } from './idle.ts'
import { log, type Stored } from './log.ts'
import { writeProject } from './project.ts'
import { reload } from './reload.ts'
import { type Cycle, type Ground, startAndStop } from './start-and-stop.ts'
import { makeRow, type Row } from './table.ts'

const MEBIBYTE = 2 ** 20

/** Start, stop of the children, stop of all, memory. */
export async function measureCycles(
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

export async function measureIdle(entrants: readonly Entrant[], ground: Ground, count: number): Promise<Row> {
  say(`measuring idleness with ${children(count)}`)
  const samples = await countWakeUps(entrants, ground, count)
  const what = `wake-ups in ${IDLE_SECONDS} s with ${children(count)}`
  return makeRow({ what, unit: '' }, samples, (wakeUps) => wakeUps)
}

export async function measureCrash(managers: readonly Entrant[], ground: Ground): Promise<Row> {
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

export async function measureLog(
  managers: readonly Entrant[],
  ground: Ground,
  rounds: number,
): Promise<readonly Row[]> {
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

export async function measureReload(
  managers: readonly Entrant[],
  { folder, ...ground }: Ground,
  python: string,
): Promise<readonly Row[]> {
  say('measuring reloads under load')
  const project = join(folder, 'web')
  writeProject(project, {})
  const able = managers.filter(
    ({ name, configureWeb }) => configureWeb && (name === OURS || !VARIANTS.some((variant) => variant === name)),
  )
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

const children = (count: number): string => (count === 1 ? '1 child' : `${count} children`)
