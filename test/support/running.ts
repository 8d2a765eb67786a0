import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { BIN, cleanEnv, PYTHON } from './environment.ts'

export interface StartOptions {
  /** The program to run as prodserver. Default: the one that was built. */
  readonly bin?: string | undefined
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program under test. It is ended with its whole process group when the test ends, however it ends. */
export interface Running {
  readonly pid: number
  readonly stdout: () => string
  readonly stderr: () => string
  /** Both streams in the order of arrival. */
  readonly output: () => string
  /** Waits until the output matches; fails with the whole output when the program ends first or time runs out. */
  readonly waitForOutput: (pattern: RegExp, timeoutMs?: number) => Promise<RegExpExecArray>
  readonly isRunning: () => boolean
  readonly signal: (signal: NodeJS.Signals) => void
  /** Waits for the end; fails with the whole output when time runs out. */
  readonly ended: (timeoutMs?: number) => Promise<Ended>
}

const started = new Set<ChildProcess>()

// Where the tests are interrupted no hook runs any more, and what they started is in groups that no terminal reaches.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of started) killGroup(child)
    process.kill(process.pid, signal)
  })
}

/** Starts any program. */
export function start(t: TestContext, command: string, args: readonly string[], options: StartOptions = {}): Running {
  // A group of its own, so that whatever it forks can be found again.
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: cleanEnv(options.env),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const parts: { stream: 'stdout' | 'stderr'; text: string }[] = []
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => parts.push({ stream, text }))
  }
  const closed = once(child, 'close')
  const end = once(child, 'exit').then(async ([code, signal]): Promise<Ended> => {
    // Its last words may still be on their way. Whatever it leaves running may keep the streams open for ever.
    await within(closed, 2000, () => '').catch(() => {})
    return { code: code as number | null, signal: signal as NodeJS.Signals | null }
  })
  end.catch(() => {})
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  started.add(child)
  t.after(() => {
    started.delete(child)
    killGroup(child)
  })
  const text = (stream?: string): string =>
    parts
      .filter((part) => stream === undefined || part.stream === stream)
      .map((part) => part.text)
      .join('')
  return {
    pid: child.pid as number,
    stdout: () => text('stdout'),
    stderr: () => text('stderr'),
    output: () => text(),
    signal: (signal) => void child.kill(signal),
    ended: (timeoutMs = 30_000) => within(end, timeoutMs, () => `${command} has not ended.\n${text()}`),
    isRunning,
    waitForOutput: (pattern, timeoutMs = 30_000) =>
      waitUntil(
        async () => {
          const over = !isRunning()
          if (over) await end
          const match = pattern.exec(text())
          if (over && !match) throw new Error(`${command} ended without printing ${pattern}.\n${text()}`)
          return match ?? undefined
        },
        timeoutMs,
        () => `${command} has not printed ${pattern}.\n${text()}`,
      ),
  }
}

/** Starts `prodserver` with the interpreter that has every server. */
export function startProdserver(t: TestContext, args: readonly string[], options: StartOptions = {}): Running {
  return start(t, process.execPath, [options.bin ?? BIN, ...args], {
    ...options,
    env: { PRODSERVER_PYTHON: PYTHON, ...options.env },
  })
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `prodserver` to its end. */
export async function prodserver(
  t: TestContext,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Finished> {
  return finish(startProdserver(t, args, options))
}

/** Runs any program to its end. */
export async function run(
  t: TestContext,
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Finished> {
  return finish(start(t, command, args, options))
}

async function finish(running: Running): Promise<Finished> {
  const { code } = await running.ended(120_000)
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

function killGroup(child: ChildProcess): void {
  for (const pid of [-(child.pid as number), child.pid as number]) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Already gone, which is what is wanted.
    }
  }
}

/** Polls for a fact. The time is a limit for a failing test, not a wait: a passing one goes on at once. */
export async function waitUntil<T>(
  fact: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 30_000,
  describe = (): string => 'It did not come true.',
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await fact()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`Timed out after ${timeoutMs} ms. ${describe()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function within<T>(promise: Promise<T>, timeoutMs: number, describe: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`Timed out after ${timeoutMs} ms. ${describe()}`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
