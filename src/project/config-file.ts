import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { printDuration } from '../core/durations.ts'
import { failure, type Problem } from '../core/errors.ts'
import { lastLines } from '../core/lines.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { Env, Json } from '../core/types.ts'
import type { Evaluation, EvaluatorInput, Raised } from './evaluator.ts'
import { jsonProblem } from './json-problem.ts'
import { findObjectLines } from './object-lines.ts'
import { type PythonRun, runPython } from './run-python.ts'

/** A file that declares processes, in addition to the settings or instead of them. */
export interface ConfigFile {
  readonly path: string
  readonly reason: '--config' | 'the project'
}

/** The value that a config file exports, as JSON can carry it. */
export interface ConfigAnswer {
  readonly file: string
  /** Undefined if the file has no default export. */
  readonly value: Json | undefined
  /** Keys with the place that they are written at, `FILE:LINE`; empty unless the request asks for lines. */
  readonly lines: readonly (readonly [path: readonly string[], place: string])[]
  /** Paths of values that are written as plain strings; empty unless the request asks for lines. */
  readonly literals: readonly (readonly string[])[]
}

interface ConfigRequest {
  readonly cwd: string
  readonly env: Env
  readonly timeoutMs: number
  /** Whether to find the lines in which keys are written. */
  readonly lines: boolean
}

const CONFIG_NAMES = ['prodserver.config.ts', 'prodserver.config.js', 'prodserver.config.mjs', 'prodserver.config.json']

export const hasConfig = (folder: string): boolean => CONFIG_NAMES.some((name) => existsSync(join(folder, name)))

/**
 * Finds the config file: the given one, or the one in the project's folder.
 *
 * @throws {ProdserverError} `E013`.
 */
export function locateConfig(root: string, given: string | undefined, cwd: string): ConfigFile | undefined {
  if (given !== undefined) return { path: givenConfig(resolve(cwd, given)), reason: '--config' }
  const found = CONFIG_NAMES.filter((name) => existsSync(join(root, name)))
  const [name] = found
  if (name === undefined) return undefined
  if (found.length === 1) return { path: join(root, name), reason: 'the project' }
  const message = `There are ${found.length} config files, and only one is read: ${found.join(', ')}.`
  throw failure({ id: 'E013', place: root, message, hint: `Keep one of them, or choose: --config ${name}` })
}

function givenConfig(path: string): string {
  const base = { id: 'E013', place: '--config', hint: 'Such as: --config prodserver.config.ts' } as const
  if (!existsSync(path)) throw failure({ ...base, message: `There is no file ${path}.` })
  if (/\.([cm]?[jt]s|json)$/.test(path)) return path
  const message = `${path} is no config file by its name: that ends in .ts, .js, .mjs or .json.`
  throw failure({ ...base, message })
}

/**
 * Reads the config file, afresh each time.
 *
 * @throws {ProdserverError} `E014` to `E017`.
 */
export async function readConfig({ path }: ConfigFile, request: ConfigRequest): Promise<ConfigAnswer> {
  const value = path.endsWith('.json') ? readJson(path) : await evaluated(path, request)
  const { lines, literals } = request.lines ? findObjectLines(readFileSync(path, 'utf8')) : { lines: [], literals: [] }
  return { file: path, value, lines: lines.map(([keys, line]) => [keys, `${path}:${line}`]), literals }
}

function readJson(path: string): Json {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
    return JSON.parse(text) as Json
  } catch (error) {
    if (error instanceof SyntaxError) {
      const { message, line } = jsonProblem(text, error)
      throw failure({ id: 'E014', place: `${path}:${line}`, message: `This is not JSON: ${message}.` })
    }
    const message = `The config file cannot be read: ${(error as Error).message}.`
    throw failure({ id: 'E014', place: path, message, hint: `Look: ls -ld ${quoteWord(path)}` })
  }
}

async function evaluated(path: string, request: ConfigRequest): Promise<Json | undefined> {
  const result = await evaluate(path, request)
  if ('ended' in result) throw failure(explainSilence(result, path, request.timeoutMs))
  if ('raised' in result) throw failure(explainRaised(result.raised, path))
  if (!('exitCode' in result)) return result.value
  const message = `The config file ends the process, with exit code ${result.exitCode}.`
  const hint = 'Throw an error that says what is missing instead'
  throw failure({ id: 'E016', place: result.at ?? path, message, hint })
}

/**
 * Evaluates a file in a process of its own, on the Node that runs prodserver: its output is noise, and everything that
 * it leaves open ends with the process. A thread would start no sooner, and would keep its memory. Returns the run of
 * the process if that ended without an answer.
 */
export async function evaluate(
  path: string,
  { cwd, env, timeoutMs }: Pick<ConfigRequest, 'cwd' | 'env' | 'timeoutMs'>,
): Promise<Evaluation | PythonRun> {
  const isBuilt = typeof PRODSERVER_EVALUATOR === 'string'
  const library = join(import.meta.dirname, '..', isBuilt ? 'index.js' : 'index.ts')
  const evaluator = join(import.meta.dirname, isBuilt ? PRODSERVER_EVALUATOR : 'evaluator.ts')
  const args = [evaluator, JSON.stringify({ path, library } satisfies EvaluatorInput)]
  const run = await runPython({ python: process.execPath, args, cwd, env, timeoutMs })
  return run.answer === '' ? run : (JSON.parse(run.answer) as Evaluation)
}

/** Path of the built evaluator. */
declare const PRODSERVER_EVALUATOR: string | undefined

function explainSilence({ ended, output }: PythonRun, path: string, timeoutMs: number): Problem {
  if (ended.killed) {
    const message = `The config file did not finish loading in ${printDuration(timeoutMs)}.`
    const hint = 'It should not wait for the network. If it is only slow: PRODSERVER_SETTINGS_TIMEOUT=120'
    return { id: 'E017', place: path, message, hint }
  }
  if (ended.code === 0) {
    const message = 'The config file never finishes: it awaits what nothing will bring about.'
    return { id: 'E017', place: path, message, hint: seeAlone(path) }
  }
  const how = ended.error?.message ?? ended.signal ?? `exit code ${ended.code}`
  const message = `The process that read the config file ended without an answer: ${how}.`
  return { id: 'E016', place: path, message, hint: seeAlone(path), details: lastLines(output) }
}

function explainRaised({ name, message, missing, at, frames }: Raised, path: string): Problem {
  const base = { place: at ?? path, details: frames.join('\n') || undefined }
  if (missing === undefined)
    return { id: 'E014', ...base, message: `The config file raises ${name}: ${message}`, hint: seeAlone(path) }
  if (!isAbsolute(missing))
    return { id: 'E015', ...base, message: `The package ${missing} is not installed.`, hint: `npm install ${missing}` }
  const hint = `Look: ls ${quoteWord(dirname(missing))}`
  return { id: 'E015', ...base, message: `There is no file ${missing}.`, hint }
}

const seeAlone = (path: string): string => `See it alone: node ${quoteWord(path)}`
