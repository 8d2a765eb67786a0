import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { EXIT, type ExitCode, type Problem, ProdserverError } from '../core/errors.ts'
import { statOf } from '../core/files.ts'
import type { Env } from '../core/types.ts'

interface ProgramRequest {
  readonly program: string
  /** The folder the process starts in; a program with a slash is relative to it. */
  readonly cwd: string
  readonly env: Env
  /** The declaration's place and name, for messages. */
  readonly place: string
  readonly process: string
}

/**
 * The full path of a program that can be executed.
 *
 * Replacing a process aborts it when the system refuses the program, so everything that the system checks is checked
 * here first, down to the interpreter that a script names.
 *
 * @throws {ProdserverError} `E501` (exit code 127) or `E502` (126).
 */
export function resolveProgram(request: ProgramRequest): string {
  const { program, cwd, env } = request
  const path = program.includes('/') || isAbsolute(program) ? resolve(cwd, program) : findOnPath(program, env)
  const stat = path === undefined ? undefined : statOf(path)
  if (path === undefined || !stat) {
    const hint = path === undefined ? 'Install it, or name it by its full path' : `Look: ls -l ${path}`
    throw failed(
      'E501',
      `The program ${program} was not found${path === undefined ? ' on PATH' : ''}.`,
      hint,
      request,
      EXIT.notFound,
    )
  }
  if (!stat.isFile())
    throw failed('E502', `${path} is not a file.`, `Look: ls -ld ${path}`, request, EXIT.notExecutable)
  if (!isExecutable(path))
    throw failed(
      'E502',
      `${path} is not executable.`,
      `Make it executable: chmod +x ${path}`,
      request,
      EXIT.notExecutable,
    )
  const head = readHead(path)
  const interpreter = /^#![ \t]*(\S+)/.exec(head)?.[1]
  if (interpreter !== undefined && !statOf(interpreter)?.isFile()) {
    throw failed(
      'E501',
      `${path} names an interpreter that does not exist: ${interpreter}.`,
      'A virtual environment that was moved must be made again',
      request,
      EXIT.notFound,
    )
  }
  if (interpreter === undefined && process.platform === 'linux' && !head.startsWith('\x7fELF')) {
    throw failed(
      'E502',
      `${path} is neither a program nor a script with a "#!" line.`,
      'Add a first line such as #!/bin/sh',
      request,
      EXIT.notExecutable,
    )
  }
  return path
}

function findOnPath(program: string, env: Env): string | undefined {
  const paths = (env['PATH'] ?? '').split(':').map((folder) => join(folder || '.', program))
  const files = paths.filter((path) => statOf(path)?.isFile())
  return files.find(isExecutable) ?? files[0]
}

/** Whether this user may start a program, or enter a folder. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function readHead(path: string): string {
  const buffer = Buffer.alloc(256)
  try {
    const file = openSync(path, 'r')
    try {
      return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0))
    } finally {
      closeSync(file)
    }
  } catch {
    // Executable but not readable is allowed; only a program, not a script, works like that.
    return '\x7fELF'
  }
}

function failed(
  id: Problem['id'],
  message: string,
  hint: string,
  { place, process }: ProgramRequest,
  exitCode: ExitCode,
): ProdserverError {
  return new ProdserverError([{ id, place, process, message, hint }], exitCode)
}
