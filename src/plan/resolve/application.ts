import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { bullmqWorkerProgram } from '../../servers/programs.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import type { Result } from '../../core/result.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'
import { quoteWord, splitWords } from '../../core/shell-words.ts'
import { addCommand, findPackage } from './node-packages.ts'
import { findBin, resolveScript } from './package-scripts.ts'

/** What a process runs, as words of its command line. */
export interface Application {
  readonly words: readonly string[]
  /** The place where the application is named. */
  readonly from: string
  readonly note?: string | undefined
  /** The environment of a script in a `package.json`. */
  readonly script?: ScriptEnvironment
}

/** Variables of a script in a `package.json`. */
interface ScriptEnvironment {
  /** Variables that the package manager would set. The declaration wins over them. */
  readonly defaults: Readonly<Record<string, string>>
  /** Variables that the script itself sets. They win over the declaration. */
  readonly assigned: Readonly<Record<string, string>>
}

/** Facts of the project that lead to an application. */
interface ApplicationContext {
  readonly root: string
  readonly answer: SettingsAnswer
}

interface ApplicationRequest extends ApplicationContext {
  readonly declaration: Declaration
  readonly cwd: string
}

/** Finds what a backend runs for a declaration; the value is undefined if the backend runs nothing of the project's. */
export function resolveApplication(
  declaration: Declaration,
  backend: Backend,
  { root, answer }: ApplicationContext,
): Result<Application | undefined> {
  const request = { declaration, root, answer, cwd: resolve(root, declaration.cwd ?? '.') }
  if (backend.node) {
    const own = resolveProgram(declaration, backend, request.cwd)
    if (own.problem || own.value) return own
  }
  const kind = backend.app ?? 'none'
  if (kind === 'none') return { value: undefined }
  if (kind === 'wsgi' || kind === 'asgi') return resolveInterface(kind, request)
  if (declaration.app === undefined) return { problem: explainMissing(declaration, backend) }
  return BY_KIND[kind](declaration.app, request)
}

/** Finds the program of the backend's npm package; the value is undefined if the backend names none. */
function resolveProgram(declaration: Declaration, backend: Backend, cwd: string): Result<Application | undefined> {
  const problem = missingPackage(declaration, backend, cwd)
  if (problem) return { problem }
  const { package: name = '', program } = backend.node ?? {}
  const path = program === undefined ? undefined : findBin(program, cwd)
  return { value: path === undefined ? undefined : { words: [path], from: `the package ${name}` } }
}

function explainMissing({ place, name: process }: Declaration, { title, appExample }: Backend): Problem {
  const message = `APP is missing: ${title} must be told what to run.`
  return { id: 'E205', place, process, message, hint: `Add "APP": ${JSON.stringify(appExample ?? 'what to run')}` }
}

type ResolveApp = (app: string, request: ApplicationRequest) => Result<Application>

/** How `APP` is read, by the kind of application. */
const BY_KIND: Readonly<Record<Exclude<NonNullable<Backend['app']>, 'wsgi' | 'asgi' | 'none'>, ResolveApp>> = {
  celery: (app, { declaration }) => ({ value: { words: [app], from: declaration.placeOf('app') } }),
  'package-script': resolvePackageScript,
  // A relative APP starts at the project, and the program would start at its own working directory.
  script: (app, request) => resolveFile(app, request, (file) => [request.cwd === request.root ? app : file]),
  'worker-module': (app, request) => resolveFile(app, request, (file) => [bullmqWorkerProgram, file]),
  words: resolveWords,
}

const cannotBeFound = (request: ApplicationRequest, message: string, hint: string): Result<never> => {
  const { name: process, placeOf } = request.declaration
  return { problem: { id: 'E206', place: placeOf('app'), process, message: `APP cannot be ${message}.`, hint } }
}

function resolvePackageScript(app: string, request: ApplicationRequest): Result<Application> {
  const script = resolveScript(app, request.cwd)
  if ('message' in script) return cannotBeFound(request, `found: ${script.message}`, script.hint)
  const { words, env: defaults, assigned, notes } = script
  const note = notes.length > 0 ? notes.join('; ') : undefined
  return { value: { words, from: request.declaration.placeOf('app'), note, script: { defaults, assigned } } }
}

function resolveFile(
  app: string,
  request: ApplicationRequest,
  wordsOf: (file: string) => readonly string[],
): Result<Application> {
  const file = resolve(request.root, app)
  if (existsSync(file)) return { value: { words: wordsOf(file), from: request.declaration.placeOf('app') } }
  return cannotBeFound(request, `found: there is no file ${file}`, `Look: ls ${quoteWord(dirname(file))}`)
}

function resolveWords(app: string, request: ApplicationRequest): Result<Application> {
  const words = splitWords(app)
  if (words && words.length > 0) return { value: { words, from: request.declaration.placeOf('app') } }
  const reason = words ? 'it is empty' : 'a quote is not closed'
  return cannotBeFound(request, `split into words: ${reason}`, 'Quote as in a shell: "collectstatic --noinput"')
}

/** Reports an npm package that is missing for programs in this folder. */
function missingPackage(declaration: Declaration, { node, title }: Backend, cwd: string): Problem | undefined {
  if (!node || findPackage(node.package, cwd)) return undefined
  const message = `${node.package} is not installed for ${cwd}, so ${JSON.stringify(declaration.name)} cannot start: ${title} needs it.`
  const hint = `cd ${quoteWord(cwd)} && ${addCommand(cwd)} ${node.package}`
  return { id: 'E203', place: declaration.placeOf('backend'), process: declaration.name, message, hint }
}

const SETTINGS = { wsgi: 'WSGI_APPLICATION', asgi: 'ASGI_APPLICATION' } as const

function resolveInterface(
  kind: 'wsgi' | 'asgi',
  { declaration, answer, root }: ApplicationRequest,
): Result<Application> {
  // An APP for a web server is not in the original, and is what people try when a project has two applications.
  if (declaration.app !== undefined)
    return { value: { words: [withColon(declaration.app)], from: declaration.placeOf('app') } }
  const setting = SETTINGS[kind]
  const value = answer.settings[setting]
  if (typeof value === 'string' && value !== '') return { value: { words: [withColon(value)], from: setting } }
  const { settingsModule, settingsFile } = answer
  const found = besideSettings(kind, settingsModule, settingsFile)
  if (found) {
    const note = `${setting} is not set; ${found}:application was found beside the settings`
    return { value: { words: [`${found}:application`], from: `${found.replaceAll('.', '/')}.py`, note } }
  }
  const message = `The project has no ${kind.toUpperCase()} application: ${setting} is not set, and there is no ${kind}.py beside ${settingsModule}.`
  const hint = `Set ${setting} = "mysite.${kind}.application", or create ${join(root, settingsModule.split('.')[0] ?? '', `${kind}.py`)}`
  return { problem: { id: 'E207', place: setting, process: declaration.name, message, hint } }
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
