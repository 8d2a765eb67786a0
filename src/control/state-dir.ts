import { createHash } from 'node:crypto'
import { closeSync, openSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { EXIT, ProdserverError } from '../core/errors.ts'
import type { Env } from '../core/types.ts'

/**
 * Where a project's supervisor keeps its sockets, its logs and what it knows:
 * `PRODSERVER_STATE_DIR`; the `STATE_DIRECTORY` that systemd makes for a unit; else a folder of the user's own, by
 * default `~/.local/state/prodserver/NAME-HASH`, after the real path of the project, so that every way to name a
 * project leads to one supervisor.
 */
export function stateDirectory(env: Env, root: string): string {
  if (env['PRODSERVER_STATE_DIR']) return resolve(root, env['PRODSERVER_STATE_DIR'])
  // A unit may have several; the first is the state's.
  const [ofUnit] = (env['STATE_DIRECTORY'] ?? '').split(':')
  if (ofUnit) return resolve(root, ofUnit)
  const real = realPath(root)
  const hash = createHash('sha256').update(real).digest('hex').slice(0, 8)
  const name = `${basename(real) || 'root'}-${hash}`
  const home = stateHome(env)
  return home === undefined ? `/tmp/prodserver-${process.getuid?.()}-${name}` : join(home, 'prodserver', name)
}

/**
 * Returns the folder for the state of all programs of a user: `XDG_STATE_HOME` or `~/.local/state`.
 *
 * Undefined if the user has no home. The random user of a container has no entry in the user database, and `/` as HOME.
 */
function stateHome(env: Env): string | undefined {
  const base = env['XDG_STATE_HOME']
  // The specification has relative ones ignored.
  if (base && isAbsolute(base)) return base
  const home = env['HOME'] || homeOfUser()
  return home === '/' && process.getuid?.() !== 0 ? undefined : join(home, '.local', 'state')
}

function homeOfUser(): string {
  try {
    return homedir()
  } catch {
    return '/'
  }
}

function realPath(root: string): string {
  try {
    return realpathSync(root)
  } catch {
    return resolve(root)
  }
}

/** A path for `connect` or `bind`, good until it is closed. */
interface SocketPath {
  readonly path: string
  readonly close: () => void
}

/** What the kernel takes for the path of a Unix socket, in bytes. */
export const SOCKET_PATH_BYTES = 107

/**
 * The path of a Unix socket in a folder. A folder with a long path is opened, and the socket is reached through that
 * descriptor. Close it when the connection is made, or when nobody listens any more.
 *
 * @throws the system's error where such a folder cannot be opened, {@link ProdserverError} `E602` where the system
 * has no such way.
 */
export function socketPath(dir: string, name: string): SocketPath {
  const path = join(dir, name)
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES) return { path, close: () => {} }
  if (process.platform !== 'linux') {
    const message = `The path of the socket is longer than the ${SOCKET_PATH_BYTES} bytes that the system takes.`
    throw new ProdserverError(
      [{ id: 'E602', place: path, message, hint: 'Set PRODSERVER_STATE_DIR to a shorter path' }],
      EXIT.failed,
    )
  }
  const fd = openSync(dir, 'r')
  return { path: `/proc/self/fd/${fd}/${name}`, close: () => closeSync(fd) }
}
