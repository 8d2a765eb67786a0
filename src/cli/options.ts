import { UsageError } from '../core/errors.ts'
import { nearest } from '../core/values.ts'
import type {
  AnyOption,
  FlagOption,
  ListOption,
  OptionsOf,
  OptionSpec,
  OptionSpecs,
  ParseValue,
  ValueOption,
} from './option-spec.ts'

type Extras = Pick<AnyOption, 'short' | 'like' | 'hidden'>

const asText: ParseValue<string> = (text) => text

export const flag = (summary: string, extras: Extras = {}): FlagOption => ({ kind: 'flag', summary, ...extras })

export const value = (name: string, summary: string, extras: Extras = {}): ValueOption<string | undefined> => ({
  kind: 'value',
  value: name,
  summary,
  parse: asText,
  default: undefined,
  ...extras,
})

export const parsed = <T>(
  name: string,
  summary: string,
  parse: ParseValue<T>,
  extras: Extras = {},
): ValueOption<T | undefined> => ({ kind: 'value', value: name, summary, parse, default: undefined, ...extras })

export const withDefault = <T>(option: ValueOption<T | undefined>, otherwise: T): ValueOption<T> => ({
  ...option,
  default: otherwise,
})

export const list = (name: string, summary: string, extras: Extras = {}): ListOption<string> => ({
  kind: 'list',
  value: name,
  summary,
  parse: asText,
  ...extras,
})

export const parsedList = <T>(
  name: string,
  summary: string,
  parse: ParseValue<T>,
  extras: Extras = {},
): ListOption<T> => ({ kind: 'list', value: name, summary, parse, ...extras })

/** A command line, taken apart. */
export interface ParsedLine<S> {
  readonly options: OptionsOf<S>
  readonly operands: readonly string[]
  /** Words for the program that the command becomes. */
  readonly passedOn: readonly string[]
}

export interface LineSpec<S extends OptionSpecs> {
  readonly options: S
  /** Options that are still taken after the first operand. Everything else there is passed on to the program. */
  readonly passOn?: readonly string[] | undefined
  /** Passes on an unknown option: the command takes no operands. */
  readonly passOnUnknown?: boolean | undefined
}

/**
 * Reads a command's arguments.
 *
 * @throws {UsageError} for an unknown option, a missing or wrong value, or a value that a flag does not take.
 */
export function parseLine<S extends OptionSpecs>(
  argv: readonly string[],
  spec: LineSpec<S>,
  nowMs: number = Date.now(),
): ParsedLine<S> {
  const { texts, operands, passedOn } = splitLine(argv, spec)
  const entries = Object.entries(spec.options).map(([name, option]) => {
    return [name, valueOf(option, texts.get(name) ?? [], { option: name, nowMs })] as const
  })
  return { options: Object.fromEntries(entries) as OptionsOf<S>, operands, passedOn }
}

function valueOf(option: OptionSpec, texts: readonly string[], given: Parameters<ParseValue<unknown>>[1]): unknown {
  switch (option.kind) {
    case 'flag':
      return texts.length > 0
    case 'list':
      return texts.map((text) => option.parse(text, given))
    case 'value': {
      const last = texts.at(-1)
      return last === undefined ? option.default : option.parse(last, given)
    }
    default:
      return option satisfies never
  }
}

interface SplitLine {
  /** Texts of the values of each option, by name. */
  readonly texts: ReadonlyMap<string, readonly string[]>
  readonly operands: readonly string[]
  readonly passedOn: readonly string[]
}

function splitLine(argv: readonly string[], { options, passOn, passOnUnknown }: LineSpec<OptionSpecs>): SplitLine {
  const texts = new Map<string, string[]>()
  const operands: string[] = []
  const passedOn: string[] = []
  const queue = [...argv]
  while (queue.length > 0) {
    const token = queue.shift() as string
    const isPassing = passOn !== undefined && (operands.length > 0 || passedOn.length > 0)
    if (token === '--') {
      ;(passOn ? passedOn : operands).push(...queue)
      break
    }
    if (!token.startsWith('-') || token === '-') {
      ;(isPassing ? passedOn : operands).push(token)
      continue
    }
    const { name, inline } = splitToken(token, options)
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    const isOwn = option && passOn?.includes(name) && (option.like?.test(inline ?? queue[0] ?? '') ?? true)
    const isPassedOn = isPassing ? !isOwn : !option && passOnUnknown === true
    if (isPassedOn) passedOn.push(token)
    else if (option) addTo(texts, name, textOf(option, { name, token, inline }, queue))
    else throw unknownOption(token, options)
  }
  return { texts, operands, passedOn }
}

function addTo(texts: Map<string, string[]>, name: string, text: string): void {
  const before = texts.get(name)
  if (before) before.push(text)
  else texts.set(name, [text])
}

function splitToken(token: string, options: OptionSpecs): { name: string; inline: string | undefined } {
  if (!token.startsWith('--')) {
    const name = Object.entries(options).find(([, { short }]) => short === token[1])?.[0]
    return { name: name ?? token, inline: token.length > 2 ? token.slice(2) : undefined }
  }
  const at = token.indexOf('=')
  if (at < 0) return { name: token.slice(2), inline: undefined }
  return { name: token.slice(2, at), inline: token.slice(at + 1) }
}

interface Token {
  readonly name: string
  readonly token: string
  readonly inline: string | undefined
}

function textOf(option: OptionSpec, { name, token, inline }: Token, queue: string[]): string {
  if (option.kind === 'flag') {
    if (inline !== undefined) throw new UsageError(`Option --${name} takes no value.`)
    return ''
  }
  const text = inline ?? queue.shift()
  if (text === undefined || (inline === undefined && text.startsWith('--')))
    throw new UsageError(`Option ${token} needs a value: --${name}=${option.value}`)
  return text
}

function unknownOption(token: string, options: OptionSpecs): UsageError {
  const names = Object.entries(options).flatMap(([name, { hidden }]) => (hidden ? [] : [name]))
  const near = nearest(token.replace(/^-+|=.*$/g, ''), names)
  return new UsageError(`Unknown option ${token.split('=')[0]}.`, near && `Did you mean --${near}?`)
}
