import type { ProcessRow, ProcessTable } from './process-table.ts'
import { belongsTo, describeRow, isAlive, readCommandLine, readEnvironMark, readProcessTable } from './process-table.ts'

/** A life whose main process has gone, or is to go with all that it started. */
export interface SweptLife {
  readonly pid: number
  readonly startTicks: number
  /** Its name in the environment of everything that it started. */
  readonly mark: string
  /** An earlier sight of what belonged to it. */
  readonly known: ReadonlyMap<number, number>
}

/** The variable that finds what left its session and lost its parent. */
export const MARK = 'PRODSERVER_LIFE'

export interface Sweeper {
  /** Ends everything that is left of a life; what cannot be ended, in words. */
  readonly sweep: (life: SweptLife) => Promise<readonly string[]>
  /** Everything that belongs to a life now, itself included. */
  readonly look: (life: SweptLife) => readonly ProcessRow[]
}

const FIRST_WAIT_MS = 2
const LONGEST_WAIT_MS = 200
/** Only the kernel delays the end of a process that was killed. */
const PATIENCE_MS = 10_000

/**
 * Ends what programs leave behind. Lives that end together are looked for together: reading the table of processes is
 * what takes the time.
 */
export function createSweeper(keeperPid: () => number): Sweeper {
  interface Request extends SweptLife {
    readonly settle: (left: readonly string[]) => void
    readonly deadlineMs: number
  }
  let requests: Request[] = []
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  let waitMs = FIRST_WAIT_MS
  let table: ProcessTable | undefined

  /** Several lives that are stopped in one go share one sight of the system. */
  const currentTable = (): ProcessTable => {
    if (!table) {
      table = readProcessTable()
      setImmediate(() => (table = undefined))
    }
    return table
  }

  const round = (): void => {
    timer = undefined
    const now = readProcessTable()
    requests = requests.filter((request) => {
      const left = remains(now, request, keeperPid())
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
    look: (life) => remains(currentTable(), life, keeperPid()),
    sweep: (life) =>
      new Promise((settle) => {
        requests.push({ ...life, settle, deadlineMs: performance.now() + PATIENCE_MS })
        waitMs = FIRST_WAIT_MS
        timer ??= setImmediate(round)
      }),
  }
}

function remains(table: ProcessTable, { pid, startTicks, known, mark }: SweptLife, keeperPid: number): ProcessRow[] {
  const { alive } = belongsTo(table, { pid, startTicks, known: withOrphans(table, known, mark, keeperPid) })
  return [...alive]
}

/** Processes that made a session of their own and lost their parent are children of the keeper then, or of init. */
function withOrphans(
  table: ProcessTable,
  known: ReadonlyMap<number, number>,
  mark: string,
  keeperPid: number,
): ReadonlyMap<number, number> {
  const orphans = [...table.values()].filter(
    (row) => row.ppid === keeperPid && isAlive(row) && readEnvironMark(row.pid, MARK) === mark,
  )
  return orphans.length === 0 ? known : new Map([...known, ...orphans.map((row) => [row.pid, row.startTicks] as const)])
}

function killRow({ pid }: ProcessRow): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone meanwhile, or not ours to end: the next look tells.
  }
}
