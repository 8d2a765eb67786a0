import { type ChildProcess, spawn } from 'node:child_process'
import { constants as fileConstants, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import { EXIT, ProdserverError } from '../core/errors.ts'
import { statOf } from '../core/files.ts'
import type { PlannedProcess } from '../plan/plan.ts'
import { reveal } from '../core/secret.ts'
import type { Env } from '../core/types.ts'
import { isExecutable, resolveProgram } from './resolve-program.ts'

/** One word of a command line or of the environment may not be longer on Linux: 32 pages. */
const MAX_WORD_BYTES = 131_071
/** What Linux allows for all of them with the usual 8 MiB stack is 2 MiB; a margin is left for its own tables. */
const MAX_TOTAL_BYTES = 1_900_000

interface Executable {
  readonly file: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

/**
 * Everything that a process needs to be started, checked against this machine.
 *
 * @throws {ProdserverError} `E501` to `E504`.
 */
export function prepare(planned: PlannedProcess, env: Env): Executable {
  const { name, cwd, place, from } = planned
  const isThere = statOf(cwd)?.isDirectory() === true
  if (!isThere || !isExecutable(cwd)) {
    throw new ProdserverError(
      [
        {
          id: 'E503',
          place: from.cwd ?? place,
          process: name,
          message: isThere
            ? `This user may not enter the working directory ${cwd}.`
            : `The working directory ${cwd} does not exist.`,
          hint: isThere ? `Look: ls -ld ${cwd}` : `Create it: mkdir -p ${cwd}`,
        },
      ],
      EXIT.failed,
    )
  }
  const childEnv = childEnvironment(planned, env)
  const [program = '', ...args] = planned.argv.map(reveal)
  const file = resolveProgram({ program, cwd, env: childEnv, place, process: name })
  // The full path is argv[0] as well: Python finds the environment it belongs to by it.
  const argv = [file, ...args]
  checkSize(argv, childEnv, place, name)
  refuseSockets(env, place, name)
  return { file, argv, env: childEnv, cwd }
}

/**
 * Replacing a process closes every descriptor above 2, so a server would be told of sockets that it does not have, and
 * take whatever it opens first for them.
 */
function refuseSockets(env: Env, place: string, name: string): void {
  if (env['LISTEN_PID'] !== String(process.pid) || !(Number(env['LISTEN_FDS']) > 0)) return
  const message = 'systemd passes a socket, and prodserver cannot hand it on.'
  const hint = `Name the server in the unit's ExecStart; its command line: prodserver show ${name}`
  throw new ProdserverError([{ id: 'E506', place, process: name, message, hint }], EXIT.failed)
}

/** The inherited environment with what the plan adds and removes. */
function childEnvironment(planned: PlannedProcess, env: Env): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) if (value !== undefined) result[name] = value
  for (const [name, { value }] of Object.entries(planned.env)) {
    if (value === null) delete result[name]
    else result[name] = reveal(value)
  }
  return result
}

function checkSize(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  place: string,
  process: string,
): void {
  const words = [...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
  const sizes = words.map((word) => Buffer.byteLength(word) + 1)
  const longest = Math.max(...sizes)
  const total = sizes.reduce((sum, size) => sum + size + 8, 0)
  if (longest <= MAX_WORD_BYTES && total <= MAX_TOTAL_BYTES) return
  const word = words[sizes.indexOf(longest)] as string
  const message =
    longest > MAX_WORD_BYTES
      ? `One word is longer than the system allows (${longest} bytes, at most ${MAX_WORD_BYTES}): ${word.slice(0, 24).split('=')[0]}…`
      : `The command line and the environment are longer than the system allows (${total} bytes).`
  throw new ProdserverError(
    [{ id: 'E504', place, process, message, hint: 'Put long values into a file that the program reads' }],
    EXIT.failed,
  )
}

/**
 * Becomes the program: same pid, nothing of ours stays, so signals and the exit code are the program's own. Does not
 * return where the system can do that; elsewhere a foreground child is mirrored, and its exit code returned.
 */
export async function become(executable: Executable): Promise<number> {
  const { file, argv, env, cwd } = executable
  if (typeof process.execve !== 'function' || process.platform === 'win32') return mirror(executable)
  process.chdir(cwd)
  restoreSignals()
  restoreStreams()
  return process.execve(file, argv, env)
}

/**
 * Node ignores these two, and what is ignored stays so across the replacement: a program that nobody reads any more
 * would go on writing. Node has no call for it, but a listener that goes leaves the default behind.
 */
function restoreSignals(): void {
  for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(signal, ignore).off(signal, ignore)
}

const ignore = (): void => {}

/**
 * Node puts a pipe that it opens as a standard stream into non-blocking mode, for every program that shares it. We open
 * none, but what we import may: node:util does, and so a backend module of the project's own.
 */
function restoreStreams(): void {
  const streams = [
    [1, () => process.stdout],
    [2, () => process.stderr],
  ] as const
  for (const [fd, open] of streams) {
    if (!isNonBlocking(fd)) continue
    const { _handle: handle } = open() as { _handle?: { setBlocking?: (blocking: boolean) => void } }
    handle?.setBlocking?.(true)
  }
}

function isNonBlocking(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
    return (Number.parseInt(flags ?? '0', 8) & fileConstants.O_NONBLOCK) !== 0
  } catch {
    return false
  }
}

/** Runs the program as a child that shares our streams; signals go to it, and its end is ours. */
async function mirror({ file, argv: [argv0 = file, ...args], env, cwd }: Executable): Promise<number> {
  let child: ChildProcess | undefined
  // Before there is a child: a signal that came first would end us, and leave the child behind.
  const forwarded = (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const).map((signal) => {
    // A terminal sends its signals to the whole foreground group, the child included; twice would mean something else.
    const fromTerminal = isatty(0) && (signal === 'SIGINT' || signal === 'SIGQUIT')
    const handler = (): void => void (fromTerminal || child?.kill(signal))
    process.on(signal, handler)
    return () => process.off(signal, handler)
  })
  try {
    const started = (child = spawn(file, args, { argv0, env, cwd, stdio: 'inherit' }))
    const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
      (settle, fail) => {
        started.once('error', fail)
        started.once('exit', (code, signal) => settle({ code, signal }))
      },
    )
    return code ?? 128 + constants.signals[signal as NodeJS.Signals]
  } finally {
    for (const stop of forwarded) stop()
  }
}
