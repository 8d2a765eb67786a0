import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Json } from '../../core/types.ts'
import { isDictionary } from '../../core/values.ts'

/** What is read of a `package.json`. */
export interface Manifest {
  /** The folder that it lies in. */
  readonly folder: string
  readonly values: { readonly [key: string]: Json }
}

/** The folder and those above it. */
export function foldersUp(folder: string): readonly string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [folder, ...foldersUp(above)]
}

/** The package of that name, as programs in this folder find it; undefined where none is installed. */
export function findPackage(name: string, folder: string): Manifest | undefined {
  for (const above of foldersUp(folder)) {
    const manifest = readManifest(join(above, 'node_modules', name))
    if (manifest) return manifest
  }
  return undefined
}

/** The `package.json` in a folder; undefined where there is none, or none that can be read. */
export function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) return undefined
  try {
    const values = JSON.parse(readFileSync(path, 'utf8')) as unknown
    return isDictionary(values) ? { folder, values } : undefined
  } catch {
    return undefined
  }
}

export const versionOf = ({ values }: Manifest): string =>
  typeof values['version'] === 'string' ? values['version'] : '0.0.0'

/** The names of all that is installed for programs in this folder, scoped ones included, the nearest first. */
export function packageNames(folder: string): readonly string[] {
  const names = foldersUp(folder).flatMap((above) => {
    const modules = join(above, 'node_modules')
    return list(modules).flatMap((name) =>
      name.startsWith('@') ? list(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
  })
  return [...new Set(names)].filter((name) => !name.startsWith('.'))
}

const list = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const MANAGERS = [
  ['pnpm-lock.yaml', 'pnpm add'],
  ['yarn.lock', 'yarn add'],
  ['bun.lock', 'bun add'],
  ['package-lock.json', 'npm install'],
] as const

/** What adds a package to the project in this folder, as its lock file tells. */
export function addCommand(folder: string): string {
  for (const above of foldersUp(folder)) {
    const found = MANAGERS.find(([lock]) => existsSync(join(above, lock)))
    if (found) return found[1]
    if (existsSync(join(above, '.git'))) break
  }
  return 'npm install'
}
