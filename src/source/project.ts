import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { EXIT, ProdserverError } from '../errors.ts'
import type { Env } from '../types.ts'
import { quoteWord } from '../words.ts'
import { type Interpreter, resolveInterpreter } from './interpreter.ts'
import { readManage } from './manage.ts'

/** Where the project is, which settings module and which interpreter it uses, and why these. */
export interface Project {
  /** The folder with `manage.py`, or the one given. */
  readonly root: string
  readonly manage: string | undefined
  readonly settings: {
    /** Undefined where only running `manage.py` can tell. */
    readonly module: string | undefined
    readonly reason: string
  }
  readonly python: Interpreter
  /** Folders put first on the import path by `--pythonpath`. */
  readonly pythonPath: readonly string[]
  /** `manage.py` does more than Django's own, so it is run up to the point where it calls Django. */
  readonly runManage: boolean
}

export interface ProjectRequest {
  readonly cwd: string
  readonly env: Env
  readonly project?: string | undefined
  readonly settings?: string | undefined
  readonly python?: string | undefined
  readonly pythonPath?: readonly string[] | undefined
}

/**
 * Finds the project without starting anything (but poetry, pipenv or uv, where only they know the environment).
 *
 * @throws {ProdserverError} `E001` to `E004`.
 */
export function locateProject(request: ProjectRequest): Project {
  const { env } = request
  const givenSettings = request.settings ?? env['DJANGO_SETTINGS_MODULE']
  const root = locateRoot(request, Boolean(givenSettings))
  const manage = existsSync(join(root, 'manage.py')) ? join(root, 'manage.py') : undefined
  const facts = manage === undefined ? undefined : readManage(manage)
  const module = givenSettings || facts?.settings
  const runManage = facts !== undefined && !facts.stock
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
    settings: {
      module,
      reason: request.settings ? '--settings' : env['DJANGO_SETTINGS_MODULE'] ? 'DJANGO_SETTINGS_MODULE' : 'manage.py',
    },
    python: resolveInterpreter({ root, cwd: request.cwd, env, python: request.python }),
    pythonPath: (request.pythonPath ?? []).map((path) => resolve(request.cwd, path)),
    runManage,
  }
}

function locateRoot({ cwd, project }: ProjectRequest, settingsAreKnown: boolean): string {
  if (project !== undefined) return givenRoot(resolve(cwd, project))
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'manage.py'))) return folder
    if (dirname(folder) === folder) break
  }
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
  const stat = statSync(path, { throwIfNoEntry: false })
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
  return readdirSync(cwd, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map((entry) => join(cwd, entry.name))
    .filter((folder) => existsSync(join(folder, 'manage.py')))
    .toSorted()
}
