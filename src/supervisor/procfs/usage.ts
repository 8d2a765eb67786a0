import { readFileSync } from 'node:fs'
import type { Usage } from '../../control/protocol.ts'
import type { ProcessRow } from './process-table.ts'

/** What `/proc` counts processor time in; Linux shows it to programs as hundredths of a second on every machine. */
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

interface UsageOptions {
  /** Monotonic. */
  readonly nowMs?: () => number
  readonly proc?: string
  readonly pageBytes?: number
}

/** Measures processor time and memory of whole process trees, and remembers the last sight of each. */
export class UsageSampler {
  readonly #nowMs: () => number
  readonly #proc: string
  readonly #pageBytes: number
  readonly #samples = new Map<string, Sample>()

  constructor({ nowMs = () => performance.now(), proc = '/proc', pageBytes = PAGE_BYTES }: UsageOptions = {}) {
    this.#nowMs = nowMs
    this.#proc = proc
    this.#pageBytes = pageBytes
  }

  /**
   * Of the processes of one instance, as `belongsTo` finds them alive. The processor's share is that since this was
   * called last with this name, or since the oldest of them was started.
   */
  measure(instance: string, rows: readonly ProcessRow[]): Usage {
    const atMs = this.#nowMs()
    const before = this.#samples.get(instance)
    this.#samples.set(instance, { atMs, rows: new Map(rows.map((row) => [row.pid, row])) })
    const ticks = ticksBetween(before?.rows ?? new Map(), rows)
    const elapsedMs = before ? atMs - before.atMs : this.#ageMs(rows)
    return {
      cpuPercent: elapsedMs > 0 ? round((ticks / TICKS_PER_SECOND / elapsedMs) * 1000 * 100) : 0,
      memoryBytes: rows.reduce((sum, { pid }) => sum + memoryBytes(pid, this.#proc, this.#pageBytes), 0),
      processes: rows.length,
    }
  }

  #ageMs(rows: readonly ProcessRow[]): number {
    const uptimeMs = Number.parseFloat(readText(`${this.#proc}/uptime`)) * 1000
    return uptimeMs - (Math.min(...rows.map(({ startTicks }) => startTicks)) / TICKS_PER_SECOND) * 1000
  }

  /** An instance that is gone, or begins a new life. */
  forget(instance: string): void {
    this.#samples.delete(instance)
  }
}

interface Sample {
  readonly atMs: number
  readonly rows: ReadonlyMap<number, ProcessRow>
}

/**
 * Processor time of a tree between two sights of it.
 *
 * A parent that collects a child takes over all its time, of which what was seen before is not counted again.
 */
export function ticksBetween(before: ReadonlyMap<number, ProcessRow>, rows: readonly ProcessRow[]): number {
  const now = new Map(rows.map((row) => [row.pid, row]))
  const collected = new Map<number, number>()
  for (const row of before.values())
    if (!isSame(row, now.get(row.pid))) collected.set(row.ppid, (collected.get(row.ppid) ?? 0) + row.cpuTicks)
  return rows.reduce((sum, row) => {
    const last = before.get(row.pid)
    const seen = isSame(row, last) ? (last?.cpuTicks ?? 0) + (collected.get(row.pid) ?? 0) : 0
    return sum + Math.max(0, row.cpuTicks - seen)
  }, 0)
}

const isSame = (a: ProcessRow | undefined, b: ProcessRow | undefined): boolean =>
  a !== undefined && a.startTicks === b?.startTicks

/**
 * The proportional set size, in which memory that several processes share counts once. Where it may not be read it is
 * the resident set size, which counts that for each of them; 0 for a process that ended.
 */
export function memoryBytes(pid: number, proc = '/proc', pageBytes: number = PAGE_BYTES): number {
  const kilobytes = /^Pss: +(\d+) kB$/m.exec(readText(`${proc}/${pid}/smaps_rollup`))?.[1]
  if (kilobytes !== undefined) return Number(kilobytes) * 1024
  const pages = /^\d+ (\d+)/.exec(readText(`${proc}/${pid}/statm`))?.[1]
  return Number(pages ?? 0) * pageBytes
}

const round = (percent: number): number => Math.round(percent * 10) / 10

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
