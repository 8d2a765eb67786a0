import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Backend, BACKEND_CONTRACT } from '../../backends/backend.ts'
import { findBackend } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import type { Result } from '../../core/result.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { importFrom, mayBePackage, nameOf, packageOf } from './backend-packages.ts'
import { addCommand, type Manifest, versionOf } from './node-packages.ts'

/** Whether a `BACKEND` is the path of a module. */
export const isModule = (reference: string): boolean =>
  /^\.{0,2}\//.test(reference) || isAbsolute(reference) || /^[^@].*\.[cm]?[jt]s$/.test(reference)

/** Whether the backend is one of JavaScript that is not built in. */
export const isOwn = ({ backend }: Pick<Declaration, 'backend'>): boolean =>
  !findBackend(backend) && (isModule(backend) || mayBePackage(backend))

/** What is known of a reference to a backend: what it is, whose, and where that was written. */
type Reference = Pick<Declaration, 'backend' | 'name' | 'placeOf'>

/** A backend that is not built in, and what it was taken from. */
interface OwnBackend {
  readonly backend: Backend
  readonly reference: string
  readonly note?: string | undefined
}

/** Imports the module that a `BACKEND` is the path of, relative to the project. */
export async function loadModule(declaration: Reference, root: string): Promise<Result<OwnBackend>> {
  const path = resolve(root, declaration.backend)
  if (!existsSync(path))
    return cannotImport(
      declaration,
      `there is no file ${path}`,
      `Paths are relative to the project. Look: ls ${quoteWord(root)}`,
    )
  try {
    const loaded = (await import(pathToFileURL(path).href)) as Record<string, unknown>
    return await checkLoaded(declaration, loaded)
  } catch (error) {
    return explainThrown(declaration, error, path, `node ${quoteWord(path)}`)
  }
}

/** Imports the package that a `BACKEND` names; undefined where none of that name is installed for the project. */
export async function loadPackage(declaration: Reference, root: string): Promise<Result<OwnBackend> | undefined> {
  const reference = declaration.backend
  const found = packageOf(reference, root)
  if (!found) return undefined
  try {
    const loaded = await importFrom(root, reference)
    return await checkLoaded(declaration, loaded, found)
  } catch (error) {
    if (isTypeScript(error))
      return cannotImport(
        declaration,
        'it ships TypeScript, which Node does not run below node_modules',
        'A package ships JavaScript: its author builds it before it is published',
      )
    const alone = `cd ${quoteWord(root)} && node -e ${quoteWord(`import(${JSON.stringify(reference)})`)}`
    return explainThrown(declaration, error, found.folder, alone)
  }
}

/** The package that a `BACKEND` names is not there. */
export function notInstalled(declaration: Reference, root: string): Result<never> {
  const name = nameOf(declaration.backend)
  const hint = `${addCommand(root)} ${name}`
  return cannotImport(declaration, `the package ${name} is not installed in ${join(root, 'node_modules')}`, hint)
}

const isTypeScript = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'

function cannotImport(declaration: Reference, reason: string, hint: string): Result<never> {
  const message = `Cannot import BACKEND ${JSON.stringify(declaration.backend)}: ${reason}.`
  return { problem: { id: 'E202', place: declaration.placeOf('backend'), process: declaration.name, message, hint } }
}

function explainThrown(declaration: Reference, error: unknown, path: string, alone: string): Result<never> {
  const thrown = error instanceof Error ? error : undefined
  const message = `Cannot import BACKEND ${JSON.stringify(declaration.backend)}: ${thrown?.message ?? String(error)}`
  const details = thrown && ownFrames(thrown, path)
  const place = declaration.placeOf('backend')
  return { problem: { id: 'E202', place, process: declaration.name, message, hint: `See it alone: ${alone}`, details } }
}

/** Checks the default export of a module or of a package. */
async function checkLoaded(
  declaration: Reference,
  loaded: Record<string, unknown>,
  from?: Manifest,
): Promise<Result<OwnBackend>> {
  const reference = declaration.backend
  const value = loaded['default'] ?? loaded['backend']
  const at = { place: declaration.placeOf('backend'), process: declaration.name }
  const contract = isObject(value) ? (value['contract'] ?? 1) : 1
  // The contract comes first: the shape of a backend of another contract is unknown.
  if (typeof contract === 'number' && contract !== BACKEND_CONTRACT)
    return { problem: { id: 'E211', ...at, ...explainContract(reference, contract, from) } }
  const faults = value === undefined ? ['there is no default export'] : await faultsOf(value)
  if (faults.length > 0) {
    const message = `${reference} does not export a backend: ${faults.join('; ')}.`
    const hint = 'export default { name, title, summary, kind, command } satisfies Backend'
    return { problem: { id: 'E208', ...at, message, hint } }
  }
  const note = from && `the backend is of the package ${nameOf(reference)} ${versionOf(from)}`
  return { value: { backend: value as Backend, reference, note } }
}

function explainContract(
  reference: string,
  contract: number,
  from: Manifest | undefined,
): Pick<Problem, 'message' | 'hint'> {
  const who = from ? `${nameOf(reference)} ${versionOf(from)}` : reference
  const message = `${who} is written for version ${contract} of the backend contract, and this prodserver knows version ${BACKEND_CONTRACT}.`
  if (from) return { message, hint: `npm install prodserver@latest, or another version of ${nameOf(reference)}` }
  return { message, hint: `Write it for version ${BACKEND_CONTRACT}` }
}

/** Loads the schema of backends only for backends that are not built in, because the schema is large. */
async function faultsOf(value: unknown): Promise<readonly string[]> {
  const { backendFaults } = await import('../../config/backend-schema.ts')
  return backendFaults(value)
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** The lines of a stack trace that lie in the backend itself. */
export const ownFrames = (error: Error, path: string): string | undefined => {
  const frames = (error.stack ?? '').split('\n').filter((line) => line.includes(path))
  return frames.length > 0 ? frames.join('\n') : undefined
}
