import type { Problem } from '../core/errors.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { ExportedProcess } from './input.ts'
import { refuse } from './problems.ts'
import { removedVariables, setVariables } from './variables.ts'

/** Settings that a target cannot express, for programs that apply them and then replace themselves by the process. */
interface Wrapping extends Pick<ExportedProcess, 'env' | 'nice'> {
  /** Files that a shell reads, for the variables that no exported file may hold. */
  readonly envFrom?: readonly string[]
}

/** Returns the command line behind the programs that apply the settings, outermost first. */
export function wrap(argv: readonly string[], { envFrom = [], env, nice }: Wrapping): readonly string[] {
  const variables = [
    ...removedVariables({ env }).flatMap((name) => ['-u', name]),
    ...setVariables({ env }).map(([name, value]) => `${name}=${value}`),
  ]
  const words = [...argv]
  if (nice !== null) words.unshift('/usr/bin/nice', '-n', String(nice))
  if (variables.length > 0) words.unshift('/usr/bin/env', ...variables)
  // The shell is replaced by the rest of the command line.
  const reading = envFrom.map((file) => `. ${quoteWord(file)}; `).join('')
  if (reading !== '') words.unshift('/bin/sh', '-c', `set -a; ${reading}exec "$@"`, 'sh')
  return words
}

/** Refuses a program that `env` cannot start. */
export function* checkProgram(exported: ExportedProcess): Generator<Problem> {
  if (!exported.argv[0]?.includes('=')) return
  yield refuse(exported, 'app', 'The path of the program has a "=", so env would take it for a variable.')
}
