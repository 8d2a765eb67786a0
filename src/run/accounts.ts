import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** A user of this machine. */
interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

const NUMBER = /^\d+$/

/**
 * Finds a user by name or number, as the shim does. A number without an entry in the user database has a group of the
 * same number, and no home; if this process already runs as that number, there is nothing to change.
 *
 * @throws when there is no user of that name, or the database cannot be read.
 */
export function findAccount(user: string, ownUid: number | undefined): Account | undefined {
  const entry = findEntry('passwd', user)
  if (entry) {
    const [name = '', , uid, gid, , home = '/'] = entry
    return { name, uid: Number(uid), gid: Number(gid), home }
  }
  if (!NUMBER.test(user)) throw new Error(`there is no user ${user}`)
  if (Number(user) === ownUid) return undefined
  return { name: user, uid: Number(user), gid: Number(user), home: '/' }
}

/**
 * Finds the number of a group. Any number is a group.
 *
 * @throws when there is no group of that name, or the database cannot be read.
 */
export function findGroup(group: string): number {
  if (NUMBER.test(group)) return Number(group)
  const [, , gid] = findEntry('group', group) ?? []
  if (gid === undefined) throw new Error(`there is no group ${group}`)
  return Number(gid)
}

/** Exit code of `getent` if the database has no such key. */
const NOT_FOUND = 2

/**
 * Looks up a key in a database of the system. `getent` also asks the services of nsswitch.conf, such as LDAP; without
 * `getent` only the file in `/etc` is read.
 */
function findEntry(database: 'passwd' | 'group', key: string): readonly string[] | undefined {
  if (key.startsWith('-')) return undefined
  const { error, status, stdout, stderr } = spawnSync('getent', [database, key], { encoding: 'utf8' })
  if (error && 'code' in error && error.code === 'ENOENT') return readEntry(database, key)
  if (status === NOT_FOUND) return undefined
  if (error || status !== 0) {
    const reason = error?.message ?? (stderr.trim() || `exit code ${status}`)
    throw new Error(`the system cannot look up ${key} in ${database}: ${reason}`)
  }
  return stdout.split('\n')[0]?.split(':')
}

function readEntry(database: string, key: string): readonly string[] | undefined {
  const entries = readFileSync(`/etc/${database}`, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  return entries.find(([name, , id]) => (NUMBER.test(key) ? id === key : name === key))
}
