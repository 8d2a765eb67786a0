import { spawnSync } from 'node:child_process'
import type { Json } from '../types.ts'

const TIMEOUT_MS = 10_000
/** What it prints is nobody's business here: the answer has a descriptor of its own. */
const PROGRAM = `import(process.argv[1]).then(({ default: value }) => require('node:fs').writeSync(3, JSON.stringify(value)))`

/**
 * What a JavaScript file exports by default. It is run, as the tool that it is for runs it.
 *
 * @throws where it raises, hangs, or exports what JSON cannot carry.
 */
export function evaluate(path: string, node: string = process.execPath): Json {
  const { output, stderr, error, signal } = spawnSync(node, ['-e', PROGRAM, path], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  })
  if (signal !== null) throw new Error(`it did not end within ${TIMEOUT_MS / 1000} s`)
  const answer = output?.[3]
  if (answer) return JSON.parse(answer) as Json
  throw error ?? new Error(/^\w*Error: .*$/m.exec(stderr)?.[0] ?? 'it exports nothing')
}
