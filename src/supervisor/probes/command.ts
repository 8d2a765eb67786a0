import { printDuration } from '../../core/durations.ts'
import { clean } from './http.ts'
import type { ProbeResult, ProbeTarget } from './probe.ts'

/** Of the output, the end is kept: that is where a program says why. */
const MAX_OUTPUT = 4096
const MAX_LINES = 3
/** How long is waited for output that a program left on its way, or that its children still hold. */
const REST_MS = 200

/** Runs a program, without a shell, in a group of its own, and kills it with that group when time is up. */
export function probeCommand(
  argv: readonly string[],
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const [program = '', ...args] = argv
  const { cwd, env, uid, gid } = target
  let output = ''
  const fail = (words: string): void =>
    resolve({ ok: false, reply: [`${program} → ${words}`, lastLines(output)].filter(Boolean).join('  ') })
  const child = process.getBuiltinModule('node:child_process').spawn(program, args, {
    cwd,
    env,
    uid,
    gid,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // None of them is left.
    }
  }
  const end = (words: string): void => {
    kill()
    fail(words)
  }
  const timer = setTimeout(() => end(`not finished within ${printDuration(timeoutMs)}`), timeoutMs)
  let rest: NodeJS.Timeout | undefined
  const callOff = (): void => end('called off')
  signal.addEventListener('abort', callOff, { once: true })
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT)
    })
  const judge = (code: number | null, by: string | null): void =>
    code === 0 ? resolve({ ok: true }) : fail(by === null ? `exit ${code}` : `killed by ${by}`)
  child.on('error', (error: NodeJS.ErrnoException) => fail(SPAWN_WORDS[error.code ?? ''] ?? error.message))
  child.on('close', judge)
  child.on('exit', (code, by) => {
    // Only what it left running can still hold its output, so the group still exists.
    rest = setTimeout(() => {
      kill()
      judge(code, by)
    }, REST_MS)
  })
  return promise.finally(() => {
    clearTimeout(timer)
    clearTimeout(rest)
    signal.removeEventListener('abort', callOff)
    child.stdout.destroy()
    child.stderr.destroy()
  })
}

const SPAWN_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it was not found, or its folder was not',
  EACCES: 'it may not be executed',
}

const lastLines = (output: string): string =>
  output
    .split('\n')
    .map(clean)
    .filter((line) => line !== '')
    .slice(-MAX_LINES)
    .join(' / ')
