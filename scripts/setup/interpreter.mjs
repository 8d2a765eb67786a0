/** The machine's Python interpreters, and what each can do. */
import { ask } from './command.mjs'
import { findProgram } from './environment.mjs'

/** @type {readonly [major: number, minor: number]} */
export const oldestPython = [3, 10]

/** What is asked for: the first that suits wins. */
const programs = 'python3 python /usr/bin/python3 python3.14 python3.13 python3.12 python3.11 python3.10'.split(' ')

/** Modules whose absence means that a part of the example cannot run, and the package of each. */
const parts = {
  django: 'Django',
  gunicorn: 'gunicorn',
  uvicorn: 'uvicorn',
  waitress: 'waitress',
  celery: 'celery',
  django_tasks: 'django-tasks',
  django_tasks_db: 'django-tasks-db',
  django_q: 'django-q2',
}

/** Must parse on any Python, even 2: an old `python` should be named as too old. */
const question = `
import json, sys
answer = {"path": sys.executable, "version": list(sys.version_info[:3]), "modules": []}
try:
    from importlib.util import find_spec
    answer["modules"] = [name for name in sys.argv[1:] if find_spec(name)]
except ImportError:
    pass
print(json.dumps(answer))
`

/**
 * @typedef {object} Interpreter
 * @property {string} path
 * @property {[major: number, minor: number, patch: number]} version
 * @property {boolean} makesEnvironments whether it has venv and ensurepip
 * @property {string[]} packages those of `parts` that it can import
 */

/** @returns {Interpreter[]} all that start, each once */
export function findInterpreters() {
  /** @type {Map<string, Interpreter>} */
  const found = new Map()
  for (const program of programs) {
    const path = program.startsWith('/') ? program : findProgram(program)
    const interpreter = path && inspectInterpreter(path)
    if (interpreter && !found.has(interpreter.path)) found.set(interpreter.path, interpreter)
  }
  return [...found.values()]
}

/**
 * @param {string} path
 * @returns {Interpreter | undefined} undefined when it does not start
 */
export function inspectInterpreter(path) {
  const answer = parse(ask([path, '-c', question, 'venv', 'ensurepip', ...Object.keys(parts)]))
  if (!answer) return undefined
  const { path: realPath, version, modules } = answer
  const packages = Object.entries(parts).filter(([module]) => modules.includes(module))
  return {
    path: realPath,
    version,
    makesEnvironments: modules.includes('venv') && modules.includes('ensurepip'),
    packages: packages.map(([, name]) => name),
  }
}

/**
 * @param {string} [output] whose last line is the answer; start-up files may print above it
 * @returns {{ path: string, version: Interpreter['version'], modules: string[] } | undefined}
 */
function parse(output = '') {
  try {
    return JSON.parse(output.slice(output.lastIndexOf('\n') + 1))
  } catch {
    return undefined
  }
}

/** @param {Interpreter} interpreter */
export function isRecent({ version: [major, minor] }) {
  return major > oldestPython[0] || (major === oldestPython[0] && minor >= oldestPython[1])
}

/**
 * @param {Interpreter} interpreter
 * @returns {boolean} whether the example's web process can run on it
 */
export function servesDjango({ packages }) {
  const servers = ['gunicorn', 'uvicorn', 'waitress']
  return packages.includes('Django') && servers.some((server) => packages.includes(server))
}
