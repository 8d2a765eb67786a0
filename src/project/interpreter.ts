import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { failure, type ProdserverError } from '../core/errors.ts'
import { statOf } from '../core/files.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { Env } from '../core/types.ts'

/** The Python that runs the project. */
export interface Interpreter {
  /** Full path with its symbolic links: Python finds its environment by the path that started it. */
  readonly path: string
  /** Why this one. */
  readonly reason: string
  /** The command that installs a package, without the name of the package. */
  readonly install: string
}

/** Usual folders of a virtual environment, the commonest first. */
const ENVIRONMENT_FOLDERS = ['.venv', 'venv', 'env', '.env', 'virtualenv']

/** Tools that keep the environment of a project elsewhere, known by their lock file. */
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
 * @throws {ProdserverError} `E004` if there is none, or if the one asked for does not exist.
 */
export function resolveInterpreter(request: InterpreterRequest): Interpreter {
  const folders = foldersUp(request.root)
  for (const found of candidates(request, folders))
    if (found) return { ...found, install: installCommand(found.path, folders) }
  throw notFound(
    'PATH',
    'There is no `python3` on PATH, and the project has no virtual environment.',
    'Create one: python3 -m venv .venv, or name one: --python /path/to/python',
  )
}

type Found = Omit<Interpreter, 'install'>

/** Yields interpreters in the order of their precedence; undefined for each place that has none. */
function* candidates(request: InterpreterRequest, folders: readonly string[]): Generator<Found | undefined> {
  const { root, env } = request
  yield named(request.python, '--python', request)
  yield named(env['PRODSERVER_PYTHON'], 'PRODSERVER_PYTHON', request)
  for (const name of ['VIRTUAL_ENV', 'CONDA_PREFIX']) yield inFolder(env[name], name)
  const { UV_PROJECT_ENVIRONMENT: ofUv } = env
  yield inFolder(ofUv && resolve(root, ofUv), 'UV_PROJECT_ENVIRONMENT')
  for (const folder of folders)
    for (const name of ENVIRONMENT_FOLDERS)
      yield inFolder(join(folder, name), `${name} in ${folder === root ? 'the project' : folder}`)
  for (const tool of TOOLS)
    if (folders.some((folder) => existsSync(join(folder, tool.lock)))) yield askTool(tool, request)
  for (const program of ['python3', 'python']) yield onPath(program, env, `${program} on PATH`)
}

/** Finds the interpreter that the user named. It must be there: another one would run other code than the user meant. */
function named(value: string | undefined, reason: string, { cwd, env }: InterpreterRequest): Found | undefined {
  if (!value) return undefined
  if (isAbsolute(value) || value.includes('/') || existsSync(resolve(cwd, value)))
    return atPath(resolve(cwd, value), reason)
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
  const programs = ['bin/python', 'bin/python3', 'Scripts/python.exe'].map((program) => join(folder, program))
  const path = programs.find((program) => existsSync(program))
  return path === undefined ? undefined : { path, reason }
}

function askTool(tool: (typeof TOOLS)[number], { root, env }: InterpreterRequest): Found {
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
  const [fault, repair] = answer.error
    ? ['cannot be started', `Install ${tool.name}`]
    : ['knows no environment for it', `Create it: ${tool.create}`]
  const hint = `${repair}, or name an interpreter: --python /path/to/python`
  throw notFound(tool.lock, `The project uses ${tool.name}, which ${fault}.`, hint)
}

/** The first program of that name on PATH, as a full path. */
function onPath(program: string, env: Env, reason: string): Found | undefined {
  const isWindows = process.platform === 'win32'
  const names = isWindows ? [`${program}.exe`, program] : [program]
  const path = (env['PATH'] ?? '')
    .split(isWindows ? ';' : ':')
    .flatMap((folder) => names.map((name) => join(folder || '.', name)))
    .find((candidate) => statOf(candidate)?.isFile())
  return path === undefined ? undefined : { path: resolve(path), reason }
}

function installCommand(python: string, folders: readonly string[]): string {
  const tool = TOOLS.find(({ lock }) => folders.some((folder) => existsSync(join(folder, lock))))
  if (tool) return tool.add
  // An environment that uv has made has no pip.
  const environment = join(dirname(dirname(python)), 'pyvenv.cfg')
  const isOfUv = existsSync(environment) && /^uv =/m.test(readFileSync(environment, 'utf8'))
  return isOfUv ? `uv pip install --python ${quoteWord(python)}` : `${quoteWord(python)} -m pip install`
}

/** The project's folder and the folders above it, up to the top of the repository: an environment often lies there. */
function foldersUp(root: string): readonly string[] {
  const folders = [root]
  for (let folder = root; !existsSync(join(folder, '.git')); folder = dirname(folder)) {
    if (dirname(folder) === folder) return [root]
    folders.push(dirname(folder))
  }
  return folders
}

const notFound = (place: string, message: string, hint: string): ProdserverError =>
  failure({ id: 'E004', place, message, hint })
