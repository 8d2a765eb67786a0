/** Program that evaluates one config file, and writes an {@link Evaluation} to descriptor 3. */
import { readFileSync, writeSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { firstLine } from '../core/lines.ts'
import { ODD } from '../core/values.ts'
import type { Json } from '../core/types.ts'

/** The only argument of this program, as JSON. */
export interface EvaluatorInput {
  readonly path: string
  /** File that `import … from 'prodserver'` loads. */
  readonly library: string
}

/** The answer of this program. */
export type Evaluation =
  /** Undefined if the file has no default export. */
  | { readonly value: Json | undefined }
  | { readonly raised: Raised }
  /** The file ended the process, in the line `at`. */
  | { readonly exitCode: number; readonly at?: string | undefined }

export interface Raised {
  readonly name: string
  readonly message: string
  /** The package, or the full path of the file, that an import did not find. */
  readonly missing?: string | undefined
  /** `FILE:LINE` of the innermost frame of the user's own. */
  readonly at?: string | undefined
  readonly frames: readonly string[]
}

const ANSWER_FD = 3
const { path, library } = JSON.parse(process.argv[2] ?? '') as EvaluatorInput
const entry = pathToFileURL(path).href
/** The last import that failed: the error does not tell how the import was written, and in which line. */
let failed: { readonly specifier: string; readonly parent: string | undefined } | undefined
/** The last file that was loaded: a syntax error is in it. */
let loaded = path

registerHooks({
  resolve(specifier, context, next) {
    // The running prodserver is meant, even if another one is installed beside the config file.
    if (specifier === 'prodserver') return { url: pathToFileURL(library).href, shortCircuit: true }
    try {
      return next(specifier, context)
    } catch (error) {
      failed = { specifier, parent: context.parentURL }
      throw error
    }
  },
  load(url, context, next) {
    if (url.startsWith('file:')) loaded = fileURLToPath(url)
    const format = url === entry ? formatOf(path) : undefined
    return next(url, format === undefined ? context : { ...context, format })
  },
})

/** Loads a config file that is written as a module as one, even if `package.json` says that files are CommonJS. */
function formatOf(file: string): string | undefined {
  if (!/\.[jt]s$/.test(file) || !/^\s*(?:import|export)\b/m.test(readFileSync(file, 'utf8'))) return undefined
  return file.endsWith('.ts') ? 'module-typescript' : 'module'
}

/** Writes the answer, and kills this process: open handles and exit handlers of the config file must not delay the end. */
function answer(evaluation: Evaluation): never {
  const bytes = Buffer.from(JSON.stringify(evaluation))
  for (let written = 0; written < bytes.length;) written += writeSync(ANSWER_FD, bytes, written)
  process.kill(process.pid, 'SIGKILL')
  throw new Error('it has ended')
}

process.exit = (code) => answer({ exitCode: Number(code ?? process.exitCode ?? 0), at: placesOf(new Error().stack)[0] })
process.on('uncaughtException', (error: unknown) => answer({ raised: describe(error) }))

function describe(error: unknown): Raised {
  if (!(error instanceof Error)) return { name: 'what is no error', message: firstLine(String(error)), frames: [] }
  const { name, stack } = error
  const message = firstLine(error.message)
  const { code } = error as NodeJS.ErrnoException
  const places = placesOf(stack)
  if (error instanceof SyntaxError) places.push(...placesOfSyntax())
  const own = places.find((place) => !place.includes('/node_modules/')) ?? places[0]
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  if (!isMissing) return { name, message, at: own, frames: framesOf(stack) }
  if (!failed) return { name, message, at: own, frames: [] }
  return { name, message, missing: targetOf(failed), at: importOf(failed) ?? path, frames: [] }
}

/** Returns `FILE:LINE` of the user's own frames, the innermost first. A syntax error has its place before all frames. */
const placesOf = (stack = ''): string[] =>
  [...stack.matchAll(/(?:^|\(|at (?:async )?)((?:file:\/\/)?\/[^\n()]+?):(\d+)(?::\d+)?\)?$/gm)]
    .map(([, file = '', line]) => `${file.startsWith('file:') ? fileURLToPath(file) : file}:${line}`)
    .filter((place) => !place.startsWith(import.meta.filename))

/** Parses the file as TypeScript, because Node does not tell the line of a syntax error in JavaScript. */
function placesOfSyntax(): readonly string[] {
  try {
    stripTypeScriptTypes(readFileSync(loaded, 'utf8'), { sourceUrl: loaded })
    return []
  } catch (error) {
    return placesOf((error as Error).stack)
  }
}

const framesOf = (stack = ''): readonly string[] =>
  stack
    .split('\n')
    .filter((line) => /^ {4}at /.test(line) && placesOf(line).length > 0)
    .map((line) => line.replace(/^ {4}/, '  ').replace(/file:\/\/[^:)]+/, (url) => fileURLToPath(url)))

type Missing = NonNullable<typeof failed>

function targetOf({ specifier, parent }: Missing): string {
  if (/^[./]/.test(specifier)) return fileURLToPath(new URL(specifier, parent))
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier
}

/** Returns the line of an import; the importing file if the import is computed. */
function importOf({ specifier, parent }: Missing): string | undefined {
  if (!parent?.startsWith('file:')) return undefined
  const file = fileURLToPath(parent)
  const lines = readFileSync(file, 'utf8').split('\n')
  const line = lines.findIndex((text) => text.includes(`'${specifier}'`) || text.includes(`"${specifier}"`))
  return line < 0 ? file : `${file}:${line + 1}`
}

/** Returns the value as JSON can carry it; marks other values as the Python side does. */
function plain(value: unknown, around: readonly unknown[] = []): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : odd('number', String(value))
  if (typeof value === 'bigint') return String(value)
  if (value instanceof URL) return value.protocol === 'file:' ? fileURLToPath(value) : value.href
  if (around.includes(value)) return odd('circle', 'it contains itself')
  if (Array.isArray(value)) return value.map((item) => plain(item, [...around, value]))
  if (typeof value === 'object' && isPlain(value)) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
    return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner, [...around, value])]))
  }
  if (typeof value === 'function' || typeof value === 'symbol') return odd(typeof value, value.toString())
  return odd(value?.constructor.name ?? 'undefined', Object.prototype.toString.call(value))
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

const odd = (type: string, repr: string): Json => ({ [ODD]: type, repr: firstLine(repr).slice(0, 200) })

async function run(): Promise<void> {
  const { default: exported } = (await import(entry)) as { readonly default?: unknown }
  const value = await (typeof exported === 'function' ? (exported as () => unknown)() : exported)
  answer({ value: value === undefined ? undefined : plain(value) })
}

run().catch((error: unknown) => answer({ raised: describe(error) }))
