import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { EXIT, ProdserverError } from '../errors.ts'
import type { FileChange } from '../export/index.ts'
import { quoteWord } from '../words.ts'

/** No export of ours is larger; what is need not be read to know that it is not ours. */
const MAX_BYTES = 4 * 1024 ** 2
/** An overlay of an environment is the deepest that an export goes. */
const MAX_DEPTH = 3

/** The text of every file in the folder that could be one of an export, by its path from there. */
export function readFolder(folder: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const visit = (path: string, depth: number): void => {
    for (const entry of entriesOf(path)) {
      const inner = join(path, entry.name)
      if (entry.isDirectory() && depth < MAX_DEPTH && !isOthers(entry.name)) visit(inner, depth + 1)
      if (entry.isFile() && statSync(inner).size <= MAX_BYTES)
        files.set(relative(folder, inner), readFileSync(inner, 'utf8'))
    }
  }
  visit(folder, 0)
  return files
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

/** Folders with more files than anybody wants to read, in which nobody exports. */
const isOthers = (name: string): boolean => name === 'node_modules' || name.startsWith('.')

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
