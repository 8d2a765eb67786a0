import { type Header, headerLine, readHeader } from './header.ts'
import type { ExportedFile } from './target.ts'

/** What an export does with one file, decided before any is touched. */
export interface FileChange {
  /** Relative to the folder that is written to. */
  readonly path: string
  /** `foreign`: a file that somebody else wrote is in the way. */
  readonly is: 'new' | 'changed' | 'same' | 'stale' | 'foreign'
  readonly before: string | undefined
  /** Undefined for a file that is removed. */
  readonly after: string | undefined
}

/**
 * Compares what is to be written with what is there.
 *
 * @param existing every file in the folder, by its path from there; only those with our header, for the same target and
 *   name, count as stale.
 */
export function filesToWrite(
  files: readonly ExportedFile[],
  existing: ReadonlyMap<string, string>,
  header: Header,
): readonly FileChange[] {
  const written = files.map(({ path, text }): FileChange => {
    const [before, after] = [existing.get(path), headerLine(header) + text]
    if (before === undefined) return { path, is: 'new', before, after }
    if (before === after) return { path, is: 'same', before, after }
    return { path, is: isOurs(before, header) ? 'changed' : 'foreign', before, after }
  })
  const wanted = new Set(files.map(({ path }) => path))
  const stale = [...existing]
    .filter(([path, text]) => !wanted.has(path) && isOurs(text, header))
    .map(([path, before]): FileChange => ({ path, is: 'stale', before, after: undefined }))
  return [...written, ...stale]
}

function isOurs(text: string, { target, name }: Header): boolean {
  const found = readHeader(text)
  return found?.target === target && found.name === name
}
