/** Starts whole programs and times them. Each has a process group of its own, which is ended before the next starts. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { printDuration } from '../src/core/durations.ts'

export interface Command {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export interface Sample {
  readonly wallMs: number
  /** Processor time of the whole process group, to the kernel's tick of 10 ms; undefined where it is not known. */
  readonly cpuMs: number | undefined
}

/** A start that takes longer has failed. */
const LIMIT_MS = 60_000
const POLL_MS = 1

/** Time from the command to the first byte of an HTTP response. */
export async function timeToAnswer(command: Command, port: number): Promise<Sample> {
  const startedAt = performance.now()
  const { child, output } = start(command)
  try {
    const answer = await firstAnswer(child, port, startedAt + LIMIT_MS)
    const wallMs = performance.now() - startedAt
    const cpuMs = groupCpuMs(child.pid as number)
    if (!/^HTTP\/1\.\d 200 /.test(answer)) throw new Error(`it answered: ${answer.split('\r\n')[0]}`)
    return { wallMs, cpuMs }
  } catch (error) {
    throw new Error(`${command.argv.join(' ')}: ${(error as Error).message}\n${output()}`, { cause: error })
  } finally {
    await endGroup(child)
  }
}

/** Time from the command to its end. */
export async function timeToEnd(command: Command): Promise<Sample> {
  const before = childrenCpuMs()
  const startedAt = performance.now()
  const { child, output } = start(command)
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  const [code] = (await once(child, 'exit')) as [number | null]
  const wallMs = performance.now() - startedAt
  clearTimeout(limit)
  running.delete(child.pid as number)
  if (code !== 0) throw new Error(`${command.argv.join(' ')} ended with exit code ${code}\n${output()}`)
  const after = childrenCpuMs()
  return { wallMs, cpuMs: before === undefined || after === undefined ? undefined : after - before }
}

/** Groups that have not been ended yet. */
const running = new Set<number>()

/** Ends whatever is being measured, for when the bench itself is ended. */
export function endAll(): void {
  for (const group of running) signalGroup(group)
}

function start({ argv: [file = '', ...args], cwd, env }: Command): { child: ChildProcess; output: () => string } {
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  if (child.pid !== undefined) running.add(child.pid)
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { child, output: () => Buffer.concat(chunks).toString() }
}

async function firstAnswer(child: ChildProcess, port: number, deadline: number): Promise<string> {
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended before it answered')
    const answer = await ask(port)
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`no answer in ${printDuration(LIMIT_MS)}`)
}

/** One GET of a page that every project here answers without its database; undefined when nothing listens yet, or the connection is closed without an answer. */
function ask(port: number): Promise<string | undefined> {
  return new Promise((settle) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /health/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'))
    socket.setTimeout(LIMIT_MS, () => socket.destroy())
    socket.once('data', (chunk: Buffer) => {
      settle(chunk.toString('latin1'))
      socket.destroy()
    })
    socket.on('error', () => {})
    socket.once('close', () => settle(undefined))
  })
}

/** SIGKILL to the whole group, and waiting until nothing of it lives: it has nothing to lose, and holds the port. */
async function endGroup(child: ChildProcess): Promise<void> {
  const group = child.pid as number
  const deadline = performance.now() + LIMIT_MS
  // The dead stay in their group until they are waited for, and some systems' process 1 takes a second to do that.
  while (signalGroup(group) && (groupStats(group)?.some(({ isDead }) => !isDead) ?? true)) {
    if (performance.now() > deadline) throw new Error(`process group ${group} cannot be ended`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  running.delete(group)
}

function signalGroup(pid: number): boolean {
  try {
    process.kill(-pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}

/**
 * A port that is free, below those that the system gives to outgoing connections: among them, a connection attempt
 * now and then reaches itself, and then the server cannot have the port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((settle) => {
      server.once('error', () => settle(false))
      server.listen(port, '127.0.0.1', () => settle(true))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

/** Milliseconds of one tick in /proc; Linux has shown 100 a second to programs for as long as it has had /proc. */
const TICK_MS = 10

/** What the processes of a group have used so far, and the children they have waited for. */
const groupCpuMs = (group: number): number | undefined =>
  groupStats(group)?.reduce((sum, { ownMs, childrenMs }) => sum + ownMs + childrenMs, 0)

const childrenCpuMs = (): number | undefined => readStat('self')?.childrenMs

interface Stat {
  readonly group: number
  readonly isDead: boolean
  readonly ownMs: number
  readonly childrenMs: number
}

/** The processes of a group; undefined where the system does not tell. */
function groupStats(group: number): readonly Stat[] | undefined {
  if (!existsSync('/proc/self/stat')) return undefined
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => readStat(pid) ?? []).filter((stat) => stat.group === group)
}

function readStat(pid: string): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, which may hold anything.
    const [state = '', , group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [user, system, childrenUser, childrenSystem] = rest.slice(8, 12).map((ticks) => Number(ticks) * TICK_MS)
    return {
      group: Number(group),
      isDead: state === 'Z' || state === 'X',
      ownMs: (user as number) + (system as number),
      childrenMs: (childrenUser as number) + (childrenSystem as number),
    }
  } catch {
    // Ended meanwhile, or there is no /proc.
    return undefined
  }
}
