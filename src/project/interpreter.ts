import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { EXIT, ProdserverError } from '../core/errors.ts'
import { statOf } from '../core/files.ts'
import type { Env } from '../core/types.ts'
import { quoteWord } from '../core/shell-words.ts'

/** The Python that runs the project, and why this one. */
export interface Interpreter {
  /**
   * Full path, symbolic links kept: Python finds the environment it belongs to by the path it was started with.
   */
  readonly path: string
  readonly reason: string
  /** What installs a package for it, the package's name to be appended. */
  readonly install: string
}

/** Folders that hold a virtual environment by convention, the commonest first. */
const ENVIRONMENT_FOLDERS = ['.venv', 'venv', 'env', '.env', 'virtualenv']

/** Tools that keep a project's environment elsewhere, known by their lock file. */
const TOOLS = [
  {
    lock: 'poetry.lock',
    name: 'poetry',
    ask: ['env', 'info', '--executable'],
    create: 'poetry install',
    add: 'poetry add',
  },
  { lock: 'Pipfile.lock', name: 'pipenv', ask: ['--py'], create: 'pipenv sync', add: 'pipenv install' },
  { lock: 'uv.lock', name: 'uv', ask: ['python', 'find'], create: 'uv sync', add: 'uv add' },
] as const

interface InterpreterRequest {
  readonly root: string
  readonly cwd: string
  readonly env: Env
  /** The value of `--python`: a program, or the folder of an environment. */
  readonly python?: string | undefined
}

/**
 * Chooses the interpreter: `--python`, `PRODSERVER_PYTHON`, the active environment, the project's own folder, the
 * tool whose lock file lies in the project, `python3`.
 *
 * @throws {ProdserverError} `E004` when none is found, or the one asked for is not there.
 */
export function resolveInterpreter(request: InterpreterRequest): Interpreter {
  const { root, env } = request
  const folders = foldersUp(root)
  const found =
    named(request.python, '--python', request) ??
    named(env['PRODSERVER_PYTHON'], 'PRODSERVER_PYTHON', request) ??
    inFolder(env['VIRTUAL_ENV'], 'VIRTUAL_ENV') ??
    inFolder(env['CONDA_PREFIX'], 'CONDA_PREFIX') ??
    inFolder(env['UV_PROJECT_ENVIRONMENT'] && resolve(root, env['UV_PROJECT_ENVIRONMENT']), 'UV_PROJECT_ENVIRONMENT') ??
    firstOf(
      folders.flatMap((folder) => ENVIRONMENT_FOLDERS.map((name) => ({ folder, name }))),
      ({ folder, name }) =>
        inFolder(join(folder, name), folder === root ? `${name} in the project` : `${name} in ${folder}`),
    ) ??
    firstOf(TOOLS, (tool) =>
      folders.some((folder) => existsSync(join(folder, tool.lock))) ? askTool(tool, request) : undefined,
    ) ??
    onPath('python3', env, 'python3 on PATH') ??
    onPath('python', env, 'python on PATH')
  if (!found) {
    throw notFound(
      'PATH',
      'There is no `python3` on PATH, and the project has no virtual environment.',
      'Create one: python3 -m venv .venv, or name one: --python /path/to/python',
    )
  }
  return { ...found, install: installCommand(found.path, folders) }
}

type Found = Omit<Interpreter, 'install'>

/** Finds the interpreter that the user named. It must be there: another one would run other code than the user meant. */
function named(value: string | undefined, reason: string, { cwd, env }: InterpreterRequest): Found | undefined {
  if (!value) return undefined
  const isPath = isAbsolute(value) || value.includes('/') || existsSync(resolve(cwd, value))
  if (isPath) return atPath(resolve(cwd, value), reason)
  const found = onPath(value, env, reason)
  if (found) return found
  throw notFound(reason, `There is no program ${value} on PATH.`, 'Name it by its path: --python /path/to/python')
}

/** The interpreter at a path, or in the virtual environment at a path. */
function atPath(path: string, reason: string): Found {
  if (!existsSync(path))
    throw notFound(reason, `There is no Python interpreter ${path}.`, `Look: ls ${quoteWord(dirname(path))}`)
  if (!statOf(path)?.isDirectory()) return { path, reason }
  const found = inFolder(path, reason)
  if (found) return found
  const message = `${path} is not a virtual environment: there is no bin/python in it.`
  throw notFound(reason, message, `Create one: python3 -m venv ${quoteWord(path)}`)
}

function inFolder(folder: string | undefined, reason: string): Found | undefined {
  if (!folder) return undefined
  const path = [
    join(folder, 'bin', 'python'),
    join(folder, 'bin', 'python3'),
    join(folder, 'Scripts', 'python.exe'),
  ].find((path) => existsSync(path))
  return path === undefined ? undefined : { path, reason }
}

function askTool(tool: (typeof TOOLS)[number], { root, env }: InterpreterRequest): Found | undefined {
  // These tools look at the folder they run in. They take up to a second, so they are asked last.
  const answer = spawnSync(tool.name, tool.ask, {
    cwd: root,
    env: { ...env },
    encoding: 'utf8',
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const path = answer.status === 0 ? answer.stdout.trim().split('\n').at(-1) : undefined
  if (path && existsSync(path)) return { path, reason: `${tool.name} (${tool.lock})` }
  throw notFound(
    tool.lock,
    `The project uses ${tool.name}, which ${answer.error ? 'cannot be started' : 'knows no environment for it'}.`,
    `${answer.error ? `Install ${tool.name}` : `Create it: ${tool.create}`}, or name an interpreter: --python /path/to/python`,
  )
}

/** The first program of that name on PATH, as a full path. */
function onPath(program: string, env: Env, reason: string): Found | undefined {
  const names = process.platform === 'win32' ? [`${program}.exe`, program] : [program]
  const path = (env['PATH'] ?? '')
    .split(process.platform === 'win32' ? ';' : ':')
    .flatMap((folder) => names.map((name) => join(folder || '.', name)))
    .find((path) => statOf(path)?.isFile())
  return path === undefined ? undefined : { path: resolve(path), reason }
}

function installCommand(python: string, folders: readonly string[]): string {
  // An environment that uv has made has no pip.
  const environment = join(dirname(dirname(python)), 'pyvenv.cfg')
  const isOfUv = existsSync(environment) && /^uv =/m.test(readFileSync(environment, 'utf8'))
  const tool = TOOLS.find(({ lock }) => folders.some((folder) => existsSync(join(folder, lock))))
  if (tool) return tool.add
  return isOfUv ? `uv pip install --python ${quoteWord(python)}` : `${quoteWord(python)} -m pip install`
}

/**
 * The project's folder and those above it, up to the repository's own: an environment often lies beside the
 * repository's `pyproject.toml` while `manage.py` is one folder down.
 */
function foldersUp(root: string): string[] {
  const folders = [root]
  for (let folder = root; !existsSync(join(folder, '.git')); folder = dirname(folder)) {
    if (dirname(folder) === folder) return [root]
    folders.push(dirname(folder))
  }
  return folders
}

function firstOf<T, R>(items: readonly T[], attempt: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const result = attempt(item)
    if (result !== undefined) return result
  }
  return undefined
}

function notFound(place: string, message: string, hint: string): ProdserverError {
  return new ProdserverError([{ id: 'E004', place, message, hint }], EXIT.failed)
}
