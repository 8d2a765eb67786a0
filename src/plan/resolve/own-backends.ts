import { existsSync } from 'node:fs'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type Backend,
  BACKEND_CONTRACT,
  type Command,
  type CommandInput,
  type Inherited,
  type InheritedSockets,
  type Workers,
  type WorkersInput,
} from '../../backends/backend.ts'
import { findBackend } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { importFrom, mayBePackage, nameOf, packageOf } from './backend-packages.ts'
import { addCommand, type Manifest, versionOf } from './node-packages.ts'

/** Whether a `BACKEND` is the path of a module. */
export const isModule = (reference: string): boolean =>
  /^\.{0,2}\//.test(reference) || isAbsolute(reference) || /^[^@].*\.[cm]?[jt]s$/.test(reference)

/** Whether the backend is one of JavaScript that is not built in. */
const isOwn = ({ backend }: Reference): boolean => !findBackend(backend) && (isModule(backend) || mayBePackage(backend))

/** What is known of a reference to a backend: what it is, whose, and where that was written. */
type Reference = Pick<Declaration, 'backend' | 'name' | 'placeOf'>

/** A backend that is not built in, and what it was taken from. */
export interface OwnBackend {
  readonly backend: Backend
  readonly reference: string
  readonly note?: string
}

/** Imports the module that a `BACKEND` is the path of, relative to the project. */
export async function loadModule(declaration: Reference, root: string): Promise<OwnBackend | Problem> {
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
export async function loadPackage(declaration: Reference, root: string): Promise<OwnBackend | Problem | undefined> {
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
export function notInstalled(declaration: Reference, root: string): Problem {
  const name = nameOf(declaration.backend)
  const hint = `${addCommand(root)} ${name}`
  return cannotImport(declaration, `the package ${name} is not installed in ${join(root, 'node_modules')}`, hint)
}

const isTypeScript = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING'

function cannotImport(declaration: Reference, reason: string, hint: string): Problem {
  const message = `Cannot import BACKEND ${JSON.stringify(declaration.backend)}: ${reason}.`
  return { id: 'E202', place: declaration.placeOf('backend'), process: declaration.name, message, hint }
}

function explainThrown(declaration: Reference, error: unknown, path: string, alone: string): Problem {
  const thrown = error instanceof Error ? error : undefined
  return {
    id: 'E202',
    place: declaration.placeOf('backend'),
    process: declaration.name,
    message: `Cannot import BACKEND ${JSON.stringify(declaration.backend)}: ${thrown?.message ?? String(error)}`,
    hint: `See it alone: ${alone}`,
    details: thrown && ownFrames(thrown, path),
  }
}

async function checkLoaded(
  declaration: Reference,
  loaded: Record<string, unknown>,
  from?: Manifest,
): Promise<OwnBackend | Problem> {
  const reference = declaration.backend
  const value = loaded['default'] ?? loaded['backend']
  const place = declaration.placeOf('backend')
  const process = declaration.name
  const contract = isObject(value) ? (value['contract'] ?? 1) : 1
  // Before all else: how another contract looks is not known here.
  if (typeof contract === 'number' && contract !== BACKEND_CONTRACT) {
    const who = from ? `${nameOf(reference)} ${versionOf(from)}` : reference
    const hint = from ? `npm install prodserver@latest, or another version of ${nameOf(reference)}` : undefined
    const message = `${who} is written for version ${contract} of the backend contract, and this prodserver knows version ${BACKEND_CONTRACT}.`
    return { id: 'E211', place, process, message, hint: hint ?? `Write it for version ${BACKEND_CONTRACT}` }
  }
  const hint = 'export default { name, title, summary, kind, command } satisfies Backend'
  if (value === undefined) {
    const message = `${reference} does not export a backend: there is no default export.`
    return { id: 'E208', place, process, message, hint }
  }
  // Only for those: it is a large schema.
  const { backendFaults } = await import('../../config/backend-schema.ts')
  const faults = backendFaults(value)
  if (faults.length > 0)
    return {
      id: 'E208',
      place,
      process,
      message: `${reference} does not export a backend: ${faults.join('; ')}.`,
      hint,
    }
  const note = from && `the backend is of the package ${nameOf(reference)} ${versionOf(from)}`
  return { backend: value as unknown as Backend, reference, ...(note && { note }) }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

interface Asked {
  readonly command: Command
  readonly listen: readonly string[]
  readonly workers: Workers
}

/** What the backend says of one process. A built-in one does not fail; one that is not built in may. */
export function callBackend(
  declaration: Declaration,
  backend: Backend,
  input: { readonly command: CommandInput; readonly machine: WorkersInput },
): Asked | Problem {
  return guard(
    declaration,
    () => ({
      command: backend.command(input.command),
      listen: backend.listen?.(input.machine) ?? [],
      workers: backend.workers?.(input.machine) ?? { processes: 1 },
    }),
    ({ command, listen }) => isCommand(command) && areTexts(listen),
    'command() must return { program, args }, and listen() a list of addresses',
  )
}

/** How the backend starts it with open sockets; null where it cannot. */
export function callInherit(
  declaration: Declaration,
  backend: Backend,
  input: CommandInput,
  sockets: InheritedSockets,
): Inherited | null | Problem {
  return guard(
    declaration,
    () => backend.inherit?.(input, sockets) ?? null,
    (inherited) => inherited === null || isCommand(inherited.command),
    'inherit() must return { command: { program, args } }, or undefined',
  )
}

/** Calls a function of a backend. What it throws, or returns against the rule, is the project's only where it is. */
function guard<T>(declaration: Declaration, call: () => T, isRight: (value: T) => boolean, rule: string): T | Problem {
  if (!isOwn(declaration)) return call()
  const reference = declaration.backend
  const problem = { id: 'E209', place: declaration.placeOf('backend'), process: declaration.name } as const
  try {
    const value = call()
    return isRight(value) ? value : { ...problem, message: `${reference} is not a backend: ${rule}.` }
  } catch (error) {
    const thrown = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const details = error instanceof Error ? ownFrames(error, basename(reference)) : undefined
    return { ...problem, message: `The backend ${reference} throws ${thrown}`, details }
  }
}

const isCommand = (value: Partial<Command> | undefined): value is Command =>
  typeof value?.program === 'string' && areTexts(value.args)

const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string')

const ownFrames = (error: Error, path: string): string | undefined => {
  const frames = (error.stack ?? '').split('\n').filter((line) => line.includes(path))
  return frames.length > 0 ? frames.join('\n') : undefined
}
