import { readSync, writeSync } from 'node:fs'
import type { Env } from '../core/types.ts'

/** Everything that the command line takes from outside. The only place that reads `process`. */
export interface Io {
  /** The answer: what a person or a program might pipe. */
  readonly stdout: Output
  /** The conversation: progress, warnings, errors, hints. */
  readonly stderr: Output
  readonly env: Env
  readonly cwd: string
  readonly processors: number
  /** The full paths of the Node that runs us, and of the file that it was started with. */
  readonly node: string
  readonly program: string
  /** Asks the person at the terminal, and waits for a line; undefined where there is none. */
  readonly ask: ((question: string) => string) | undefined
  /** As Node names it: `linux`. */
  readonly platform: string
}

export interface Output {
  readonly write: (text: string) => void
  readonly isTerminal: boolean
  /** Width of the terminal; undefined where there is none, and lines may be as long as they like. */
  readonly columns: number | undefined
}

export function processIo(): Io {
  const env = process.env
  return {
    stdout: descriptorOutput(1, env),
    stderr: descriptorOutput(2, env),
    env,
    cwd: process.cwd(),
    platform: process.platform,
    node: process.execPath,
    program: process.argv[1] ?? '',
    ask: [0, 1].every((fd) => process.getBuiltinModule('node:tty').isatty(fd)) ? askOnTerminal : undefined,
    get processors() {
      return process.getBuiltinModule('node:os').availableParallelism()
    },
  }
}

/**
 * Writes straight to a descriptor. `process.stdout` would put a pipe into non-blocking mode, for every program that
 * shares it: the server that we become would find its standard streams changed.
 */
function descriptorOutput(fd: number, env: Env): Output {
  const isTerminal = process.getBuiltinModule('node:tty').isatty(fd)
  return {
    isTerminal,
    get columns() {
      if (!isTerminal) return undefined
      return Number(env['COLUMNS']) || new (process.getBuiltinModule('node:tty').WriteStream)(fd).columns
    },
    write: (text) => writeAll(fd, text),
  }
}

function writeAll(fd: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Whoever made the descriptor non-blocking reads slowly: wait for it as a blocking write would.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      // The reader has gone (`prodserver list | head -1`), or the disk is full: there is nobody left to tell.
      else return
    }
  }
}

function askOnTerminal(question: string): string {
  writeAll(1, question)
  const line = Buffer.alloc(1024)
  try {
    return line.toString('utf8', 0, readSync(0, line))
  } catch {
    // The terminal has gone, and whoever sat at it agrees to nothing.
    return ''
  }
}
