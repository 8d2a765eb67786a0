import { type Dirent, existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { EXIT, ProdserverError } from '../core/errors.ts'
import { statOf } from '../core/files.ts'
import type { Env } from '../core/types.ts'
import { quoteWord } from '../core/shell-words.ts'
import { type ConfigFile, hasConfig, locateConfig } from './config-file.ts'
import { type Interpreter, resolveInterpreter } from './interpreter.ts'
import { readManage } from './manage.ts'

/** Where the project is, which settings module and which interpreter it uses, and why these. */
export interface Project {
  /** The folder with `manage.py` or a config file, or the one given. */
  readonly root: string
  readonly manage: string | undefined
  /** Declares processes beside those of the settings, or alone. */
  readonly config: ConfigFile | undefined
  /** Undefined where there is a config file, and nothing of Django. */
  readonly settings: SettingsChoice | undefined
  /** Looked for when it is first asked for, where there is nothing of Django: it may not be there, and not be needed. */
  readonly python: Interpreter
  /** Folders put first on the import path by `--pythonpath`. */
  readonly pythonPath: readonly string[]
  /** `manage.py` does more than Django's own, so it is run up to the point where it calls Django. */
  readonly runManage: boolean
}

interface SettingsChoice {
  /** Undefined where only running `manage.py` can tell. */
  readonly module: string | undefined
  readonly reason: string
}

/** A project with settings. */
export interface DjangoProject extends Project {
  readonly settings: SettingsChoice
}

export const hasSettings = (project: Project): project is DjangoProject => project.settings !== undefined

interface ProjectRequest {
  readonly cwd: string
  readonly env: Env
  readonly project?: string | undefined
  readonly settings?: string | undefined
  readonly python?: string | undefined
  readonly config?: string | undefined
  readonly pythonPath?: readonly string[] | undefined
}

/**
 * Finds the project without starting anything (but poetry, pipenv or uv, where only they know the environment).
 *
 * @throws {ProdserverError} `E001` to `E004`, `E013`.
 */
export function locateProject(request: ProjectRequest): Project {
  const { env } = request
  const givenSettings = request.settings ?? env['DJANGO_SETTINGS_MODULE']
  const root = locateRoot(request, Boolean(givenSettings))
  const manage = existsSync(join(root, 'manage.py')) ? join(root, 'manage.py') : undefined
  const facts = manage === undefined ? undefined : readManage(manage)
  const module = givenSettings || facts?.settings
  const runManage = facts !== undefined && !facts.stock
  const config = locateConfig(root, request.config, request.cwd)
  const findPython = (): Interpreter => resolveInterpreter({ root, cwd: request.cwd, env, python: request.python })
  const pythonPath = (request.pythonPath ?? []).map((path) => resolve(request.cwd, path))
  if (config && !module && manage === undefined)
    return withPython({ root, manage, config, settings: undefined, pythonPath, runManage }, findPython)
  if (!module && !runManage) {
    const hint = 'Name it: --settings mysite.settings, or set DJANGO_SETTINGS_MODULE'
    throw new ProdserverError(
      [{ id: 'E003', place: manage ?? root, message: 'The settings module is not known: nothing names it.', hint }],
      EXIT.failed,
    )
  }
  return {
    root,
    manage,
    config,
    settings: {
      module,
      reason: settingsReason(request),
    },
    python: findPython(),
    pythonPath,
    runManage,
  }
}

function settingsReason({ settings, env }: ProjectRequest): string {
  if (settings) return '--settings'
  return env['DJANGO_SETTINGS_MODULE'] ? 'DJANGO_SETTINGS_MODULE' : 'manage.py'
}

function withPython(project: Omit<Project, 'python'>, find: () => Interpreter): Project {
  let found: Interpreter | undefined
  return {
    ...project,
    get python() {
      return (found ??= find())
    },
  }
}

/**
 * The folder of the project.
 *
 * @throws {ProdserverError} `E001` or `E002`.
 */
export function locateRoot({ cwd, project, config }: ProjectRequest, settingsAreKnown: boolean): string {
  if (project !== undefined) return givenRoot(resolve(cwd, project))
  // A config file that is named says where its project is, wherever it is named from.
  const start = config === undefined ? cwd : dirname(resolve(cwd, config))
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'manage.py')) || hasConfig(folder)) return folder
    if (dirname(folder) === folder) break
  }
  if (config !== undefined) return start
  // A repository often keeps its Django project one folder down.
  const below = foldersWithManage(cwd)
  if (below.length === 1) return below[0] as string
  if (below.length > 1) {
    const names = below.map((folder) => folder.slice(cwd.length + 1))
    const message = `There is no manage.py here, and ${below.length} below: ${names.map((name) => `${name}/manage.py`).join(', ')}.`
    throw new ProdserverError(
      [{ id: 'E002', place: cwd, message, hint: `Choose one: --project ${quoteWord(names[0] as string)}` }],
      EXIT.failed,
    )
  }
  if (settingsAreKnown) return cwd
  const hint = 'Go to your Django project, or name it: --project path/to/folder'
  throw new ProdserverError(
    [
      {
        id: 'E001',
        place: cwd,
        message: 'No Django project was found: there is no manage.py here, above or one folder down.',
        hint,
      },
    ],
    EXIT.failed,
  )
}

function givenRoot(path: string): string {
  const stat = statOf(path)
  if (stat?.isDirectory()) return path
  // People also name the file itself.
  if (stat && path.endsWith('manage.py')) return dirname(path)
  throw new ProdserverError(
    [
      {
        id: 'E001',
        place: '--project',
        message: `${path} is not a folder.`,
        hint: `Look: ls ${quoteWord(dirname(path))}`,
      },
    ],
    EXIT.failed,
  )
}

function foldersWithManage(cwd: string): string[] {
  return entriesOf(cwd)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map((entry) => join(cwd, entry.name))
    .filter((folder) => existsSync(join(folder, 'manage.py')))
    .toSorted()
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    // After `su` one often stands in a folder of somebody else's.
    return []
  }
}
