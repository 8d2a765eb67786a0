/** Names and messages of version 0.1.0, where the shim was called keeper. Nothing else reads them. */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { SupervisorStatus } from '../../control/protocol.ts'
import { socketPath } from '../../control/state-dir.ts'
import { ShimBusyError } from '../shim/client.ts'
import { endProcess } from '../shim/end-process.ts'

const LOCK = 'keeper.lock'
const SOCKET = 'keeper.sock'
/** The message `hello` of protocol 1: a length, then each field with its length. */
const HELLO = Buffer.from('\x09\0\0\0\x05\0\0\0hello', 'latin1')
/** Its answer when another supervisor is connected. */
const BUSY = Buffer.from('\x08\0\0\0\x04\0\0\0busy', 'latin1')

/**
 * Ends the shim of version 0.1.0, if one has the state directory, and removes its files. Its programs go on, and the
 * next shim adopts them as after any death of a shim.
 *
 * @throws {ShimBusyError} when a supervisor of version 0.1.0 is connected to it.
 */
export async function endOldShim(stateDir: string): Promise<void> {
  const lock = join(stateDir, LOCK)
  if (!existsSync(lock)) return
  const pid = lockHolder(realpathSync(lock))
  if (pid !== undefined) {
    if (await isBusy(stateDir)) throw new ShimBusyError()
    await endProcess(pid)
  }
  for (const name of [LOCK, SOCKET]) rmSync(join(stateDir, name), { force: true })
}

/** Pid of the process that holds a lock on a file. */
function lockHolder(path: string): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    if (holdsLock(pid, path)) return Number(pid)
  return undefined
}

function holdsLock(pid: string, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(
      (fd) =>
        readlinkSync(`/proc/${pid}/fd/${fd}`) === path &&
        /^lock:.*\bFLOCK\b/m.test(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1')),
    )
  } catch {
    // The process ended meanwhile, or belongs to another user.
    return false
  }
}

/** Whether a supervisor is connected to the old shim. One that cannot be asked may have a supervisor. */
async function isBusy(stateDir: string): Promise<boolean> {
  const { connect } = process.getBuiltinModule('node:net')
  const target = socketPath(stateDir, SOCKET)
  const socket = connect(target.path)
  try {
    return (await firstAnswer(socket)).equals(BUSY)
  } catch {
    return true
  } finally {
    socket.destroy()
    target.close()
  }
}

function firstAnswer(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  socket.once('connect', () => socket.write(HELLO))
  socket.once('data', (data: Buffer) => resolve(data.subarray(0, BUSY.length)))
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('the old shim closed the connection')))
  return promise
}

/** Whether a command line is that of an old shim of a state directory. */
export const isOldShim = (commandLine: string, stateDir: string): boolean => commandLine.endsWith(`/keeper ${stateDir}`)

/** Pid of the shim, also from the answer of a supervisor of version 0.1.0. */
export function shimPidOf(status: SupervisorStatus): number {
  const { shimPid, keeperPid } = status as Partial<SupervisorStatus> & { readonly keeperPid?: number }
  return shimPid ?? keeperPid ?? 0
}
