/** How fast what one child writes is stored, and what that costs the manager. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { printDuration } from '../../src/core/durations.ts'
import type { Setup } from './contestant.ts'
import type { Entrant } from './field.ts'
import { readCpuMs, readMemory } from './processes.ts'
import { nowMs, readReports, waitForReports } from './reports.ts'
import { endRun, makePlace, managersOf, type Run, settle, startRun, stopRun, waitForChildren } from './running.ts'
import type { Ground } from './start-and-stop.ts'

export interface Stored {
  readonly megabytesPerSecond: number
  /** Processor time of the manager for 100 MB, seconds. */
  readonly cpuSeconds: number
  /** Of all processes of the manager, bytes. */
  readonly peakRss: number
  readonly lost: number
}

interface Writing {
  readonly lines: number
  /** Bytes of each write. */
  readonly block: number
}

const LINE_BYTES = 100
const LIMIT_MS = 40_000
const SETTLE_MS = 1000
/** Less than this in that time is nothing. */
const QUIET_MS = 200
const QUIET_CPU_MS = 2
const NEWLINE = 10
const SPACE = 32

export async function log(entrant: Entrant, ground: Ground, { lines, block }: Writing): Promise<Stored> {
  const place = makePlace(ground.folder, ground.node)
  const go = join(place.folder, 'go')
  const argv = [...ground.child, 'lines', place.report, go, String(lines), String(block)]
  const run = startRun(place, entrant.configure({ ...place, argv, count: 1 }))
  try {
    await waitForChildren(run, 1)
    await settle(run, SETTLE_MS)
    const managers = managersOf(run)
    for (const pid of managers) forgetPeak(pid)
    const cpuBefore = readCpuMs(managers)
    writeFileSync(go, '')
    const storedMs = await waitForLast(run, lines * LINE_BYTES)
    const cpuMs = (await waitForQuiet(managers)) - cpuBefore
    const { peakRss } = readMemory(managers)
    await waitForReports(place.report, 3, LIMIT_MS)
    const megabytes = (lines * LINE_BYTES) / 1e6
    const seconds = (storedMs - (readReports(place.report)[1]?.atMs ?? Number.NaN)) / 1000
    await stopRun(run)
    const lost = lines - countLines(run.setup.logs)
    return { megabytesPerSecond: megabytes / seconds, cpuSeconds: (cpuMs / 1000 / megabytes) * 100, peakRss, lost }
  } finally {
    await endRun(run)
  }
}

/** From here on the kernel keeps a new largest resident set. */
function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // It ended meanwhile, or this kernel cannot: then the peak is that of its whole life.
  }
}

/** @returns when the last line was in a file. */
async function waitForLast({ setup: { logs } }: Run<Setup>, bytes: number): Promise<number> {
  const deadline = performance.now() + LIMIT_MS
  while (performance.now() < deadline) {
    const files = list(logs).map((path) => ({ path, size: sizeOf(path) }))
    const size = files.reduce((sum, { size }) => sum + size, 0)
    if (size >= bytes && files.some(({ path, size }) => readTail(path, size).includes('the last'))) return nowMs()
    await sleep(2)
  }
  const stored = list(logs).reduce((sum, path) => sum + sizeOf(path), 0)
  throw new Error(`${stored} of ${bytes} bytes were stored in ${printDuration(LIMIT_MS)}`)
}

/** What is stored may still be printed. @returns the processor time when they use none any more. */
async function waitForQuiet(managers: readonly number[]): Promise<number> {
  const deadline = performance.now() + LIMIT_MS
  for (let before = -1; ; await sleep(QUIET_MS)) {
    const cpuMs = readCpuMs(managers)
    if (cpuMs - before < QUIET_CPU_MS || performance.now() > deadline) return cpuMs
    before = cpuMs
  }
}

const list = ({ folder, pattern = /^/ }: Setup['logs']): string[] =>
  readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))

/** 0 where it has been renamed meanwhile. */
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

function readTail(path: string, size: number): string {
  const tail = Buffer.alloc(3 * LINE_BYTES)
  try {
    const file = openSync(path, 'r')
    const count = readSync(file, tail, 0, tail.length, Math.max(size - tail.length, 0))
    closeSync(file)
    return tail.toString('latin1', 0, count)
  } catch {
    return ''
  }
}

/** Of the child: a line of the manager does not end in a space. A file may end anywhere in a line. */
function countLines(logs: Setup['logs']): number {
  let count = 0
  for (const path of list(logs)) {
    const bytes = readFileSync(path)
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1))
      if (at === 0 || bytes[at - 1] === SPACE) count++
  }
  return count
}
