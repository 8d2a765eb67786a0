/** What /proc tells about the processes of one run: those with its mark in their environment, and their descendants. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** In the environment of everything that a run starts. */
export const MARK = 'SUPERVISE_BENCH_RUN'

interface Process {
  readonly pid: number
  readonly parent: number
  readonly isDead: boolean
}

export function processesOf(run: string): readonly number[] {
  const all = listPids().flatMap((pid) => readProcess(pid) ?? [])
  const found = new Set(all.filter(({ pid }) => hasMark(pid, run)).map(({ pid }) => pid))
  for (let before = -1; before !== found.size;) {
    before = found.size
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
  }
  return all.filter(({ pid, isDead }) => found.has(pid) && !isDead).map(({ pid }) => pid)
}

/** The dead that nobody has waited for yet do not live. */
const isAlive = (pid: number): boolean => readProcess(pid)?.isDead === false

/** Waits until none of them lives. @returns those that still do after the limit. */
export async function waitForEnd(pids: readonly number[], limitMs: number): Promise<readonly number[]> {
  const deadline = performance.now() + limitMs
  let left = pids
  for (;;) {
    // Looked at from the end: one that lives is enough to know that it is not over, and the last started ends last.
    while (left.length > 0 && !isAlive(left.at(-1) as number)) left = left.slice(0, -1)
    if (left.length === 0 || performance.now() > deadline) return left.filter(isAlive)
    await sleep(1)
  }
}

interface Memory {
  /** Proportional set size, bytes: memory that several processes share counts once. */
  readonly pss: number
  /** The largest resident set since {@link forgetPeaks}, bytes, summed up. */
  readonly peakRss: number
}

export function readMemory(pids: readonly number[]): Memory {
  const sum = (file: string, field: string): number =>
    pids.reduce((total, pid) => total + readField(`/proc/${pid}/${file}`, field), 0) * 1024
  return { pss: sum('smaps_rollup', 'Pss'), peakRss: sum('status', 'VmHWM') }
}

/** How often they went to sleep by themselves, so: how often they were woken. */
export const readWakeUps = (pids: readonly number[]): number =>
  threadsOf(pids).reduce((sum, thread) => sum + readField(`${thread}/status`, 'voluntary_ctxt_switches'), 0)

/** Processor time of all their threads, milliseconds. */
export const readCpuMs = (pids: readonly number[]): number =>
  threadsOf(pids).reduce((sum, thread) => sum + Number(read(`${thread}/schedstat`).split(' ')[0] || 0) / 1e6, 0)

const listPids = (): number[] => readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))

const threadsOf = (pids: readonly number[]): string[] =>
  pids.flatMap((pid) => {
    try {
      return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}`)
    } catch {
      return []
    }
  })

const hasMark = (pid: number, run: string): boolean =>
  read(`/proc/${pid}/environ`).split('\0').includes(`${MARK}=${run}`)

function readProcess(pid: number): Process | undefined {
  const text = read(`/proc/${pid}/stat`)
  // The second field is the program's name in parentheses, which may hold anything.
  const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return state ? { pid, parent: Number(parent), isDead: state === 'Z' || state === 'X' } : undefined
}

const readField = (path: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(read(path))?.[1] ?? 0)

/** Empty where it has ended meanwhile, or is another user's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
