import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { EXIT, ProdserverError } from '../core/errors.ts'
import type { FileChange } from '../export/index.ts'
import { statOf } from '../core/files.ts'
import { quoteWord } from '../core/shell-words.ts'

/** No export of ours is larger; what is need not be read to know that it is not ours. */
const MAX_BYTES = 4 * 1024 ** 2
/** An overlay of an environment is the deepest that an export goes. */
const MAX_DEPTH = 3

/**
 * What lies where an export writes, by its path from the folder, with the text of each file; that of what cannot be one of
 * ours is left empty. Other folders below may be those of other exports.
 *
 * @param folders names of those below that the export writes in
 */
export function readFolder(folder: string, folders: readonly string[] = []): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const visit = (path: string, depth: number): void => {
    for (const entry of entriesOf(path)) {
      const inner = join(path, entry.name)
      const isOurs = depth > 0 || folders.includes(entry.name)
      if (entry.isDirectory() && isOurs && depth < MAX_DEPTH) visit(inner, depth + 1)
      else found.set(relative(folder, inner), textOf(inner))
    }
  }
  visit(folder, 0)
  return found
}

function textOf(path: string): string {
  const stat = statOf(path)
  if (!stat?.isFile() || stat.size > MAX_BYTES) return ''
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It is somebody else's, who lets nobody read it.
    return ''
  }
}

/** What lies in the project's folder, by name, with the text of a Dockerfile; that of all else is left empty. */
export function readProjectFiles(root: string): ReadonlyMap<string, string> {
  return new Map(
    entriesOf(root).map((entry) => [
      entry.name,
      /^(Dockerfile|Containerfile)$/.test(entry.name) && entry.isFile()
        ? readFileSync(join(root, entry.name), 'utf8')
        : '',
    ]),
  )
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cannot(folder, error)
  }
}

/**
 * Writes what is new or changed, and removes what is stale. All or nothing: every file is complete beside its place before
 * the first of them is put there.
 *
 * @throws {ProdserverError} `E804` where that fails; nothing is changed then.
 */
export function applyChanges(folder: string, changes: readonly FileChange[]): void {
  const aside: { from: string; to: string }[] = []
  try {
    for (const { path, is, after } of changes) {
      if (is !== 'new' && is !== 'changed') continue
      const to = join(folder, path)
      const from = join(dirname(to), `.${path.replaceAll('/', '.')}.new`)
      mkdirSync(dirname(to), { recursive: true })
      aside.push({ from, to })
      writeFileSync(from, after as string, { mode: 0o644 })
    }
  } catch (error) {
    for (const { from } of aside) rmSync(from, { force: true })
    throw cannot(folder, error)
  }
  for (const { from, to } of aside) renameSync(from, to)
  for (const { path, is } of changes) if (is === 'stale') rmSync(join(folder, path), { force: true })
}

function cannot(folder: string, error: unknown): ProdserverError {
  const { message } = error as Error
  const hint = `Look: ls -ld ${quoteWord(folder)}; df ${quoteWord(folder)}`
  return new ProdserverError(
    [{ id: 'E804', place: folder, message: `The files cannot be written: ${message}.`, hint }],
    EXIT.failed,
  )
}
