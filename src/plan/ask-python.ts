import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { EXIT, ProdserverError } from '../errors.ts'
import type { Env } from '../types.ts'

/** The Python file that runs backend classes of the project's own; in the package it lies beside the bundled code. */
export const PYTHON_BACKEND: string = fileURLToPath(new URL('python_backend.py', import.meta.url))

export interface PythonError {
  readonly type: string
  readonly message: string
  readonly module: string | null
  readonly import: boolean
  /** The user's own traceback. */
  readonly text: string
}

export interface PythonClass {
  /** Import paths of the class and its bases, itself first. */
  readonly mro: readonly string[]
  /** The class among them that has `start_server`. */
  readonly starter: string | null
  /** What `prep_server_args` returns, where `start_server` is a built-in backend's. */
  readonly args?: readonly string[]
}

export interface PythonAnswer {
  /** Absent when `django.setup()` was not asked for. */
  readonly ready?: { readonly error?: PythonError }
  readonly classes: Readonly<Record<string, PythonClass | { readonly error: PythonError }>>
  readonly apps: Readonly<Record<string, { readonly found: boolean } | { readonly error: PythonError }>>
}

export interface PythonQuestion {
  readonly python: string
  readonly root: string
  readonly env: Env
  /** Folders put first on the import path. */
  readonly path: readonly string[]
  /** Names of processes whose backend is a Python class. */
  readonly classes: readonly string[]
  /** Import paths of applications. */
  readonly apps: readonly string[]
  readonly timeoutMs: number
}

/**
 * Asks the project's interpreter what only an import can tell. It takes as long as `django.setup()` does, so it is
 * asked only where the declaration makes it necessary.
 *
 * @throws {ProdserverError} `E011` when it gives no answer.
 */
export async function askPython(question: PythonQuestion): Promise<PythonAnswer> {
  const { classes, apps, path } = question
  const request = JSON.stringify({ classes, apps, path, setup: classes.length > 0 })
  const child = spawn(question.python, [PYTHON_BACKEND, 'inspect', request], {
    cwd: question.root,
    env: { ...question.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    timeout: question.timeoutMs,
    killSignal: 'SIGKILL',
  })
  const noise: Buffer[] = []
  child.stdout?.resume()
  child.stderr?.on('data', (chunk: Buffer) => noise.push(chunk))
  const answer: Buffer[] = []
  ;(child.stdio[3] as Readable).on('data', (chunk: Buffer) => answer.push(chunk))
  const code = await new Promise<number | null>((settle) => {
    child.once('error', () => settle(null))
    child.once('close', settle)
  })
  const line = Buffer.concat(answer).toString('utf8')
  if (line.endsWith('\n')) return JSON.parse(line) as PythonAnswer
  const details = Buffer.concat(noise).toString('utf8').trimEnd().split('\n').slice(-12).join('\n')
  throw new ProdserverError(
    [
      {
        id: 'E011',
        place: question.python,
        message: `The interpreter ended ${code === null ? 'without an exit code' : `with exit code ${code}`} while it imported ${[...classes, ...apps].join(', ')}.`,
        hint: `Try it: ${question.python} manage.py check`,
        details: details || undefined,
      },
    ],
    EXIT.failed,
  )
}
