import { quoteWord } from '../core/shell-words.ts'

/** Settings that a target cannot express, for programs that apply them and then replace themselves by the process. */
interface Wrapping {
  /** Files that a shell reads, for the variables that no exported file may hold. */
  readonly envFrom: readonly string[]
  /** Variables to set; null removes one. */
  readonly env: Readonly<Record<string, string | null>>
  readonly nice: number | null
}

/** Returns the command line behind the programs that apply the settings, outermost first. */
export function wrap(argv: readonly string[], { envFrom, env, nice }: Wrapping): readonly string[] {
  const removed = Object.keys(env).filter((name) => env[name] === null)
  const set = Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]))
  const variables =
    removed.length + set.length === 0 ? [] : ['/usr/bin/env', ...removed.flatMap((name) => ['-u', name]), ...set]
  const priority = nice === null ? [] : ['/usr/bin/nice', '-n', String(nice)]
  return [...sourcing(envFrom), ...variables, ...priority, ...argv]
}

/** A shell that reads the files and is then replaced by the rest of the command line. */
const sourcing = (files: readonly string[]): readonly string[] =>
  files.length === 0
    ? []
    : ['/bin/sh', '-c', `set -a; ${files.map((file) => `. ${quoteWord(file)}; `).join('')}exec "$@"`, 'sh']

/** Whether `env` can start the program: it takes a first word with `=` for a variable. */
export const canBeWrapped = ([program = '']: readonly string[]): boolean => !program.includes('=')
