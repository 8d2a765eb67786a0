/** Virtual environments, each with a record of what it holds that is written last. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { run } from './command.mjs'
import { environment, root } from './environment.mjs'
import { findInterpreters, inspectInterpreter, isRecent, oldestPython } from './interpreter.mjs'
import { installCommand } from './packages-of-system.mjs'
import { SetupError, step } from './steps.mjs'

/** No interpreter of the machine can create an environment. */
export class CannotCreate extends SetupError {}

/**
 * @typedef {object} EnvironmentRecord
 * @property {string} key of the requirements it was made for
 * @property {string} python full path
 * @property {string[]} packages what it could import
 */

/**
 * @param {string} folder
 * @param {string} [requirements] file; without it the environment stays empty
 * @returns {string} what a record must have been made for to be worth anything
 */
export function environmentKey(folder, requirements) {
  const wanted = requirements ? requirementLines(requirements) : []
  return createHash('sha256')
    .update(JSON.stringify([folder, wanted]))
    .digest('hex')
}

/**
 * @param {string} folder
 * @param {string} key
 * @returns {EnvironmentRecord | undefined} the record, if all it says is still so
 */
export function readEnvironment(folder, key) {
  /** @type {Partial<EnvironmentRecord>} */
  const { key: madeFor, python, packages } = readRecord(folder)
  if (madeFor !== key || python === undefined || packages === undefined) return undefined
  const present = inspectInterpreter(python)?.packages
  return packages.every((name) => present?.includes(name)) && present ? { key, python, packages } : undefined
}

/**
 * @param {string} folder
 * @param {string} key
 * @param {string} python
 * @returns {EnvironmentRecord}
 */
export function recordEnvironment(folder, key, python) {
  const record = { key, python, packages: inspectInterpreter(python)?.packages ?? [] }
  writeFileSync(recordFile(folder), `${JSON.stringify(record, null, 2)}\n`)
  return record
}

/**
 * @param {string} folder
 * @param {string} [requirements]
 * @returns {Promise<EnvironmentRecord>}
 */
export async function ensureEnvironment(folder, requirements) {
  const key = environmentKey(folder, requirements)
  return readEnvironment(folder, key) ?? (await makeEnvironment(folder, key, requirements))
}

/**
 * @param {string} folder
 * @param {string} key
 * @param {string} [requirements]
 */
async function makeEnvironment(folder, key, requirements) {
  const { path, version } = baseInterpreter()
  const python = join(folder, 'bin', 'python')
  clearEnvironment(folder)
  const name = relative(root, folder)
  await step(`creating ${name} with Python ${version.join('.')} (${path})`, () =>
    run(`venv${basename(folder)}`, [path, '-m', 'venv', ...(requirements ? [] : ['--without-pip']), folder]),
  )
  if (requirements) {
    await step(`installing Python packages (pip, ${relative(root, requirements)})`, () =>
      run(`pip${basename(folder)}`, [...pipInstall(python), '-r', requirements], { env: pipEnvironment() }),
    )
  }
  return recordEnvironment(folder, key, python)
}

/**
 * Empties a folder that this script made, or makes it. The unfinished record says whose it is.
 * @param {string} folder
 */
export function clearEnvironment(folder) {
  mkdirSync(folder, { recursive: true })
  const names = readdirSync(folder)
  if (names.length > 0 && !existsSync(recordFile(folder))) {
    throw new SetupError(
      `${relative(root, folder)} exists, and was not made by this command`,
      'Move it away and type the command again. (npm start takes another folder from PRODSERVER_VENV.)',
    )
  }
  writeFileSync(recordFile(folder), '{}\n')
  const keep = basename(recordFile(folder))
  for (const name of names) if (name !== keep) rmSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, '.gitignore'), '*\n')
}

/** @param {string} python */
export function pipInstall(python) {
  return [python, '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check']
}

/** Without an index in reach, pip's own patience is minutes for each package. */
export function pipEnvironment() {
  return environment({
    PIP_RETRIES: process.env['PIP_RETRIES'] ?? '2',
    PIP_DEFAULT_TIMEOUT: process.env['PIP_DEFAULT_TIMEOUT'] ?? '20',
  })
}

/** @returns {import('./interpreter.mjs').Interpreter} the first that can create environments */
function baseInterpreter() {
  const all = findInterpreters()
  const recent = all.filter(isRecent)
  const suitable = recent.find(({ makesEnvironments }) => makesEnvironments)
  if (suitable) return suitable
  const [first] = recent.length > 0 ? recent : all
  const oldest = oldestPython.join('.')
  if (first === undefined) {
    throw new CannotCreate(
      `Python is not installed; ${oldest} or newer is needed`,
      typeThis(['python3', 'python3-venv']),
    )
  }
  const which = `Python ${first.version.join('.')} (${first.path})`
  if (recent.length === 0) {
    throw new SetupError(`${which} is too old; ${oldest} or newer is needed`, typeThis(['python3', 'python3-venv']))
  }
  throw new CannotCreate(
    `${which} cannot create environments: it lacks venv or ensurepip`,
    typeThis([`${basename(first.path)}-venv`]),
  )
}

/** @param {string[]} debian */
function typeThis(debian) {
  return `Install it:  ${installCommand({ debian, brew: ['python'] })}`
}

/**
 * @param {string} file
 * @returns {string[]} its lines and those of the files that it includes
 */
function requirementLines(file) {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line) => {
    const included = /^-r\s+(\S+)/.exec(line)?.[1]
    return included ? requirementLines(join(dirname(file), included)) : [line]
  })
}

/**
 * @param {string} folder
 * @returns {Partial<EnvironmentRecord>}
 */
function readRecord(folder) {
  try {
    return JSON.parse(readFileSync(recordFile(folder), 'utf8'))
  } catch {
    return {} // absent, or cut off while it was written
  }
}

/** @param {string} folder */
function recordFile(folder) {
  return join(folder, 'prodserver-environment.json')
}
