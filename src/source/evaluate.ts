import { join } from 'node:path'
import type { Json } from '../types.ts'

/** What became of a config file. */
export type Evaluation =
  /** Undefined where it exports nothing by default. */
  | { readonly value: Json | undefined }
  | { readonly raised: Raised }
  /** It ended the process; the place is where it did. */
  | { readonly exitCode: number; readonly at?: string | undefined }
  /** It awaits what cannot happen any more. */
  | { readonly unsettled: true }
  | { readonly timedOut: true }

export interface Raised {
  readonly name: string
  readonly message: string
  /** The package or the file that an import did not find. */
  readonly missing?: string | undefined
  /** The line to look at, `FILE:LINE`: the innermost one of the user's own. */
  readonly at?: string | undefined
  readonly frames: readonly string[]
}

export interface EvaluationRequest {
  readonly path: string
  /** What `import … from 'prodserver'` is. */
  readonly library: string
}

/**
 * Evaluates a config file in a thread of its own, by the Node that runs prodserver. What it prints is noise, as it is
 * with settings.
 */
export async function evaluate(path: string, timeoutMs: number): Promise<Evaluation> {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const isBuilt = typeof PRODSERVER_EVALUATOR === 'string'
  const library = join(import.meta.dirname, '..', isBuilt ? 'index.js' : 'index.ts')
  const evaluator = join(import.meta.dirname, isBuilt ? PRODSERVER_EVALUATOR : 'evaluator.ts')
  // Its streams are its own: what it prints goes nowhere.
  const worker = new Worker(evaluator, {
    workerData: { path, library } satisfies EvaluationRequest,
    stdout: true,
    stderr: true,
  })
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Evaluation>((settle) => {
      timer = setTimeout(() => settle({ timedOut: true }), timeoutMs)
      worker.once('message', settle)
      worker.once('error', (error) => settle({ raised: outside(error) }))
      worker.once('exit', () => settle({ unsettled: true }))
    })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

/** An error that nothing in the file waited for. */
const outside = (error: unknown): Raised => ({
  name: error instanceof Error ? error.name : 'what is no error',
  message: (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '',
  at: /(?:file:\/\/)?(\/[^\n()]+?:\d+)/.exec((error instanceof Error && error.stack) || '')?.[1],
  frames: [],
})

/** Where it lies once it is built. */
declare const PRODSERVER_EVALUATOR: string | undefined
