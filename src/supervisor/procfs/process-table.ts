import { readdirSync, readFileSync } from 'node:fs'

/** A process, as the system tells of it at one moment. */
export interface ProcessRow {
  readonly pid: number
  readonly ppid: number
  readonly pgid: number
  readonly sid: number
  /** The system's letter: `R` runs, `S` sleeps, `D` cannot be interrupted, `T` is halted, `Z` ended. */
  readonly state: string
  /** When it was started, in ticks since the system was. With the pid it names a process for as long as that is up. */
  readonly startTicks: number
  /** Processor time that it used, and those of its children that it collected, in ticks. */
  readonly cpuTicks: number
  /** The program's name, at most 15 characters; `readCommandLine` has all of it. */
  readonly command: string
}

/** All processes, by pid. */
export type ProcessTable = ReadonlyMap<number, ProcessRow>

/** What belongs to an instance. */
interface ProcessTree {
  /** Parents before their children. */
  readonly alive: readonly ProcessRow[]
  /** Ended, and not yet collected by their parents: no signal reaches these, and they hold nothing. */
  readonly zombies: readonly ProcessRow[]
}

/** Reads all processes, or those that this user may see. A process that ends meanwhile is left out. */
export function readProcessTable(proc = '/proc'): ProcessTable {
  const table = new Map<number, ProcessRow>()
  for (const name of readdirSync(proc)) {
    const row = /^\d+$/.test(name) ? readProcess(Number(name), proc) : undefined
    if (row) table.set(row.pid, row)
  }
  return table
}

/** One process; undefined when there is none. */
export function readProcess(pid: number, proc = '/proc'): ProcessRow | undefined {
  const text = readText(`${proc}/${pid}/stat`)
  return text === undefined ? undefined : parseStat(text)
}

/** Reads a line of `/proc/PID/stat`. */
export function parseStat(text: string): ProcessRow | undefined {
  // The name stands in parentheses, and may itself have any character, these and spaces included.
  const nameAt = text.indexOf('(')
  const nameEnd = text.lastIndexOf(')')
  const fields = text.slice(nameEnd + 2).split(' ')
  if (nameAt < 0 || nameEnd < nameAt || fields.length < 20) return undefined
  // From here on the numbers are those of proc(5) less 3.
  const number = (field: number): number => Number(fields[field])
  const state = fields[0] ?? ''
  return {
    pid: Number(text.slice(0, nameAt)),
    ppid: number(1),
    pgid: number(2),
    sid: number(3),
    // A process whose first thread ended is shown as ended, while its other threads go on.
    state: state === 'Z' && number(17) > 1 ? 'S' : state,
    startTicks: number(19),
    cpuTicks: number(11) + number(12) + number(13) + number(14),
    command: text.slice(nameAt + 1, nameEnd),
  }
}

/** All processes below one, parents before their children. */
export function descendants(table: ProcessTable, pid: number): readonly ProcessRow[] {
  return withDescendants(table, [pid]).filter((row) => row.pid !== pid)
}

/**
 * Everything that belongs to an instance whose main process is, or was, `pid`, the leader of its own session and group.
 *
 * `known` is an earlier sight of it, pids with their start: what made a session of its own since then and lost its
 * parent is found by that alone. Of a pid that somebody else has now, nothing is taken.
 */
export function belongsTo(
  table: ProcessTable,
  instance: {
    readonly pid: number
    readonly startTicks: number
    readonly known: ReadonlyMap<number, number>
  },
): ProcessTree {
  const { pid, startTicks, known } = instance
  // The system gives a number to nobody else while a session or a group has it: where the number has another owner,
  // so has the session.
  const taken = (table.get(pid)?.startTicks ?? startTicks) !== startTicks
  const seeds = [...table.values()].filter(
    (row) =>
      known.get(row.pid) === row.startTicks ||
      (!taken && (row.sid === pid || row.pgid === pid || row.pid === pid) && row.startTicks >= startTicks),
  )
  const all = withDescendants(
    table,
    seeds.map((row) => row.pid),
  )
  return { alive: all.filter(isAlive), zombies: all.filter((row) => !isAlive(row)) }
}

