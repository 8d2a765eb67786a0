import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { printDuration } from '../core/durations.ts'
import { EXIT, type Problem, type ProblemId, ProdserverError } from '../core/errors.ts'
import type { Env, Json } from '../core/types.ts'
import { quoteWord } from '../core/shell-words.ts'
import { evaluate, type Evaluation, type Raised, type Silence } from './evaluate.ts'
import { jsonProblem } from './json-problem.ts'
import { findObjectLines } from './object-lines.ts'

/** A file that declares processes, beside the settings or instead of them, and why this one. */
export interface ConfigFile {
  readonly path: string
  readonly reason: '--config' | 'the project'
}

/** What a config file exports, as JSON can carry it. */
export interface ConfigAnswer {
  readonly file: string
  /** Undefined where it exports nothing by default. */
  readonly value: Json | undefined
  /** Where keys are written, as `FILE:LINE`, where that was asked. */
  readonly lines: readonly (readonly [path: readonly string[], place: string])[]
  /** The paths of values that are strings which stand there as they are, where that was asked. */
  readonly literals: readonly (readonly string[])[]
}

interface ConfigRequest {
  /** Where it is evaluated. */
  readonly cwd: string
  readonly env: Env
  /** How long evaluating it may take. */
  readonly timeoutMs: number
  /** Tell where keys are written as well. */
  readonly lines: boolean
}

/** What it may be called in the project's folder. */
const CONFIG_NAMES = [
  'prodserver.config.ts',
  'prodserver.config.js',
  'prodserver.config.mjs',
  'prodserver.config.json',
] as const

export const hasConfig = (folder: string): boolean => CONFIG_NAMES.some((name) => existsSync(join(folder, name)))

/**
 * The config file that was named, or the one in the folder of the project.
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
  throw failed({ id: 'E013', place: root, message, hint: `Keep one of them, or choose: --config ${name}` })
}

function givenConfig(path: string): string {
  const base = { id: 'E013', place: '--config', hint: 'Such as: --config prodserver.config.ts' } as const
  if (!existsSync(path)) throw failed({ ...base, message: `There is no file ${path}.` })
  if (/\.([cm]?[jt]s|json)$/.test(path)) return path
  const message = `${path} is no config file by its name: that ends in .ts, .js, .mjs or .json.`
  throw failed({ ...base, message })
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

async function evaluated(path: string, { cwd, env, timeoutMs }: ConfigRequest): Promise<Json | undefined> {
  const result = await evaluate({ path, cwd, env, timeoutMs })
  if ('raised' in result) throw failed(explainRaised(result.raised, path))
  if ('exitCode' in result) throw failed(explainExit(result, path))
  if ('died' in result || 'timedOut' in result || 'unsettled' in result)
    throw failed(explainSilence(result, path, timeoutMs))
  return result.value
}

function readJson(path: string): Json {
  const text = readText(path)
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    const { message, line } = jsonProblem(text, error as SyntaxError)
    throw failed({ id: 'E014', place: `${path}:${line}`, message: `This is not JSON: ${message}.` })
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { message } = error as NodeJS.ErrnoException
    const hint = `Look: ls -ld ${quoteWord(path)}`
    throw failed({ id: 'E014', place: path, message: `The config file cannot be read: ${message}.`, hint })
  }
}

function explainExit({ exitCode, at }: Extract<Evaluation, { exitCode: number }>, path: string): Problem {
  const message = `The config file ends the process, with exit code ${exitCode}.`
  const hint = 'Throw an error that says what is missing instead'
  return { id: 'E016', place: at ?? path, message, hint }
}

function explainSilence(silence: Silence, path: string, timeoutMs: number): Problem {
  if ('died' in silence) {
    const message = `The process that read the config file ended without an answer: ${silence.died}.`
    const details = silence.output.trimEnd().split('\n').slice(-12).join('\n') || undefined
    return { id: 'E016', place: path, message, hint: seeAlone(path), details }
  }
  if ('unsettled' in silence) {
    const message = 'The config file never finishes: it awaits what nothing will bring about.'
    return { id: 'E017', place: path, message, hint: seeAlone(path) }
  }
  const message = `The config file did not finish loading in ${printDuration(timeoutMs)}.`
  const hint = 'It should not wait for the network. If it is only slow: PRODSERVER_SETTINGS_TIMEOUT=120'
  return { id: 'E017', place: path, message, hint }
}

function explainRaised(raised: Raised, path: string): Problem {
  const { name, message, missing, at, frames } = raised
  const place = at ?? path
  const details = frames.join('\n') || undefined
  if (missing === undefined)
    return { id: 'E014', place, message: `The config file raises ${name}: ${message}`, hint: seeAlone(path), details }
  const isPackage = !/^[./]|^file:/.test(missing)
  return {
    id: 'E015',
    place,
    message: isPackage ? `The package ${missing} is not installed.` : `There is no file ${missing}.`,
    hint: isPackage ? `npm install ${missing}` : `Look: ls ${quoteWord(resolve(missing, '..'))}`,
    details,
  }
}

const seeAlone = (path: string): string => `See it alone: node ${quoteWord(path)}`

const failed = (problem: Problem & { readonly id: ProblemId }): ProdserverError =>
  new ProdserverError([problem], EXIT.failed)
