import { spawnSync } from 'node:child_process'
import { setPriority } from 'node:os'
import { EXIT, type Problem, ProdserverError } from '../core/errors.ts'
import type { PlannedProcess } from '../plan/plan.ts'
import type { LaunchValues } from '../plan/planned-keys.ts'
import { findAccount, findGroup } from './accounts.ts'

/** The planned values that a program inherits from this process. The working directory is not among them: it comes last. */
type Identity = Pick<PlannedProcess, 'name' | 'place' | 'from'> & Omit<LaunchValues, 'cwd'>

/**
 * Takes on the user, group, file mode mask, priority and limits of a process. There is no way back: a program that is
 * started as somebody else must not be able to return.
 *
 * Returns what goes with the user: its HOME, USER and LOGNAME.
 *
 * @throws {ProdserverError} `E505` when there is no such user, or this one may not become it (exit code 6).
 */
export function takeOn(identity: Identity): Readonly<Record<string, string>> {
  const { user, group, umask, nice, limits } = identity
  if (umask !== null) attempt(identity, 'umask', () => process.umask(umask))
  // Raising a limit or a priority needs rights that the user to become does not have, so these come first.
  for (const [name, value] of Object.entries(limits)) attempt(identity, 'limits', () => setLimit(name, value))
  if (nice !== null) attempt(identity, 'nice', () => setPriority(nice))
  const ownUid = process.getuid?.()
  const account = user === null ? undefined : attempt(identity, 'user', () => findAccount(user, ownUid))
  const gid = group === null ? account?.gid : attempt(identity, 'group', () => findGroup(group))
  const isOther = account !== undefined && account.uid !== ownUid
  if (isOther) attempt(identity, 'user', () => initgroups(account.name, gid ?? account.gid))
  if (gid !== undefined && gid !== process.getgid?.())
    attempt(identity, group === null ? 'user' : 'group', () => process.setgid?.(gid))
  if (isOther) attempt(identity, 'user', () => process.setuid?.(account.uid))
  return account ? { HOME: account.home, USER: account.name, LOGNAME: account.name } : {}
}

/** Sets the supplementary groups of the user. Node has the call, and its types lack it. */
function initgroups(name: string, gid: number): void {
  ;(process as { initgroups?: (user: string, group: number) => void }).initgroups?.(name, gid)
}

/** Node has no call for it; util-linux's program sets the limits of a running process, which are then inherited. */
function setLimit(name: string, value: string): void {
  const { error, status, stderr } = spawnSync('prlimit', ['--pid', String(process.pid), `--${name}=${value}`], {
    encoding: 'utf8',
  })
  if (error) throw error
  if (status !== 0) throw new Error(stderr.trim())
}

function attempt<T>(
  { name, place: process, from }: Identity,
  key: Exclude<keyof LaunchValues, 'cwd'>,
  act: () => T,
): T {
  try {
    return act()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const place = from[key] ?? process
    const hint =
      code === 'EPERM' ? 'Start it as root, or remove the key where the process is started as that user' : undefined
    const problem: Problem = {
      id: 'E505',
      place,
      process: name,
      message: `${writtenKey(place)} cannot be taken on: ${message.split('\n')[0]?.replace(/\.$/, '')}.`,
      hint,
    }
    throw new ProdserverError([problem], code === 'EPERM' ? EXIT.notPermitted : EXIT.failed, { cause: error })
  }
}

/** The last key of a place, as it is written there. */
const writtenKey = (place: string): string => /\w+(?=\W*$)/.exec(place)?.[0] ?? place
