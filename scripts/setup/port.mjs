/** A free port on the loopback address, and who has a taken one. */
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { ask } from './command.mjs'
import { say, SetupError } from './steps.mjs'

const host = '127.0.0.1'

/** The variables that the example's settings read, and the port of each where nothing else is said. */
const usual = { PORT: 8000, ASYNC_PORT: 8001, FRONTEND_PORT: 3000 }

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Record<string, string>>} a free port for each of the example's servers
 */
export async function choosePorts(env) {
  const insisted = Object.keys(usual).flatMap((name) => (env[name] ? [parsePort(name, env[name])] : []))
  /** @type {Record<string, string>} */
  const chosen = {}
  /** @type {number[]} */
  const taken = [...insisted]
  for (const [name, first] of Object.entries(usual)) {
    const port = env[name] ? await insistOn(name, parsePort(name, env[name])) : await firstFree(name, first, taken)
    taken.push(port)
    chosen[name] = String(port)
  }
  return chosen
}

/**
 * @param {string} name
 * @param {number} first
 * @param {number[]} taken by another server of the example
 */
async function firstFree(name, first, taken) {
  for (let port = first; port < first + 100; port++) {
    if (taken.includes(port) || !(await isFree(port))) continue
    if (port !== first && !taken.includes(first)) say(`port ${first} is taken${by(first)}: using ${port}`)
    return port
  }
  throw new SetupError(`ports ${first} to ${first + 99} are all taken`, `Choose one:  ${name}=9000 npm start`)
}

/**
 * @param {string} name
 * @param {number} port
 */
async function insistOn(name, port) {
  if (await isFree(port)) return port
  throw new SetupError(
    `port ${port} (from ${name}) is taken${by(port)}`,
    `Stop that process, or choose another port:  ${name}=${port + 1} npm start`,
  )
}

/**
 * @param {string} name
 * @param {string} text
 */
function parsePort(name, text) {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new SetupError(
    `${name} is ${JSON.stringify(text)}, which is not a port`,
    `For example:  ${name}=8080 npm start`,
  )
}

/**
 * Tried without connecting: closing a socket makes Node open its standard error, and a pipe there
 * would stay non-blocking for the server that takes this process's place.
 * @param {number} port
 */
async function isFree(port) {
  if ((await canBind(port)) === false) return false
  // Elsewhere than on Linux, one address can be bound beside a listener on all of them.
  return process.platform === 'linux' || !lsofOwner(port)
}

/**
 * @param {number} port 0 for any
 * @returns {Promise<number | false>} the port, if it could be bound
 */
async function canBind(port) {
  const server = createServer()
  try {
    await once(server.listen({ host, port }), 'listening')
    return /** @type {import('node:net').AddressInfo} */ (server.address()).port
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** @returns {Promise<number>} one that nobody uses */
export async function anyPort() {
  const port = await canBind(0)
  if (port === false) throw new SetupError(`no port on ${host} can be bound`)
  return port
}

/** @param {number} port */
function by(port) {
  const owner = process.platform === 'linux' ? linuxOwner(port) : lsofOwner(port)
  return owner ? ` by ${owner}` : ''
}

/** @param {number} port */
function lsofOwner(port) {
  const pid = ask(['lsof', '-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t'])?.split('\n')[0]
  return pid && `process ${pid} (${ask(['ps', '-o', 'command=', '-p', pid])})`
}

/** @param {number} port */
function linuxOwner(port) {
  const inodes = listeners(port)
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holdsOneOf(name, inodes))
  return pid && `process ${pid} (${readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()})`
}

/**
 * @param {number} port
 * @returns {Set<string>} names of its listening sockets, as links in /proc show them
 */
function listeners(port) {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((table) => readFileSync(table, 'utf8'))
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const rows = tables.flatMap((table) => table.split('\n')).map((row) => row.trim().split(/\s+/))
  const listening = rows.filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === '0A')
  return new Set(listening.map((row) => `socket:[${row[9]}]`))
}

/**
 * @param {string} pid
 * @param {Set<string>} sockets
 */
function holdsOneOf(pid, sockets) {
  try {
    const folder = `/proc/${pid}/fd`
    return readdirSync(folder).some((name) => sockets.has(readlinkSync(`${folder}/${name}`)))
  } catch {
    return false // ended meanwhile, or another user's
  }
}