/** Whether a row is of a process that still runs. */
export const isAlive = (row: ProcessRow): boolean => row.state !== 'Z' && row.state !== 'X'

/** Whether this very process still runs, and not a later one with its number. One that ended does not run. */
export function isSameProcess(pid: number, startTicks: number, proc = '/proc'): boolean {
  const row = readProcess(pid, proc)
  return row !== undefined && row.startTicks === startTicks && isAlive(row)
}

/** Names the time since the system was started: start ticks mean nothing in another. Empty where it is not told. */
export const bootId = (proc = '/proc'): string => readText(`${proc}/sys/kernel/random/boot_id`)?.trim() ?? ''

/**
 * A variable of the environment that a process was started with; undefined without it, or without the right to look.
 *
 * It goes on to all that a program starts, and so finds those that left its session and lost their parent.
 */
export function readEnvironMark(pid: number, name: string, proc = '/proc'): string | undefined {
  const entries = readText(`${proc}/${pid}/environ`)?.split('\0')
  return entries?.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** As whom a process runs, by number; undefined when it ended. */
export function readIdentity(pid: number, proc = '/proc'): { readonly uid: number; readonly gid: number } | undefined {
  const status = readText(`${proc}/${pid}/status`) ?? ''
  // Real, effective, saved, for files: what it may do is the second.
  const [uid, gid] = ['Uid', 'Gid'].map((name) => new RegExp(`^${name}:\\s+\\d+\\s+(\\d+)`, 'm').exec(status)?.[1])
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** The whole command line of a process in one line; undefined when it ended or the system itself made it. */
export function readCommandLine(pid: number, proc = '/proc'): string | undefined {
  const words = readText(`${proc}/${pid}/cmdline`)
    ?.replace(/\0+$/, '')
    // oxlint-disable-next-line no-control-regex -- Nothing in it may move the cursor of who reads this.
    .replace(/[\x00-\x1f\x7f]+/g, ' ')
  return words || undefined
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  D: 'waiting for the disk',
  T: 'halted by a signal',
  t: 'halted by a debugger',
  Z: 'ended, not collected by its parent',
}

const COMMAND_LENGTH = 80

/**
 * A command line for a person, in 80 characters: without the folder of the program, and cut in the middle, since what
 * tells one from another are its beginning and its end.
 */
export function shortCommand(commandLine: string): string {
  const words = commandLine.replace(/^\/\S*\/(?=\S)/, '')
  if (words.length <= COMMAND_LENGTH) return words
  const half = COMMAND_LENGTH / 2
  return `${words.slice(0, half)}…${words.slice(1 - half)}`
}

/** For a person: pid 4121 `python worker.py`, state D (waiting for the disk), parent 1. */
export function describeRow(row: ProcessRow, commandLine: string = row.command): string {
  const words = STATE_WORDS[row.state]
  return `pid ${row.pid} \`${shortCommand(commandLine)}\`, state ${row.state}${words ? ` (${words})` : ''}, parent ${row.ppid}`
}

/** Of these pids those that exist, and all below them, each once. */
function withDescendants(table: ProcessTable, pids: readonly number[]): ProcessRow[] {
  const children = new Map<number, number[]>()
  for (const { pid, ppid } of table.values()) {
    const siblings = children.get(ppid)
    if (siblings) siblings.push(pid)
    else children.set(ppid, [pid])
  }
  const given = new Set(pids)
  const found = new Set<number>()
  // The topmost first; all of them then, as a table that was read while pids changed hands may have a circle.
  const queue = [...pids.filter((pid) => !given.has(table.get(pid)?.ppid ?? -1)), ...pids]
  for (const pid of queue) {
    if (found.has(pid)) continue
    found.add(pid)
    for (const child of children.get(pid) ?? []) queue.push(child)
  }
  return [...found].flatMap((pid) => table.get(pid) ?? [])
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It ended, or belongs to somebody else.
    return undefined
  }
}
