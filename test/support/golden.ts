import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './environment.ts'

/**
 * Asserts that a folder holds what test/golden/NAME does, file by file. `UPDATE_GOLDEN=1` writes the expectation anew: it is
 * to be read like any other change.
 */
export function assertGolden(name: string, folder: string, hide: (text: string) => string = (text) => text): void {
  const golden = join(ROOT, 'test', 'golden', name)
  const written = readAll(folder, hide)
  if (process.env['UPDATE_GOLDEN']) {
    rmSync(golden, { recursive: true, force: true })
    for (const [path, text] of Object.entries(written)) {
      mkdirSync(dirname(join(golden, path)), { recursive: true })
      writeFileSync(join(golden, path), text)
    }
  }
  assert.deepEqual(written, readAll(golden))
}

const readAll = (folder: string, hide = (text: string): string => text): Record<string, string> =>
  Object.fromEntries(
    globSync('**/*', { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(folder.length + 1), hide(readFileSync(file, 'utf8'))] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
