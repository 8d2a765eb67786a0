import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { bullmqWorkerProgram } from '../../servers/programs.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'
import { quoteWord, splitWords } from '../../core/shell-words.ts'
import { addCommand, findPackage } from './node-packages.ts'
import { findBin, resolveScript } from './package-scripts.ts'

/** What a process runs, and where that was found. */
export interface Application {
  readonly words: readonly string[]
  readonly from: string
  readonly note?: string
  /** Of a script of a package: what it is run with, where the declaration says nothing, and what it sets itself. */
  readonly env?: Readonly<Record<string, string>>
  readonly assigned?: Readonly<Record<string, string>>
}

const SETTINGS = { wsgi: 'WSGI_APPLICATION', asgi: 'ASGI_APPLICATION' } as const

/** What a backend is to run for that declaration; undefined where it runs nothing of the user's. */
export function resolveApplication(
  declaration: Declaration,
  backend: Backend,
  answer: SettingsAnswer,
  root: string,
): Application | Problem | undefined {
  const kind = backend.app ?? 'none'
  const cwd = resolve(root, declaration.cwd ?? '.')
  if (backend.node) {
    const missing = missingPackage(declaration, backend, cwd)
    const program = backend.node.program === undefined ? undefined : findBin(backend.node.program, cwd)
    if (missing) return missing
    if (program !== undefined) return { words: [program], from: `the package ${backend.node.package}` }
  }
  if (kind === 'none') return undefined
  if (kind === 'wsgi' || kind === 'asgi') return resolveInterface(kind, declaration, answer, root)
  const place = declaration.placeOf('app')
  const process = declaration.name
  const app = declaration.app
  if (app === undefined)
    return {
      id: 'E205',
      place: declaration.place,
      process,
      message: `APP is missing: ${backend.title} must be told what to run.`,
      hint: `Add "APP": ${JSON.stringify(backend.appExample ?? 'what to run')}`,
    }
  if (kind === 'package-script') {
    const script = resolveScript(app, cwd)
    if ('message' in script)
      return { id: 'E206', place, process, message: `APP cannot be found: ${script.message}.`, hint: script.hint }
    return { ...script, from: place, ...(script.notes.length > 0 && { note: script.notes.join('; ') }) }
  }
  if (kind === 'script' || kind === 'worker-module') {
    const file = resolve(root, app)
    if (existsSync(file) && kind === 'worker-module') return { words: [bullmqWorkerProgram, file], from: place }
    // It is relative to the project, and the program would take it as relative to its own directory.
    if (existsSync(file)) return { words: [cwd === root ? app : file], from: place }
    return {
      id: 'E206',
      place,
      process,
      message: `APP cannot be found: there is no file ${file}.`,
      hint: `Look: ls ${quoteWord(dirname(file))}`,
    }
  }
  if (kind !== 'words') return { words: [app], from: place }
  const words = splitWords(app)
  if (words && words.length > 0) return { words, from: place }
  return {
    id: 'E206',
    place,
    process,
    message: `APP cannot be split into words: ${words ? 'it is empty' : 'a quote is not closed'}.`,
    hint: 'Quote as in a shell: "collectstatic --noinput"',
  }
}

/** Whether the npm package of a backend is installed for programs in this folder. */
function missingPackage(declaration: Declaration, { node, title }: Backend, cwd: string): Problem | undefined {
  if (!node || findPackage(node.package, cwd)) return undefined
  const message = `${node.package} is not installed for ${cwd}, so ${JSON.stringify(declaration.name)} cannot start: ${title} needs it.`
  const hint = `cd ${quoteWord(cwd)} && ${addCommand(cwd)} ${node.package}`
  return { id: 'E203', place: declaration.placeOf('backend'), process: declaration.name, message, hint }
}

function resolveInterface(
  kind: 'wsgi' | 'asgi',
  declaration: Declaration,
  answer: SettingsAnswer,
  root: string,
): Application | Problem {
  // An APP for a web server is not in the original, and is what people try when a project has two applications.
  if (declaration.app !== undefined) return { words: [withColon(declaration.app)], from: declaration.placeOf('app') }
  const setting = SETTINGS[kind]
  const value = answer.settings[setting]
  if (typeof value === 'string' && value !== '') return { words: [withColon(value)], from: setting }
  const found = besideSettings(kind, answer.settingsModule, answer.settingsFile)
  if (found)
    return {
      words: [`${found}:application`],
      from: `${found.replaceAll('.', '/')}.py`,
      note: `${setting} is not set; ${found}:application was found beside the settings`,
    }
  return {
    id: 'E207',
    place: setting,
    process: declaration.name,
    message: `The project has no ${kind.toUpperCase()} application: ${setting} is not set, and there is no ${kind}.py beside ${answer.settingsModule}.`,
    hint: `Set ${setting} = "mysite.${kind}.application", or create ${join(root, answer.settingsModule.split('.')[0] ?? '', `${kind}.py`)}`,
  }
}

/** `mysite.wsgi.application` is `mysite.wsgi:application`: the last part is the attribute. */
const withColon = (path: string): string => (path.includes(':') ? path : path.replace(/\.([^.]*)$/, ':$1'))

/** `wsgi.py` in the folder of the settings module, or in a package above it (`config.settings.production`). */
function besideSettings(kind: string, settingsModule: string, settingsFile: string | null): string | undefined {
  if (settingsFile === null) return undefined
  const isPackage = /[/\\]__init__\.pyc?$/.test(settingsFile)
  let packages = settingsModule.split('.')
  let folder = dirname(settingsFile)
  if (!isPackage) packages = packages.slice(0, -1)
  for (; ; packages = packages.slice(0, -1), folder = dirname(folder)) {
    if (existsSync(join(folder, `${kind}.py`))) return [...packages, kind].join('.')
    if (packages.length === 0) return undefined
  }
}

/**
 * Whether a module's file is where the import path says, without importing anything. False means "not seen": loaders
 * other than files exist, so only an import can tell for certain.
 */
export function seesModule(reference: string, path: readonly string[]): boolean {
  const [module = '', attribute] = reference.split(':')
  const parts = module.split('.')
  const candidates = attribute === undefined ? [parts, parts.slice(0, -1)] : [parts]
  return candidates.some((names) => names.length > 0 && path.some((folder) => isModuleFile(join(folder, ...names))))
}

const isModuleFile = (base: string): boolean =>
  existsSync(`${base}.py`) || existsSync(join(base, '__init__.py')) || existsSync(`${base}.pyc`)
