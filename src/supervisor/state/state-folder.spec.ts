import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { prepareStateFolder } from './state-folder.ts'

const modeOf = (path: string): number => statSync(path).mode & 0o7777

test('a folder is made, or taken, for its owner alone', (t) => {
  const folder = createFolder(t)
  const inner = join(folder, 'some', 'where')
  prepareStateFolder(inner)
  assert.deepEqual([modeOf(inner), readdirSync(inner)], [0o700, ['logs', 'run']])
  chmodSync(inner, 0o755)
  prepareStateFolder(inner)
  assert.equal(modeOf(inner), 0o700)
})

test('a folder that is there for all users is refused, and stays as it is', (t) => {
  const folder = createFolder(t)
  chmodSync(folder, 0o1777)
  assert.throws(() => prepareStateFolder(folder), /E603 .*It is a folder for all users\./)
  assert.deepEqual([modeOf(folder), readdirSync(folder)], [0o1777, []])
})

function createFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-folder-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}
