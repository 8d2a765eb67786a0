import { nearest } from '../core/values.ts'
import { UsageError } from '../core/errors.ts'

/** One option of the command line. */
export interface OptionSpec {
  readonly name: string
  readonly short?: string
  /** What its value is called in help; absent for a switch. */
  readonly value?: string
  readonly repeatable?: boolean
  readonly summary: string
  /** Where a program's own options may follow: what a value of this one looks like. Another is the program's. */
  readonly like?: RegExp
  /** Left out of help: for programs of ours only. */
  readonly hidden?: boolean
}

/** Options of every command that reads a project. */
export const PROJECT_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'settings',
    value: 'MODULE',
    summary: 'Settings module; else DJANGO_SETTINGS_MODULE, else what manage.py sets',
  },
  { name: 'python', value: 'PATH', summary: 'Interpreter, or the folder of an environment' },
  { name: 'project', value: 'PATH', summary: 'Folder with manage.py or a config file; else the nearest one upwards' },
  {
    name: 'config',
    value: 'FILE',
    summary: 'Config file; else prodserver.config.ts, .js, .mjs or .json in the project',
  },
  { name: 'pythonpath', value: 'PATH', repeatable: true, summary: 'A folder to put first on the import path' },
]

/** Options of every command that makes a plan of it. */
export const PLAN_OPTIONS: readonly OptionSpec[] = [
  ...PROJECT_OPTIONS,
  {
    name: 'set',
    like: /^[^=]+\.[^=]+=/,
    value: 'NAME.KEY=VALUE',
    repeatable: true,
    summary: 'Another value for a key of a process, or for a part of it: web.ARGS.workers=8; null removes it',
  },
]

export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'no-color', summary: 'No colours (also: NO_COLOR)' },
  { name: 'help', short: 'h', summary: 'Show help' },
]

/** Options of Django's own commands, taken where they mean something. */
export const DJANGO_OPTIONS: readonly OptionSpec[] = [
  { name: 'verbosity', short: 'v', value: 'LEVEL', summary: 'Passed on to backends that are Django commands' },
  { name: 'traceback', summary: 'Show a stack trace for every error; passed on to Django commands' },
  { name: 'skip-checks', summary: 'Passed on to Django commands and to Celery' },
]

export interface ParsedOptions {
  readonly values: Readonly<Record<string, readonly string[]>>
  readonly positionals: readonly string[]
  /** What follows the first positional, where the command passes it on. */
  readonly rest: readonly string[]
}

export interface ParseSpec {
  readonly options: readonly OptionSpec[]
  /** Everything after the first positional is passed on, but for these options. */
  readonly passOn?: readonly string[] | undefined
  /** It takes no argument of its own: an unknown option is the first of what is passed on. */
  readonly passOnUnknown?: boolean | undefined
}

/**
 * Reads a command's arguments.
 *
 * @throws {UsageError} for an unknown option, a missing value, or a value that a switch does not take.
 */
export function parseOptions(argv: readonly string[], spec: ParseSpec): ParsedOptions {
  const values: Record<string, string[]> = {}
  const positionals: string[] = []
  const rest: string[] = []
  const queue = [...argv]
  while (queue.length > 0) {
    const token = queue.shift() as string
    const passing = spec.passOn !== undefined && (positionals.length > 0 || rest.length > 0)
    if (token === '--') {
      ;(spec.passOn ? rest : positionals).push(...queue)
      break
    }
    if (!token.startsWith('-') || token === '-') {
      ;(passing ? rest : positionals).push(token)
      continue
    }
    const { name, inline } = splitToken(token, spec.options)
    const option = spec.options.find((candidate) => candidate.name === name)
    const isOurs = option && spec.passOn?.includes(name) && (option.like?.test(inline ?? queue[0] ?? '') ?? true)
    const passed = passing ? !isOurs : !option && spec.passOnUnknown === true
    if (passed) rest.push(token)
    else if (option) (values[name] ??= []).push(optionValue(option, token, inline, queue))
    else throw unknownOption(token, spec.options)
  }
  return { values, positionals, rest }
}

function splitToken(token: string, options: readonly OptionSpec[]): { name: string; inline: string | undefined } {
  if (!token.startsWith('--')) {
    const option = options.find(({ short }) => short === token[1])
    return { name: option?.name ?? token, inline: token.length > 2 ? token.slice(2) : undefined }
  }
  const at = token.indexOf('=')
  return at < 0
    ? { name: token.slice(2), inline: undefined }
    : { name: token.slice(2, at), inline: token.slice(at + 1) }
}

function optionValue(option: OptionSpec, token: string, inline: string | undefined, queue: string[]): string {
  if (option.value === undefined) {
    if (inline !== undefined) throw new UsageError(`Option --${option.name} takes no value.`)
    return 'true'
  }
  const value = inline ?? queue.shift()
  if (value === undefined || (inline === undefined && value.startsWith('--')))
    throw new UsageError(`Option ${token} needs a value: --${option.name}=${option.value}`)
  return value
}

function unknownOption(token: string, options: readonly OptionSpec[]): UsageError {
  const near = nearest(
    token.replace(/^-+|=.*$/g, ''),
    options.filter(({ hidden }) => !hidden).map(({ name }) => name),
  )
  return new UsageError(`Unknown option ${token.split('=')[0]}.`, near && `Did you mean --${near}?`)
}
