import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createProject } from './support/project.ts'
import { unprivileged } from './support/unprivileged.ts'

/** Folders and files that this user may not read are told of, or passed over. */

const SETTINGS = 'PRODUCTION_PROCESSES = {"job": {"BACKEND": "command", "APP": "true", "CWD": "private"}}'

test("where one stands in a folder that is somebody else's, no project is found", async (t) => {
  const cwd = join(createProject(t, { files: { 'manage.py': null } }), 'private')
  mkdirSync(cwd, { mode: 0o311 })
  const { code, stderr } = await unprivileged(t, ['check'], cwd)
  assert.match(stderr, /^E001 {2}/)
  assert.equal(code, 1)
})

test('a process does not start in a folder that may not be entered', async (t) => {
  const cwd = createProject(t, { settings: SETTINGS })
  mkdirSync(join(cwd, 'private'), { mode: 0o600 })
  const { code, stderr } = await unprivileged(t, ['-q', 'run', 'job'], cwd)
  assert.equal(
    stderr,
    `E503  PRODUCTION_PROCESSES["job"]["CWD"]
      This user may not enter the working directory ${join(cwd, 'private')}.
      → Look: ls -ld ${join(cwd, 'private')}
`,
  )
  assert.equal(code, 1)
})

test('init passes over modules that may not be read', async (t) => {
  const cwd = createProject(t, { files: { 'mysite/private.py': '' } })
  chmodSync(join(cwd, 'mysite', 'private.py'), 0)
  const { code, stdout } = await unprivileged(t, ['init'], cwd)
  assert.match(stdout, /^PRODUCTION_PROCESSES = \{/)
  assert.equal(code, 0)
})
