import { existsSync, readdirSync } from 'node:fs'

/**
 * The version of a Python distribution that is installed in one of these folders, by the name of the folder that
 * describes it; undefined where none tells.
 *
 * Names are written as the packaging specification has them: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
 */
export function installedVersion(distribution: string, path: readonly string[]): string | undefined {
  const name = distribution.toLowerCase().replace(/[-_.]+/g, '_')
  for (const folder of path) {
    if (!existsSync(folder)) continue
    for (const entry of listFolder(folder)) {
      const [, found = '', version] = /^(.+?)-(\d[^-]*)\.dist-info$/.exec(entry) ?? []
      if (version !== undefined && found.toLowerCase().replace(/[-_.]+/g, '_') === name) return version
    }
  }
  return undefined
}

/** It may be an archive. */
function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Compares the numbers at the beginning of two versions; a version that is not known is not older. */
export function isOlder(version: string | undefined, than: string): boolean {
  if (version === undefined) return false
  const [numbers, limits] = [version, than].map((text) => (/^[\d.]+/.exec(text)?.[0] ?? '').split('.').map(Number))
  for (const [index, limit] of (limits ?? []).entries()) {
    const number = numbers?.[index] ?? 0
    if (number !== limit) return number < limit
  }
  return false
}
