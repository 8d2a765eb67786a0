import { readFileSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import type { Declaration } from '../config/declarations.ts'
import type { Problem } from '../core/errors.ts'
import { guard, Secret } from '../core/secret.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import type { Project } from '../project/project.ts'
import type { Env } from '../core/types.ts'
import { quoteWord } from '../core/shell-words.ts'
import { overridesForPython } from '../inspect/ask-python.ts'
import type { PlannedVariable } from './plan.ts'

interface ScriptEnvironment {
  /** What it is run with, where the declaration says nothing. */
  readonly env: Readonly<Record<string, string>>
  /** What it sets itself. */
  readonly assigned: Readonly<Record<string, string>>
  readonly from: string
  /** `PATH` as it is for it, of the one that it would be. */
  readonly path: (path: string | undefined) => string
}

export interface EnvironmentInput {
  readonly declaration: Declaration
  readonly project: Project
  readonly answer: SettingsAnswer
  readonly cwd: string
  /** The environment prodserver runs in; the process inherits it. */
  readonly env: Env
  /** The script of a package that is run, if it is one. */
  readonly script?: ScriptEnvironment | undefined
  /** It reads its declaration by itself, which has no overrides. Default false. */
  readonly ownStart?: boolean | undefined
}

/** What is added to the inherited environment, and what could not be read. */
export function buildEnvironment(input: EnvironmentInput): {
  env: Readonly<Record<string, PlannedVariable>>
  problems: readonly Problem[]
} {
  const { declaration, project, answer, env } = input
  const variables: Record<string, PlannedVariable> = {}
  const set = (name: string, value: string | null, from: string): void => {
    variables[name] = { value: value === null ? null : guard(name, value), from }
  }
  for (const [name, value] of Object.entries(answer.exported)) set(name, value, 'manage.py')
  // Exported for every process: without it manage.py, wsgi.py and asgi.py each decide for themselves.
  if (project.settings) set('DJANGO_SETTINGS_MODULE', answer.settingsModule, project.settings.reason)
  const path = project.settings ? importPath(input) : []
  if (path.length > 0)
    set('PYTHONPATH', [...path, ...(env['PYTHONPATH'] ? [env['PYTHONPATH']] : [])].join(':'), 'the project')
  const { script } = input
  for (const [name, value] of Object.entries(script?.env ?? {})) set(name, value, script?.from ?? '')
  const files: EnvFiles = declaration.envFile
    ? readEnvFiles(declaration, project.root)
    : { values: new Map(), problems: [] }
  for (const [name, { value, file }] of files.values) if (env[name] === undefined) set(name, value, file)
  for (const [name, value] of Object.entries(declaration.env ?? {}))
    set(name, value === null ? null : pythonText(value), declaration.placeOf('env', name))
  for (const [name, value] of Object.entries(script?.assigned ?? {})) set(name, value, script?.from ?? '')
  if (script) {
    const declared = variables['PATH']
    set('PATH', script.path(declared ? String(declared.value ?? '') : env['PATH']), script.from)
  }
  if (input.ownStart && declaration.overrides.length > 0) {
    const text = JSON.stringify(overridesForPython(declaration.overrides))
    variables['PRODSERVER_OVERRIDES'] = {
      value: new Secret(text),
      from: declaration.overrides.map(({ place }) => place).join(', '),
    }
  }
  return { env: variables, problems: [...files.problems, ...badNames(declaration)] }
}

/** Folders that the process needs on its import path and would not have. */
function importPath({ project, answer, cwd, env }: EnvironmentInput): readonly string[] {
  // `python -m` puts the working directory on the path, unless it is told not to.
  const root = cwd === project.root && !env['PYTHONSAFEPATH'] ? [] : [project.root]
  const added = project.runManage
    ? answer.path.filter(
        (folder) =>
          folder.startsWith(project.root + sep) &&
          !folder.startsWith(answer.python.prefix + sep) &&
          !/\.(zip|egg)$|[/\\](site|dist)-packages/.test(folder),
      )
    : []
  const given = new Set((env['PYTHONPATH'] ?? '').split(':'))
  return [...new Set([...project.pythonPath, ...root, ...added])].filter((folder) => !given.has(folder))
}

interface EnvFiles {
  readonly values: ReadonlyMap<string, { value: string; file: string }>
  readonly problems: readonly Problem[]
}

function readEnvFiles(declaration: Declaration, root: string): EnvFiles {
  const values = new Map<string, { value: string; file: string }>()
  const problems: Problem[] = []
  for (const file of declaration.envFile ?? []) {
    try {
      for (const [name, value] of Object.entries(parseEnvFile(resolve(root, file))))
        if (!values.has(name)) values.set(name, { value, file })
    } catch (error) {
      const problem = explainEnvFile(resolve(root, file), declaration.placeOf('envFile'), error)
      problems.push({ ...problem, process: declaration.name })
    }
  }
  return { values, problems }
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

function badNames(declaration: Declaration): Problem[] {
  return Object.entries(declaration.env ?? {})
    .filter(([name, value]) => name === '' || /[=\0]/.test(name) || String(value).includes('\0'))
    .map(([name]) => ({
      id: 'E107',
      place: declaration.placeOf('env', name),
      process: declaration.name,
      message:
        'This cannot be an environment variable: a name must not be empty or have "=", and neither may have a NUL byte.',
    }))
}

/** True is "True" to a Python developer, and to every settings file that compares with it. */
const pythonText = (value: string | number | boolean): string =>
  typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)
