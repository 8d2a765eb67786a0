import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { seesModule } from './resolve/application.ts'
import { installedVersion } from './resolve/installed-version.ts'

/** Questions that checks ask about the files of this machine; a test answers them itself. */
export interface Disk {
  readonly exists: (path: string) => boolean
  /** Names in a folder; none if it cannot be read. */
  readonly namesIn: (folder: string) => readonly string[]
  /** Whether a Python module is among the files on the import path. */
  readonly seesModule: (reference: string, path: readonly string[]) => boolean
  /** The version of a Python distribution on the import path. */
  readonly installedVersion: (distribution: string, path: readonly string[]) => string | undefined
  /** The reason why a file cannot be read; null if it can. `asThisUser` false leaves permissions out. */
  readonly whyUnreadable: (file: string, asThisUser: boolean) => string | null
  /** The reason why a file cannot be written; null if it can. `asThisUser` false leaves permissions out. */
  readonly whyUnwritable: (file: string, asThisUser: boolean) => string | null
}

export const disk: Disk = {
  exists: existsSync,
  namesIn,
  seesModule,
  installedVersion,
  whyUnreadable,
  whyUnwritable,
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function whyUnreadable(file: string, asThisUser: boolean): string | null {
  try {
    if (statSync(file).isDirectory()) return 'it is a folder'
    if (asThisUser) accessSync(file, constants.R_OK)
    return null
  } catch (error) {
    return reasonOf(error, 'it does not exist')
  }
}

function whyUnwritable(file: string, asThisUser: boolean): string | null {
  const folder = dirname(file)
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is no folder`
  } catch (error) {
    return reasonOf(error, `there is no folder ${folder}`)
  }
  const found = statSync(file, { throwIfNoEntry: false })
  if (found?.isDirectory()) return 'it is a folder'
  if (!asThisUser) return null
  try {
    accessSync(found ? file : folder, constants.W_OK)
    return null
  } catch (error) {
    return reasonOf(error, 'it is gone')
  }
}

function reasonOf(error: unknown, missing: string): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return missing
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not'
  return code === 'EROFS' ? 'the file system is read-only' : message
}
