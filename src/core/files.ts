import { readdirSync, statSync, type Stats } from 'node:fs'

/**
 * What lies at a path; undefined where nothing does, and where this user may not look. A folder of PATH may be another
 * user's, such as that of `su`, who keeps it.
 */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** Returns the names in a folder; none if the folder is missing or this user may not read it. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
