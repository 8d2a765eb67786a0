/** Where things are, and the environment that every child process gets. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * Variables of the person's own work that would make the example or a test read another project,
 * another interpreter or another set of packages.
 */
const leaks = [
  'CONDA_PREFIX',
  'DJANGO_SETTINGS_MODULE',
  'PIP_PREFIX',
  'PIP_TARGET',
  'PIP_USER',
  'PRODSERVER_PYTHON',
  'PYTHONHOME',
  'PYTHONPATH',
  'VIRTUAL_ENV',
]

/**
 * @param {Record<string, string>} [extra]
 * @returns {NodeJS.ProcessEnv}
 */
export function environment(extra = {}) {
  const env = { ...process.env }
  for (const name of leaks) delete env[name]
  const bin = join(root, 'node_modules', '.bin')
  const folders = searchPath().filter((folder) => folder !== bin)
  return { ...env, PATH: [bin, ...folders].join(delimiter), ...extra }
}

/**
 * @param {string} program
 * @param {string[]} [folders]
 * @returns {string | undefined} its full path
 */
export function findProgram(program, folders = searchPath()) {
  return folders.map((folder) => join(folder, program)).find(isExecutable)
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function searchPath() {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
}
