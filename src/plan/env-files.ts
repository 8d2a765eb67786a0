import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Declaration } from '../config/declarations.ts'
import type { Problem } from '../core/errors.ts'
import { quoteWord } from '../core/shell-words.ts'

/** A variable and the place of its value; null removes the variable. */
export type Variable = readonly [name: string, value: string | null, from: string]

/** Variables of environment files, and files that cannot be read. */
interface EnvFiles {
  readonly variables: readonly Variable[]
  readonly problems: readonly Problem[]
}

/** Reads the environment files of a declaration; an earlier file wins over a later one. */
export function readEnvFiles(declaration: Declaration, root: string): EnvFiles {
  const variables = new Map<string, Variable>()
  const problems: Problem[] = []
  for (const file of declaration.envFile ?? []) {
    try {
      for (const [name, value] of Object.entries(parseEnvFile(resolve(root, file))))
        if (!variables.has(name)) variables.set(name, [name, value, file])
    } catch (error) {
      const problem = explainEnvFile(resolve(root, file), declaration.placeOf('envFile'), error)
      problems.push({ ...problem, process: declaration.name })
    }
  }
  return { variables: [...variables.values()], problems }
}

/**
 * The variables of a dotenv file.
 *
 * @throws the system's error where it cannot be read; {@link explainEnvFile} says what it means.
 */
export function parseEnvFile(path: string): Readonly<Record<string, string>> {
  // Loaded only where it is needed: it brings much with it.
  const { parseEnv } = process.getBuiltinModule('node:util')
  return parseEnv(quoteHashes(readFileSync(path, 'utf8'))) as Record<string, string>
}

export function explainEnvFile(path: string, place: string, error: unknown): Problem {
  const { code = '', message } = error as NodeJS.ErrnoException
  return {
    id: 'E111',
    place,
    message: `The environment file ${path} cannot be read: ${UNREADABLE[code] ?? message}.`,
    hint: `Look: ls -l ${quoteWord(path)}`,
  }
}

/**
 * A `#` begins a comment after a space only, as for python-dotenv and Docker Compose. Node takes every one for a comment
 * where there are no quotes, which would cut a password.
 */
function quoteHashes(text: string): string {
  return text.replace(ASSIGNMENT, (whole: string, head: string, value: string | undefined) => {
    const [bare = ''] = value?.split(/\s#/) ?? []
    const quote = ["'", '"', '`'].find((candidate) => !bare.includes(candidate))
    return bare.includes('#') && quote ? `${head}${quote}${bare.trimEnd()}${quote}` : whole
  })
}

/** The value is that of one without quotes; those with quotes may have several lines. */
const ASSIGNMENT =
  /^(\s*(?:export\s+)?[\w.-]+[^\S\n]*=[^\S\n]*)(?:"(?:\\.|[^"\\])*"|'[^']*'|`[^`]*`|([^\s"'`#][^\n]*))/gm

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
}
