/** Evaluates one config file, and answers on descriptor 3: a program of its own, so that everything is read afresh. */
import { readFileSync, writeSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ODD } from '../core/values.ts'
import type { Json } from '../core/types.ts'
import type { Evaluation, EvaluatorInput, Raised } from './evaluate.ts'

const ANSWER_FD = 3
const { path, library } = JSON.parse(process.argv[2] ?? '') as EvaluatorInput
const entry = pathToFileURL(path).href
/** The import that failed last: the error itself has lost how it was written, and in which line. */
let failed: { readonly specifier: string; readonly parent: string | undefined } | undefined
/** The file that was loaded last, which is the one that cannot be parsed. */
let loaded = path

registerHooks({
  resolve(specifier, context, next) {
    // The one that runs is meant, whether it is installed beside the config file or not.
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

/** A config file that is written as a module is one, whatever the package around it says of its other files. */
function formatOf(file: string): string | undefined {
  if (!/\.[jt]s$/.test(file) || !/^\s*(?:import|export)\b/m.test(readFileSync(file, 'utf8'))) return undefined
  return file.endsWith('.ts') ? 'module-typescript' : 'module'
}

/** Says what became of it, and ends at once: what the file has left open, or does at the end, must keep nobody waiting. */
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
  const { code } = error as NodeJS.ErrnoException
  const syntax = error instanceof SyntaxError ? placesOfSyntax() : []
  const places = [...placesOf(error.stack), ...syntax]
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  const missing = isMissing ? failed : undefined
  return {
    name: error.name,
    message: firstLine(error.message),
    missing: missing && (/^[./]/.test(missing.specifier) ? targetOf(missing) : packageOf(missing.specifier)),
    at: missing === undefined ? (places.find(isOwn) ?? places[0]) : (importOf(missing) ?? path),
    frames: isMissing ? [] : framesOf(error.stack),
  }
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''
const isOwn = (place: string): boolean => !place.includes('/node_modules/')

/** `FILE:LINE` of the user's own frames, the innermost first. A syntax error has its place before everything else. */
function placesOf(stack = ''): readonly string[] {
  return [...stack.matchAll(/(?:^|\(|at (?:async )?)((?:file:\/\/)?\/[^\n()]+?):(\d+)(?::\d+)?\)?$/gm)]
    .map(([, file = '', line]) => `${file.startsWith('file:') ? fileURLToPath(file) : file}:${line}`)
    .filter((place) => !place.startsWith(import.meta.filename))
}

/** Of JavaScript Node does not tell where it cannot be parsed; of TypeScript, which it is as well, it does. */
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

const targetOf = ({ specifier, parent }: Missing): string => fileURLToPath(new URL(specifier, parent))
const packageOf = (specifier: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier

/** The line that has the import; the importer itself where it is computed. */
function importOf({ specifier, parent }: Missing): string | undefined {
  if (!parent?.startsWith('file:')) return undefined
  const file = fileURLToPath(parent)
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((text) => text.includes(`'${specifier}'`) || text.includes(`"${specifier}"`))
  return line < 0 ? file : `${file}:${line + 1}`
}

/** The value as JSON can carry it; what it cannot carry becomes what the Python side makes of it as well. */
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
