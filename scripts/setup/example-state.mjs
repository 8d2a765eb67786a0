/** What the example keeps: its data, its supervisor's folder, and the ports that it was started with. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join, relative, resolve } from 'node:path'
import { root } from './environment.mjs'

const project = join(root, 'example')

/**
 * @typedef {object} ExampleState
 * @property {string} data
 * @property {string} supervisor
 */

/** @returns {ExampleState} */
export function exampleState() {
  const data = resolve(project, process.env['DATA_DIR'] || 'var')
  return { data, supervisor: join(data, 'supervisor') }
}

/**
 * Whether the example runs: with a supervisor, or only with the shim to whom one that was killed left its programs.
 * @param {ExampleState} state
 * @returns {Promise<'supervised' | 'kept' | undefined>}
 */
export async function howItRuns(state) {
  if (await answers(state, 'control.sock')) return 'supervised'
  return (await answers(state, 'shim.sock')) ? 'kept' : undefined
}

/**
 * @param {ExampleState} state
 * @param {string} socket
 * @returns {Promise<boolean>}
 */
function answers({ supervisor }, socket) {
  // The path of a Unix socket must be short, and the one from here is.
  const path = relative(process.cwd(), join(supervisor, socket))
  if (!existsSync(path)) return Promise.resolve(false)
  return new Promise((settle) => {
    const connection = connect(path)
    connection.once('connect', () => settle(true)).once('error', () => settle(false))
    connection.once('connect', () => connection.destroy())
  })
}

/** @typedef {Record<string, string>} Ports by the variable that names each to the settings */

/**
 * @param {ExampleState} state
 * @returns {Ports | undefined}
 */
export function readPorts(state) {
  try {
    return JSON.parse(readFileSync(portsFile(state), 'utf8'))
  } catch {
    return undefined // somebody else started it
  }
}

/**
 * @param {ExampleState} state
 * @param {Ports} ports
 */
export function writePorts(state, ports) {
  mkdirSync(state.data, { recursive: true })
  writeFileSync(portsFile(state), JSON.stringify(ports))
}

/** @param {Ports} ports */
export function addressesOf({ PORT, FRONTEND_PORT }) {
  return `http://127.0.0.1:${FRONTEND_PORT}/ (Django itself: http://127.0.0.1:${PORT}/)`
}

/**
 * What `migrate` runs once for: these migrations, for this database. A database that was deleted is another one.
 * @param {ExampleState} state
 * @param {import('./python-environment.mjs').EnvironmentRecord} python
 */
export function releaseOf({ data }, { python, key }) {
  const url = process.env['DATABASE_URL']
  // The installed packages bring migrations of their own.
  const hash = createHash('sha256').update(JSON.stringify([python, key, url ?? identityOf(databaseFile(data))]))
  const names = readdirSync(project, { recursive: true, encoding: 'utf8' })
  for (const name of names.filter((each) => /(^|\/)(migrations\/.*|settings.*)\.py$/.test(each)).toSorted()) {
    hash.update(name).update(readFileSync(join(project, name)))
  }
  return hash.digest('hex').slice(0, 12)
}

/** @param {string} data */
function databaseFile(data) {
  return process.env['DATABASE_PATH'] || join(data, 'db.sqlite3')
}

/** @param {string} file made, if it is not there: an empty one is an empty database */
function identityOf(file) {
  mkdirSync(dirname(file), { recursive: true })
  closeSync(openSync(file, 'a'))
  const { ino, birthtimeMs } = statSync(file)
  return [file, ino, birthtimeMs]
}

/** @param {ExampleState} state */
function portsFile({ data }) {
  return join(data, 'ports.json')
}
