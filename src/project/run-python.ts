import { spawn } from 'node:child_process'
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../core/types.ts'

export interface PythonRun {
  /** What it wrote to descriptor 3. */
  readonly answer: string
  /** The end of what it and everything it ran printed. */
  readonly output: string
  readonly ended: Ended
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly error?: NodeJS.ErrnoException
  /** We ended it, because it took too long. */
  readonly killed?: boolean
}

interface PythonRunRequest {
  /** The interpreter; or Node, for the program that evaluates config files. */
  readonly python: string
  readonly args: readonly string[]
  /** What it reads from its standard input. Default nothing. */
  readonly input?: string
  readonly cwd: string
  readonly env: Env
  /** After this it is killed. */
  readonly timeoutMs: number
}

/** Output is kept for error messages only, and this much of it. */
const KEPT_OUTPUT = 16_384
/** Settings that print without end must not fill the memory while they are waited for. */
const MOST_OUTPUT = 8 * 1024 ** 2

/**
 * Runs one of the files that ask the project and waits for its end. Never rejects.
 *
 * Files without a name take what it writes, rather than pipes: a background process that the settings started may keep
 * a pipe open for ever, and Node's pipes put our own standard streams into non-blocking mode when they close, for the
 * server that we become as well.
 */
export async function runPython(request: PythonRunRequest): Promise<PythonRun> {
  const { python, args, input, cwd, env, timeoutMs } = request
  const answer = openScratch()
  const output = openScratch()
  const asked = input === undefined ? undefined : openScratch()
  try {
    if (asked !== undefined) writeAt(asked, input as string)
    const child = spawn(python, args, { cwd, env: { ...env }, stdio: [asked ?? 'ignore', output, output, answer] })
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
    for (const file of [answer, output, asked]) if (file !== undefined) closeSync(file)
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
      // Not every file system can; the next way always works.
    }
  }
  const path = join(tmpdir(), `prodserver-${process.pid}-${Math.random().toString(36).slice(2)}`)
  const file = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  return file
}

/** With a position the file stays at its beginning, from where the child reads. */
function writeAt(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.length;)
    written += writeSync(file, bytes, written, bytes.length - written, written)
}

/** The position is given, because the child shares ours. */
function readFrom(file: number, start: number): string {
  const from = Math.max(0, start)
  const buffer = Buffer.alloc(fstatSync(file).size - from)
  let length = 0
  while (length < buffer.length) {
    const count = readSync(file, buffer, length, buffer.length - length, from + length)
    if (count === 0) break
    length += count
  }
  return buffer.toString('utf8', 0, length)
}
