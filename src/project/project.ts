import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { failure } from '../core/errors.ts'
import { statOf } from '../core/files.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { Env } from '../core/types.ts'
import { type ConfigFile, hasConfig, locateConfig } from './config-file.ts'
import { type Interpreter, resolveInterpreter } from './interpreter.ts'
import { parseManage } from './manage.ts'

/** Where the project is, and which settings module and interpreter it uses. */
export interface Project {
  /** The folder with `manage.py` or a config file, or the folder that the user named. */
  readonly root: string
  readonly manage: string | undefined
  readonly config: ConfigFile | undefined
  /** Undefined if there is a config file, and no Django. */
  readonly settings: SettingsChoice | undefined
  /** Without Django it is looked for when it is first read: it may be missing, and not needed. */
  readonly python: Interpreter
  /** Folders that `--pythonpath` puts first on the import path. */
  readonly pythonPath: readonly string[]
  /** Whether `manage.py` runs up to its call of Django, because it does more than the file that Django writes. */
  readonly runManage: boolean
}

interface SettingsChoice {
  /** Undefined if only running `manage.py` can tell. */
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
 * Finds the project. Starts nothing, except poetry, pipenv or uv if only they know the environment.
 *
 * @throws {ProdserverError} `E001` to `E004`, `E013`.
 */
export function locateProject(request: ProjectRequest): Project {
  const { cwd, env } = request
  const given = request.settings ?? env['DJANGO_SETTINGS_MODULE']
  const root = locateRoot(request, Boolean(given))
  const manage = existsSync(join(root, 'manage.py')) ? join(root, 'manage.py') : undefined
  const facts = manage === undefined ? undefined : parseManage(readFileSync(manage, 'utf8'))
  const module = given || facts?.settings
  const runManage = facts?.stock === false
  const config = locateConfig(root, request.config, cwd)
  const pythonPath = (request.pythonPath ?? []).map((path) => resolve(cwd, path))
  const findPython = (): Interpreter => resolveInterpreter({ root, cwd, env, python: request.python })
  const found = { root, manage, config, pythonPath, runManage }
  if (config && !module && manage === undefined) return withPython({ ...found, settings: undefined }, findPython)
  if (!module && !runManage) {
    const hint = 'Name it: --settings mysite.settings, or set DJANGO_SETTINGS_MODULE'
    throw failure({
      id: 'E003',
      place: manage ?? root,
      message: 'The settings module is not known: nothing names it.',
      hint,
    })
  }
  return { ...found, settings: { module, reason: settingsReason(request) }, python: findPython() }
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
 * Finds the folder of the project.
 *
 * @throws {ProdserverError} `E001` or `E002`.
 */
export function locateRoot({ cwd, project, config }: ProjectRequest, settingsAreKnown: boolean): string {
  if (project !== undefined) return givenRoot(resolve(cwd, project))
  // A named config file says where its project is, from every folder.
  const start = config === undefined ? cwd : dirname(resolve(cwd, config))
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'manage.py')) || hasConfig(folder)) return folder
    if (dirname(folder) === folder) break
  }
  if (config !== undefined) return start
  // A repository often keeps its Django project one folder down.
  const [below, ...others] = foldersWithManage(cwd)
  if (below !== undefined && others.length === 0) return join(cwd, below)
  if (below !== undefined) {
    const paths = [below, ...others].map((name) => `${name}/manage.py`)
    const message = `There is no manage.py here, and ${paths.length} below: ${paths.join(', ')}.`
    throw failure({ id: 'E002', place: cwd, message, hint: `Choose one: --project ${quoteWord(below)}` })
  }
  if (settingsAreKnown) return cwd
  const message = 'No Django project was found: there is no manage.py here, above or one folder down.'
  const hint = 'Go to your Django project, or name it: --project path/to/folder'
  throw failure({ id: 'E001', place: cwd, message, hint })
}

function givenRoot(path: string): string {
  const stat = statOf(path)
  if (stat?.isDirectory()) return path
  // People also name the file itself.
  if (stat && path.endsWith('manage.py')) return dirname(path)
  const hint = `Look: ls ${quoteWord(dirname(path))}`
  throw failure({ id: 'E001', place: '--project', message: `${path} is not a folder.`, hint })
}

function foldersWithManage(cwd: string): readonly string[] {
  try {
    return readdirSync(cwd, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .map(({ name }) => name)
      .filter((name) => existsSync(join(cwd, name, 'manage.py')))
      .toSorted()
  } catch {
    // After `su`, the working directory is often unreadable.
    return []
  }
}
