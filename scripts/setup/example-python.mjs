/** The interpreter that runs the example: our environment, or what the machine has. */
import { join, resolve } from 'node:path'
import { CommandFailed } from './command.mjs'
import { findProgram, root } from './environment.mjs'
import { findInterpreters, isRecent, servesDjango } from './interpreter.mjs'
import { canInstall, install, installCommand } from './packages-of-system.mjs'
import {
  CannotCreate,
  clearEnvironment,
  ensureEnvironment,
  environmentKey,
  recordEnvironment,
} from './python-environment.mjs'
import { say, SetupError, step, warn } from './steps.mjs'

const requirements = join(root, 'scripts', 'requirements-example.txt')

/** Debian's names; it has no django-tasks, and no django-q2 (its django-q is another program). */
const debian = ['python3-django', 'gunicorn', 'python3-gunicorn', 'python3-uvicorn', 'python3-celery']
const needed = debian.slice(0, 3)

const wanted = ['celery', 'django-tasks', 'django-tasks-db', 'django-q2', 'gunicorn', 'uvicorn']

/** @returns {Promise<import('./python-environment.mjs').EnvironmentRecord>} */
export async function ensureExamplePython() {
  const folder = resolve(root, process.env['PRODSERVER_VENV'] || '.venv')
  const record = await ensureEnvironment(folder, requirements).catch((error) => {
    const hasAlternative = error instanceof CommandFailed || error instanceof CannotCreate
    if (!hasAlternative) throw error
    return useSystemPython(folder, error)
  })
  if (!record.python.startsWith(join(folder, '/'))) sayWhatIsLeftOut(record, folder)
  return record
}

/**
 * @param {string} folder
 * @param {CommandFailed | CannotCreate} reason why there is no environment of our own
 */
async function useSystemPython(folder, reason) {
  const offline = reason instanceof CommandFailed
  if (offline) warn(`${reason.message}\n${indent(reason.hint)}`)
  const python = bestInterpreter() ?? (offline ? await installedInterpreter() : undefined)
  if (python === undefined) throw offline ? nothingWorks() : reason
  if (!offline) warn(reason.message)
  clearEnvironment(folder)
  return recordEnvironment(folder, environmentKey(folder, requirements), python)
}

/** @param {string} [text] */
function indent(text = '') {
  return text.replace(/^(?=.)/gm, '    ')
}

/** @returns {string | undefined} of those that can serve the example, the one with most of its parts */
function bestInterpreter() {
  const able = findInterpreters().filter((interpreter) => isRecent(interpreter) && servesDjango(interpreter))
  able.sort((a, b) => b.packages.length - a.packages.length)
  return able[0]?.path
}

async function installedInterpreter() {
  say('no Python of this machine has Django and a server for it')
  if (!canInstall()) return undefined
  try {
    await step(`installing Debian packages (apt-get install ${debian.join(' ')})`, () => install(debian))
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error
    await step(`installing only ${needed.join(' ')}`, () => install(needed)).catch(ignoreFailedCommand)
  }
  return bestInterpreter()
}

/** @param {unknown} error */
function ignoreFailedCommand(error) {
  if (!(error instanceof CommandFailed)) throw error
}

/**
 * @param {import('./python-environment.mjs').EnvironmentRecord} record
 * @param {string} folder
 */
function sayWhatIsLeftOut({ python, packages }, folder) {
  const missing = wanted.filter((name) => !packages.includes(name))
  say(`using ${python}; to try pip again: rm -r ${folder}`)
  if (missing.length > 0) warn(`left out, because ${python} does not have them: ${missing.join(', ')}`)
}

function nothingWorks() {
  return new SetupError(
    'The example needs Django and one of gunicorn, uvicorn, waitress; pip cannot install them, and no Python here has them',
    ['With a package index in reach, type the command again.', ...debianWay()].join('\n'),
  )
}

function debianWay() {
  return findProgram('apt-get') ? [`With Debian's packages:  ${installCommand({ debian, brew: [] })}`] : []
}
