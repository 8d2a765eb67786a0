import { type Header, headerLine, readHeader } from './header.ts'
import type { ExportedFile } from './target.ts'

/** Planned change of one file. */
export interface FileChange {
  /** Path from the folder that the export writes to. */
  readonly path: string
  /** `stale`: no longer part of the export. `foreign`: another program or a person wrote the file. */
  readonly is: 'new' | 'changed' | 'same' | 'stale' | 'foreign'
  readonly before: string | undefined
  /** Undefined for a file that the export removes. */
  readonly after: string | undefined
}

/**
 * Compares the files of an export with those in the folder.
 *
 * @param existing every file in the folder, by its path from there. Only files with a header for the same target and name
 *   count as stale.
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
