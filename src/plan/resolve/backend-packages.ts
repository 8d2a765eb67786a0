import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { findPackage, type Manifest, packageNames, versionOf } from './node-packages.ts'

/** The name of a package, and perhaps of a module that it exports: `@acme/servers/caddy`. */
const PACKAGE = /^(@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*(\/[\w./~-]+)?$/i

/** Whether a `BACKEND` can only mean a package: Python has no such names. */
export const isPackageOnly = (reference: string): boolean => PACKAGE.test(reference) && /[-@/~]/.test(reference)

/** Whether it may be the name of one; a name with dots and nothing else is a Python class. */
export const mayBePackage = (reference: string): boolean =>
  PACKAGE.test(reference) && (isPackageOnly(reference) || !reference.includes('.'))

/** The package that a reference names, if it is installed for the project in this folder. */
export const packageOf = (reference: string, root: string): Manifest | undefined => findPackage(nameOf(reference), root)

/** `@acme/servers` of `@acme/servers/caddy`. */
export const nameOf = (reference: string): string => reference.split('/', reference.startsWith('@') ? 2 : 1).join('/')

/** Imports a package as a module of the project would: Node resolves it, from the project's folder and not from ours. */
export async function importFrom(root: string, reference: string): Promise<Record<string, unknown>> {
  const parentURL = pathToFileURL(join(root, 'package.json')).href
  let isOurs = true
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (!isOurs || specifier !== reference) return next(specifier, context)
      isOurs = false
      return next(specifier, { ...context, parentURL })
    },
  })
  try {
    return (await import(reference)) as Record<string, unknown>
  } finally {
    hooks.deregister()
  }
}

interface BackendPackage {
  readonly name: string
  readonly version: string
}

const KEYWORD = 'prodserver-backend'

/** The packages that say of themselves that they bring a backend: by their name, or by a keyword. */
export function backendPackages(root: string): readonly BackendPackage[] {
  return packageNames(root).flatMap((name) => {
    const manifest = findPackage(name, root)
    if (!manifest) return []
    const keywords = manifest.values['keywords']
    const isOne = isNamed(name) || (Array.isArray(keywords) && keywords.includes(KEYWORD))
    return isOne ? [{ name, version: versionOf(manifest) }] : []
  })
}

/** The names of installed packages that may be meant, without a look into each. */
export const likelyPackages = (root: string): readonly string[] =>
  packageNames(root).filter((name) => name.includes('prodserver-'))

/** `prodserver-backend-caddy`, `@acme/prodserver-backend-caddy`. */
const isNamed = (name: string): boolean => name.split('/').at(-1)?.startsWith(`${KEYWORD}-`) === true
