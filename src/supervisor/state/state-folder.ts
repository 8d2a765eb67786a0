import { chmodSync, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EXIT, ProdserverError } from '../../core/errors.ts'

/**
 * Makes the folder of a supervisor, for its owner alone. Who may write there may have programs started as its owner,
 * so one that is somebody else's, or leads elsewhere, is refused.
 *
 * @throws {ProdserverError} `E603`.
 */
export function prepareStateFolder(stateDir: string): void {
  try {
    makeFolder(stateDir)
    const found = lstatSync(stateDir)
    if (found.isSymbolicLink()) throw refused(stateDir, 'It is a symbolic link', EXIT.notPermitted)
    if (found.uid !== process.getuid?.())
      throw refused(stateDir, `It belongs to another user (uid ${found.uid})`, EXIT.notPermitted)
    // Such as /tmp: to have it for ourselves would take it from everybody else.
    if ((found.mode & STICKY) !== 0) throw refused(stateDir, 'It is a folder for all users', EXIT.failed)
    if ((found.mode & 0o777) !== 0o700) chmodSync(stateDir, 0o700)
    for (const folder of ['logs', 'run']) mkdirSync(join(stateDir, folder), { recursive: true, mode: 0o700 })
  } catch (error) {
    if (error instanceof ProdserverError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw refused(stateDir, message, code === 'EACCES' || code === 'EPERM' ? EXIT.notPermitted : EXIT.failed)
  }
}

const STICKY = 0o1000

/** Node's own recursive way never ends where the system says that a folder is not there whose parent is: in `/proc`. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makeFolder(dirname(path))
    mkdirSync(path, { mode: 0o700 })
  }
}

function refused(stateDir: string, why: string, exitCode: 1 | 6): ProdserverError {
  const message = `The state directory cannot be used. ${why}.`
  const hint = 'Name a folder of your own: PRODSERVER_STATE_DIR=/path/to/folder'
  return new ProdserverError([{ id: 'E603', place: stateDir, message, hint }], exitCode)
}
