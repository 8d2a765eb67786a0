/** One run of a process manager: started, looked at, stopped, and ended by all means. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { measuredEnv } from '../machine.ts'
import type { Command } from '../measure.ts'
import type { Setup } from './contestant.ts'
import { MARK, processesOf, waitForEnd } from './processes.ts'
import { nowMs, readReports, waitForReports } from './reports.ts'

/** A start or a stop that takes longer has failed. */
export const LIMIT_MS = 60_000

export interface Run<S extends Omit<Setup, 'logs'>> {
  readonly id: string
  readonly folder: string
  readonly report: string
  readonly setup: S
  readonly child: ChildProcess
  readonly startedMs: number
}

/** What a run has before it starts. */
interface Place {
  readonly id: string
  readonly folder: string
  readonly env: Record<string, string>
  /** Where children report to. */
  readonly report: string
}

/** Runs that have not been ended yet. */
const running = new Set<string>()

/** Kept short: a path of a Unix socket below it has 107 characters. */
export function makePlace(below: string, node: string): Place {
  const folder = mkdtempSync(join(below, 'r-'))
  const id = randomUUID()
  mkdirSync(join(folder, 'logs'))
  const path = `${join(node, '..')}:${process.env['PATH'] ?? ''}`
  const env = measuredEnv({ [MARK]: id, HOME: folder, PATH: path, PYTHONUNBUFFERED: '1', LANG: 'C.UTF-8' })
  return { id, folder, env, report: join(folder, 'reports') }
}

/** What it prints goes to `logs/output.log`: that is where those that have no log files of their own put lines. */
export function startRun<S extends Omit<Setup, 'logs'>>({ id, folder, report }: Place, setup: S): Run<S> {
  running.add(id)
  const output = openSync(join(folder, 'logs', 'output.log'), 'a')
  const { argv, cwd, env } = setup.start
  const startedMs = nowMs()
  const child = spawn(argv[0] as string, argv.slice(1), { cwd, env, detached: true, stdio: ['ignore', output, output] })
  child.on('error', (error) => writeFileSync(join(folder, 'logs', 'output.log'), String(error)))
  closeSync(output)
  return { id, folder, report, setup, child, startedMs }
}

/** @returns how long it took until so many children ran, by their own clocks. */
export async function waitForChildren({ report, startedMs, folder }: Run<Setup>, count: number): Promise<number> {
  if (await waitForReports(report, count, LIMIT_MS))
    return Math.max(...readReports(report).map(({ atMs }) => atMs)) - startedMs
  const output = readFileSync(join(folder, 'logs', 'output.log'), 'utf8').slice(-2000)
  throw new Error(`${readReports(report).length} of ${count} children run\n${output}`)
}

/** Leaves it alone for so long, once a command that only starts everything has ended. */
export async function settle({ child, setup: { stop } }: Run<Setup>, ms: number): Promise<void> {
  if (typeof stop === 'object' && child.exitCode === null && child.signalCode === null)
    await once(child, 'exit', { signal: AbortSignal.timeout(LIMIT_MS) })
  await sleep(ms)
}

/** All of a run that is not a child. */
export function managersOf({ id, report }: Run<Setup>): readonly number[] {
  const children = new Set(readReports(report).map(({ pid }) => pid))
  return processesOf(id).filter((pid) => !children.has(pid))
}

export interface StopTimes {
  /** Until no child lived any more. */
  readonly childrenMs: number
  /** Until nothing of the manager lived either. */
  readonly allMs: number
}

export async function stopRun({ id, setup, child, report }: Run<Setup>): Promise<StopTimes> {
  const all = processesOf(id)
  const { stop = 'SIGTERM' } = setup
  const askedMs = nowMs()
  const command = typeof stop === 'string' ? undefined : runCommand(stop)
  if (typeof stop === 'string') child.kill(stop)
  const children = readReports(report).map(({ pid }) => pid)
  const left = await waitForEnd(children, LIMIT_MS)
  if (left.length > 0) throw new Error(`${left.length} of ${children.length} children live on`)
  const childrenMs = nowMs() - askedMs
  await waitForEnd(command?.pid === undefined ? all : [...all, command.pid], LIMIT_MS)
  const allMs = nowMs() - askedMs
  const more = processesOf(id)
  if (more.length > 0) throw new Error(`${more.length} processes live on`)
  return { childrenMs, allMs }
}

/** A command of a manager, such as the one that makes it reload. It is not waited for. */
export function runCommand({ argv, cwd, env }: Command): ChildProcess {
  const child = spawn(argv[0] as string, argv.slice(1), { cwd, env, detached: true, stdio: 'ignore' })
  child.on('error', () => {})
  return child
}

/** Gives it time to end by itself, then ends what is left, each process by its own id. @returns how many were left. */
export async function endRun({ id, folder, child }: Run<Omit<Setup, 'logs'>>, patienceMs = 15_000): Promise<number> {
  await waitForEnd(processesOf(id), patienceMs)
  const left = killAll(id)
  await waitForEnd(left, LIMIT_MS)
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) await once(child, 'exit')
  running.delete(id)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  return left.length
}

/** Ends whatever is being measured, for when the bench itself is ended. */
export function endAllRuns(): void {
  for (const id of running) killAll(id)
}

/** Until nothing new appears: what is killed may have been starting something. */
function killAll(id: string): readonly number[] {
  const killed: number[] = []
  for (let left = processesOf(id); left.length > 0 && killed.length < 5000; left = processesOf(id)) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Ended meanwhile.
      }
    }
    killed.push(...left)
  }
  return killed
}
