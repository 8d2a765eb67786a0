import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findAccount, findGroup } from './accounts.ts'

/** Sets PATH to a folder that holds only this `getent`, or nothing. */
function withGetent(t: TestContext, script?: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-getent-'))
  const path = process.env['PATH']
  t.after(() => {
    process.env['PATH'] = path
    rmSync(folder, { recursive: true })
  })
  process.env['PATH'] = folder
  if (script === undefined) return
  writeFileSync(join(folder, 'getent'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'getent'), 0o755)
}

const NOBODY = { name: 'nobody', uid: 65_534, gid: 65_534 }

test('finds a user of the system by name and by number', () => {
  for (const user of ['nobody', '65534']) {
    const { name, uid, gid } = findAccount(user, 0) ?? {}
    assert.deepEqual({ name, uid, gid }, NOBODY)
  }
  assert.equal(findGroup('daemon'), 1)
  assert.equal(findGroup('4123456'), 4_123_456)
})

test('a number without an entry has a group of the same number', () => {
  assert.deepEqual(findAccount('4123456', 0), { name: '4123456', uid: 4_123_456, gid: 4_123_456, home: '/' })
})

test('the own number without an entry changes nothing', () => {
  assert.equal(findAccount('4123456', 4_123_456), undefined)
})

test('refuses names that no user and no group has', () => {
  assert.throws(() => findAccount('no-such-user', 0), /there is no user no-such-user/)
  assert.throws(() => findAccount('--help', 0), /there is no user --help/)
  assert.throws(() => findGroup('no-such-group'), /there is no group no-such-group/)
})

test('asks the services of the system', (t) => {
  withGetent(t, 'echo "remote:x:7:8:R:/srv/remote:/bin/sh"')
  assert.deepEqual(findAccount('remote', 0), { name: 'remote', uid: 7, gid: 8, home: '/srv/remote' })
})

test('reports a service that fails', (t) => {
  withGetent(t, 'echo "sssd: no answer" >&2; exit 3')
  assert.throws(() => findAccount('remote', 0), /cannot look up remote in passwd: sssd: no answer$/)
})

test('reads the files when the system has no getent', (t) => {
  withGetent(t)
  assert.equal(findAccount('nobody', 0)?.uid, 65_534)
  assert.equal(findAccount('65534', 0)?.name, 'nobody')
  assert.equal(findGroup('daemon'), 1)
  assert.throws(() => findGroup('no-such-group'), /there is no group/)
})
