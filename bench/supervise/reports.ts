/** What children say about themselves: records of 32 bytes in one file, each appended in one write. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

interface Report {
  /** On the clock of `process.hrtime`, in milliseconds. */
  readonly atMs: number
  readonly pid: number
}

const RECORD_BYTES = 32

export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

export const countReports = (path: string): number => (existsSync(path) ? statSync(path).size / RECORD_BYTES : 0)

export function readReports(path: string): readonly Report[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'latin1')
    .trimEnd()
    .split('\n')
    .map((line) => ({ atMs: Number(line.slice(0, 20)) / 1e6, pid: Number(line.slice(21)) }))
}

/** Waits for so many. The times are the children's own, so how often one looks changes nothing. @returns false when it took too long. */
export async function waitForReports(path: string, count: number, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs
  while (countReports(path) < count) {
    if (performance.now() > deadline) return false
    await sleep(2)
  }
  return true
}
