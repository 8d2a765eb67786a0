import { readFileSync, statSync } from 'node:fs'
import type { ProcessRow, ProcessTable } from './process-table.ts'
import { belongsTo, describeRow, isAlive, readCommandLine, readEnvironMark, readProcessTable } from './process-table.ts'

/** A life whose main process has gone, or is to go with all that it started. */
export interface Remains {
  readonly pid: number
  readonly startTicks: number
  /** Its name in the environment of everything that it started; null for all that lost their parent, whoever's they are. */
  readonly mark: string | null
  /** An earlier sight of what belonged to it. */
  readonly known: ReadonlyMap<number, number>
}

/** The variable that finds what left its session and lost its parent. */
export const MARK = 'PRODSERVER_LIFE'

/** Its value. The same lives are called the same in every state directory. */
export const markOf = (place: string, token: string): string => `${place}/${token}`

/** What a state directory is called there: a folder has one name for the system, whatever it is called by. */
export function placeOf(stateDir: string): string {
  const { dev, ino } = statSync(stateDir, { bigint: true })
  return `${dev.toString(36)}-${ino.toString(36)}`
}

export interface Sweeper {
  /** Ends everything that is left of a life; what cannot be ended, in words. */
  readonly sweep: (life: Remains) => Promise<readonly string[]>
  /** Everything that belongs to a life now, itself included. */
  readonly look: (life: Remains) => readonly ProcessRow[]
  /** The lives whose processes lost their parent. */
  readonly marks: () => readonly string[]
}

const FIRST_WAIT_MS = 2
const LONGEST_WAIT_MS = 200
/** Only the kernel delays the end of a process that was killed. */
const PATIENCE_MS = 10_000

/** What the sweeper has to know of the shim's children. */
interface Family {
  readonly shimPid: () => number
  /** Whether that child was started as an instance, or is the supervisor: it has not lost its parent. */
  readonly isMain: (pid: number) => boolean
  /** Tells our lives from those of another state directory. */
  readonly place: string
  /** Whether a shim before this one was killed: its children went to whoever was its own parent. */
  readonly hasOthers: () => boolean
  /** Whether this shim started it, so that all that it leaves behind comes to this shim. */
  readonly isOurs: (life: Remains) => boolean
}

/** The system at one moment, and who lost its parent in it. */
interface Sight {
  readonly table: ProcessTable
  /** Pids with their start, by the life that they are of. */
  readonly orphans: ReadonlyMap<string, ReadonlyMap<number, number>>
}

/**
 * Ends what programs leave behind. Lives that end together are looked for together: reading the table of processes is
 * what takes the time.
 */
export function createSweeper(family: Family): Sweeper {
  interface Request extends Remains {
    readonly settle: (left: readonly string[]) => void
    readonly deadlineMs: number
  }
  let requests: Request[] = []
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  let waitMs = FIRST_WAIT_MS
  let sight: Sight | undefined

  /** Several lives that are stopped in one go share one sight of the system. */
  const currentSight = (): Sight => {
    if (!sight) {
      sight = look(family)
      setImmediate(() => (sight = undefined))
    }
    return sight
  }

  const round = (): void => {
    timer = undefined
    const now = look(family)
    requests = requests.filter((request) => {
      const left = remains(now, request)
      if (left.length === 0) {
        request.settle([])
        return false
      }
      if (performance.now() > request.deadlineMs) {
        request.settle(left.map((row) => describeRow(row, readCommandLine(row.pid))))
        return false
      }
      for (const row of left) killRow(row)
      return true
    })
    if (requests.length === 0) {
      waitMs = FIRST_WAIT_MS
      return
    }
    timer = setTimeout(round, waitMs)
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
  }

  return {
    look: (life) => remains(currentSight(), life),
    marks: () => [...look(family).orphans.keys()].filter((mark) => mark !== ''),
    sweep: (life) => {
      if (family.isOurs(life) && isClean(life, family)) return Promise.resolve([])
      return new Promise((settle) => {
        requests.push({ ...life, settle, deadlineMs: performance.now() + PATIENCE_MS })
        waitMs = FIRST_WAIT_MS
        timer ??= setImmediate(round)
      })
    },
  }
}

/**
 * Whether nothing can be left, without looking at every process of the machine: the group is empty, and what was
 * started in another one and lost its parent would be a child of the shim.
 */
function isClean({ pid }: Remains, { shimPid, isMain }: Family): boolean {
  try {
    process.kill(-pid, 0)
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') return false
  }
  const shim = shimPid()
  try {
    const children = readFileSync(`/proc/${shim}/task/${shim}/children`, 'latin1').trim().split(' ')
    return children.every((child) => isMain(Number(child)))
  } catch {
    // A kernel that does not list them.
    return false
  }
}

/** Processes that made a session of their own and lost their parent are children of the shim then. */
function look({ shimPid, isMain, place, hasOthers }: Family): Sight {
  const table = readProcessTable()
  const shim = shimPid()
  const reapers = hasOthers() ? ancestors(table, shim) : new Set<number>()
  const prefix = markOf(place, '')
  const orphans = new Map<string, Map<number, number>>()
  for (const row of table.values()) {
    const isOwn = row.ppid === shim
    if ((!isOwn && !reapers.has(row.ppid)) || row.pid === shim || !isAlive(row) || isMain(row.pid)) continue
    const value = readEnvironMark(row.pid, MARK) ?? ''
    const isOurs = value.startsWith(prefix)
    if (!isOwn && !isOurs) continue
    const mark = isOurs ? value.slice(prefix.length) : ''
    const found = orphans.get(mark) ?? new Map<number, number>()
    orphans.set(mark, found.set(row.pid, row.startTicks))
  }
  return { table, orphans }
}

/** Init, and what a service manager may have put in its place. */
function ancestors(table: ProcessTable, pid: number): Set<number> {
  const found = new Set([1])
  for (let row = table.get(pid); row && !found.has(row.ppid); row = table.get(row.ppid)) found.add(row.ppid)
  return found
}

function remains({ table, orphans }: Sight, { pid, startTicks, known, mark }: Remains): readonly ProcessRow[] {
  const own = mark === null ? [...orphans.values()].flatMap((some) => [...some]) : (orphans.get(mark) ?? [])
  return belongsTo(table, { pid, startTicks, known: new Map([...known, ...own]) }).alive
}

function killRow({ pid }: ProcessRow): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone meanwhile, or not ours to end: the next look tells.
  }
}
