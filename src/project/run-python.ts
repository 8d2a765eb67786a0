import { spawn } from 'node:child_process'
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../core/types.ts'

export interface PythonRun {
  /** The text that the program wrote to descriptor 3. */
  readonly answer: string
  /** The end of everything that the program and its children printed. */
  readonly output: string
  readonly ended: Ended
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly error?: NodeJS.ErrnoException
  /** Whether the time limit ended the program. */
  readonly killed?: boolean
}

interface PythonRunRequest {
  /** The interpreter; or Node, for the program that evaluates config files. */
  readonly python: string
  readonly args: readonly string[]
  /** Standard input. Default empty. */
  readonly input?: string
  readonly cwd: string
  readonly env: Env
  readonly timeoutMs: number
}

/** Size of the output that is kept for error messages. */
const KEPT_OUTPUT = 16_384
/** Settings that print without end must not fill the memory until the time limit. */
const MOST_OUTPUT = 8 * 1024 ** 2

/**
 * Runs one of the programs that ask the project and waits for its end. Never rejects.
 *
 * Files without a name take the output, not pipes: a background process that the settings started may keep a pipe open
 * for ever, and when Node closes a pipe it sets our own standard streams, which the server inherits, to non-blocking.
 */
export async function runPython({
  python,
  args,
  input = '',
  cwd,
  env,
  timeoutMs,
}: PythonRunRequest): Promise<PythonRun> {
  const files = [openScratch(), openScratch(), openScratch()] as const
  const [asked, output, answer] = files
  try {
    // With a position, the file offset stays at the beginning, where the child starts to read.
    writeSync(asked, input, 0)
    const child = spawn(python, args, { cwd, env: { ...env }, stdio: [asked, output, output, answer] })
    const killer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    const drain = setInterval(() => fstatSync(output).size > MOST_OUTPUT && ftruncateSync(output), 250)
    const ended = await new Promise<Ended>((settle) => {
      child.once('error', (error) => settle({ code: null, signal: null, error }))
      child.once('exit', (code, signal) => settle({ code, signal, killed: child.killed }))
    })
    clearTimeout(killer)
    clearInterval(drain)
    return { answer: readFrom(answer, 0), output: readFrom(output, fstatSync(output).size - KEPT_OUTPUT), ended }
  } finally {
    files.forEach(closeSync)
  }
}

/** A file that has no name, in memory where the system offers that. */
function openScratch(): number {
  const { O_RDWR, O_DIRECTORY } = constants
  // Linux's O_TMPFILE, which Node has no name for.
  const unnamed = 0o20000000 | O_DIRECTORY | O_RDWR
  for (const folder of process.platform === 'linux' ? ['/dev/shm', tmpdir()] : []) {
    try {
      return openSync(folder, unnamed, 0o600)
    } catch {
      // Some file systems cannot do this; the next way always works.
    }
  }
  const path = join(tmpdir(), `prodserver-${process.pid}-${Math.random().toString(36).slice(2)}`)
  const file = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  return file
}

/** Reads a file to its end. A position is given, because the child shares the file offset. */
function readFrom(file: number, start: number): string {
  const position = Math.max(0, start)
  const buffer = Buffer.alloc(fstatSync(file).size - position)
  return buffer.toString('utf8', 0, readSync(file, buffer, { position }))
}
