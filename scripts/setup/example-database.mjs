/** The example's database, brought up to date only when something changed. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { run } from './command.mjs'
import { environment, root } from './environment.mjs'
import { step } from './steps.mjs'

/**
 * @param {import('./python-environment.mjs').EnvironmentRecord} python
 * @param {string} [project] folder
 */
export async function ensureDatabase({ python, key }, project = join(root, 'example')) {
  const database = databaseOf(project)
  const state = `${database}.migrated`
  const wanted = fingerprint(project, [python, key])
  if (hasContent(database) && existsSync(state) && readFileSync(state, 'utf8') === wanted) return
  await step('preparing the database (manage.py migrate)', async () => {
    mkdirSync(dirname(database), { recursive: true })
    const migrate = [python, 'manage.py', 'migrate', '--noinput']
    await run('migrate', migrate, { cwd: project, env: environment() })
    writeFileSync(state, wanted)
  })
}

/**
 * As the example's settings find it.
 * @param {string} project
 */
function databaseOf(project) {
  const folder = resolve(project, process.env['DATA_DIR'] || 'var')
  return process.env['DATABASE_PATH'] || join(folder, 'db.sqlite3')
}

/**
 * SQLite makes an empty file for whoever only looks.
 * @param {string} file
 */
function hasContent(file) {
  return existsSync(file) && statSync(file).size > 0
}

/**
 * @param {string} project
 * @param {string[]} environmentParts the installed packages bring migrations of their own
 */
function fingerprint(project, environmentParts) {
  const hash = createHash('sha256').update(JSON.stringify(environmentParts))
  const names = readdirSync(project, { recursive: true, encoding: 'utf8' })
  for (const name of names.filter((each) => /(^|\/)(migrations\/.*|settings.*)\.py$/.test(each)).toSorted()) {
    hash.update(name).update(readFileSync(join(project, name)))
  }
  return hash.digest('hex')
}
