import { join } from 'node:path'
import type { Env, Json } from '../core/types.ts'
import { runPython } from './run-python.ts'

/** What became of a config file, in the words of the program that evaluated it. */
export type Evaluation =
  /** Undefined where it exports nothing by default. */
  | { readonly value: Json | undefined }
  | { readonly raised: Raised }
  /** It ended the process; the place is where it did. */
  | { readonly exitCode: number; readonly at?: string | undefined }

/** What became of one of which that program did not speak. */
export type Silence =
  /** It awaits what cannot happen any more. */
  { readonly unsettled: true } | { readonly timedOut: true } | { readonly died: string; readonly output: string }

export interface Raised {
  readonly name: string
  readonly message: string
  /** The package or the file that an import did not find. */
  readonly missing?: string | undefined
  /** The line to look at, `FILE:LINE`: the innermost one of the user's own. */
  readonly at?: string | undefined
  readonly frames: readonly string[]
}

/** What the evaluator is told, as its only argument. */
export interface EvaluatorInput {
  readonly path: string
  /** What `import … from 'prodserver'` is. */
  readonly library: string
}

interface EvaluationRequest {
  readonly path: string
  readonly cwd: string
  readonly env: Env
  readonly timeoutMs: number
}

/**
 * Evaluates a config file in a process of its own, by the Node that runs prodserver: as with settings, what it prints is
 * noise, and what it does and leaves open ends with it. A thread would start no sooner, and leave its memory behind.
 */
export async function evaluate({ path, cwd, env, timeoutMs }: EvaluationRequest): Promise<Evaluation | Silence> {
  const isBuilt = typeof PRODSERVER_EVALUATOR === 'string'
  const library = join(import.meta.dirname, '..', isBuilt ? 'index.js' : 'index.ts')
  const evaluator = join(import.meta.dirname, isBuilt ? PRODSERVER_EVALUATOR : 'evaluator.ts')
  const args = [evaluator, JSON.stringify({ path, library } satisfies EvaluatorInput)]
  const { answer, output, ended } = await runPython({ python: process.execPath, args, cwd, env, timeoutMs })
  if (answer !== '') return JSON.parse(answer) as Evaluation
  if (ended.killed) return { timedOut: true }
  if (ended.code === 0) return { unsettled: true }
  return { died: ended.error?.message ?? ended.signal ?? `exit code ${ended.code}`, output }
}

/** Where it lies once it is built. */
declare const PRODSERVER_EVALUATOR: string | undefined
