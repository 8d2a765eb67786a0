import { quoteWord } from '../core/shell-words.ts'

/** What a process is started by where there is no word for its environment: programs that replace themselves by it. */
interface Wrapping {
  /** Files that a shell reads, for the variables that no file of ours holds. */
  readonly envFrom: readonly string[]
  /** Variables, where the target has no better place for them; null removes one. */
  readonly env: Readonly<Record<string, string | null>>
  readonly nice: number | null
}

/** The whole command line with what must be set before it, outermost first. */
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

/** `env` takes a first word with `=` for a variable. */
export const canBeWrapped = ([program = '']: readonly string[]): boolean => !program.includes('=')
