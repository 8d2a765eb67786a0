/** A free port on the loopback address, and who has a taken one. */
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { ask } from './command.mjs'
import { say, SetupError } from './steps.mjs'

const host = '127.0.0.1'
const usual = 8000

/**
 * @param {string | undefined} wanted what PORT says
 * @returns {Promise<number>}
 */
export async function choosePort(wanted) {
  if (wanted) return insistOn(parsePort(wanted))
  for (let port = usual; port < usual + 100; port++) {
    if (!(await isFree(port))) continue
    if (port !== usual) say(`port ${usual} is taken${by(usual)}: using ${port}`)
    return port
  }
  throw new SetupError(`ports ${usual} to ${usual + 99} are all taken`, 'Choose one:  PORT=9000 npm start')
}

/** @param {number} port */
async function insistOn(port) {
  if (await isFree(port)) return port
  throw new SetupError(
    `port ${port} (from PORT) is taken${by(port)}`,
    `Stop that process, or choose another port:  PORT=${port + 1} npm start`,
  )
}

/** @param {string} text */
function parsePort(text) {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new SetupError(`PORT is ${JSON.stringify(text)}, which is not a port`, 'For example:  PORT=8080 npm start')
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
