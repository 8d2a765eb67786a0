import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A user number without an entry in the user database. */
export const UNKNOWN_UID = 12_345

/** Root's right to read the project and the interpreter, kept by another user. */
const CAPABILITIES = ['dac_override', 'dac_read_search'].map((name) => `+${name}`).join(',')

/** The words before a command that run it as a user without an entry in the user database. */
export const AS_UNKNOWN: readonly string[] = [
  'setpriv',
  // Without this bit access(2) ignores the capabilities.
  '--securebits=+no_setuid_fixup',
  `--reuid=${UNKNOWN_UID}`,
  '--regid=0',
  '--clear-groups',
  `--inh-caps=${CAPABILITIES}`,
  `--ambient-caps=${CAPABILITIES}`,
]

/** A user and a group that no file in `/etc` has. */
export const REMOTE = {
  user: 'remote-user',
  group: 'remote-group',
  uid: 45_678,
  gid: 45_679,
  home: '/srv/remote',
} as const

/**
 * Returns the words before a command that run it where the user database has the remote user, as with LDAP: in a mount
 * namespace in which systemd's module of the name service knows the user.
 */
export function withRemoteUser(t: TestContext): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-nss-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { user, group, uid, gid, home } = REMOTE
  const records = {
    [`${user}.user`]: { userName: user, uid, gid, homeDirectory: home, shell: '/bin/sh' },
    [`${uid}.user`]: { userName: user, uid, gid, homeDirectory: home, shell: '/bin/sh' },
    [`${group}.group`]: { groupName: group, gid },
    [`${gid}.group`]: { groupName: group, gid },
  }
  for (const [name, record] of Object.entries(records)) writeFileSync(join(folder, name), JSON.stringify(record))
  writeFileSync(join(folder, 'nsswitch.conf'), 'passwd: files systemd\ngroup: files systemd\nhosts: files dns\n')
  const script = `mkdir -p /run/userdb && mount --bind ${folder} /run/userdb && mount --bind ${folder}/nsswitch.conf /etc/nsswitch.conf && exec "$@"`
  return ['unshare', '--mount', 'sh', '-c', script, 'sh']
}
