import type { Problem } from '../core/errors.ts'
import { guardToken, isSecretName } from '../core/secret.ts'
import type { Json } from '../core/types.ts'
import { asOdd, describeType, isDictionary } from '../core/values.ts'
import { flagName, longName, type OptionGrammar, switchFlags } from './grammar.ts'

/** One declared option as it stands on the command line. */
export interface Option {
  /** The key as it was declared. */
  readonly key: string
  /** The flag that it means, without dashes. */
  readonly name: string
  /** Its values; empty for a switch. */
  readonly values: readonly string[]
  readonly tokens: readonly string[]
  /** Nobody has declared it: the backend gives it. */
  readonly isDefault?: boolean
}

export interface TranslateRequest {
  /** `ARGS` as declared; undefined means none. */
  readonly args: Json | undefined
  readonly grammar: OptionGrammar
  /** Where `ARGS` stands, for messages. */
  readonly place: string
  /** Where one of its keys stands. Default within `place`. */
  readonly placeOf?: (key: string) => string
  /** The program's name, for messages. */
  readonly program: string
  /**
   * What `None` means. In version 3 of django-prodserver it is a switch without a value, before that it was nothing
   * usable. Default `omit`.
   */
  readonly none?: 'omit' | 'switch'
}

export interface Translation {
  readonly options: readonly Option[]
  readonly problems: readonly Problem[]
}

const TRUE = /^(true|1|yes|on)$/i
const FALSE = /^(false|0|no|off)$/i

/**
 * Turns `ARGS` into options. The rule is that a key becomes `--key` and its value follows after `=`; the exceptions
 * are where a program's command line would refuse that.
 */
export function translateArgs(request: TranslateRequest): Translation {
  const { args, place } = request
  if (args === undefined || args === null) return { options: [], problems: [] }
  if (!isDictionary(args)) {
    return {
      options: [],
      problems: [
        {
          id: 'E301',
          place,
          message: `Invalid ARGS configuration: ARGS must be a dictionary, not ${describeType(args)}.`,
          hint: 'Write: "ARGS": {"workers": 4}',
        },
      ],
    }
  }
  const results = Object.entries(args).map(([key, value]) => translateOne(key, value, request))
  return {
    options: results.flatMap((result) => result.option ?? []),
    problems: results.flatMap((result) => result.problem ?? []),
  }
}

interface One {
  option?: Option
  problem?: Problem
}

function translateOne(key: string, value: Json, request: TranslateRequest): One {
  const { grammar, program } = request
  const within = `${request.place}[${JSON.stringify(key)}]`
  const place = request.placeOf?.(key) ?? within
  const badKey = keyProblem(key, value, request.place)
  // The place of one that was written elsewhere is there, and has nothing of its value.
  if (badKey) return { problem: place === within ? badKey : { ...badKey, place } }
  const name = flagName(key, grammar)
  const missing = grammar.missing?.[name]
  if (missing !== undefined)
    return {
      problem: {
        id: 'W301',
        place,
        message: `${program} has no option ${JSON.stringify(key)}; it is left out.`,
        hint: missing,
      },
    }
  const bad = valueProblem(key, value)
  if (bad)
    return {
      problem: {
        id: 'E301',
        place,
        message: `Invalid ARGS configuration: ${JSON.stringify(key)} ${bad}.`,
        hint: 'Values are strings without NUL, numbers, True, False, None, or lists of strings and numbers',
      },
    }
  const substitute = grammar.substitutes?.[name]
  if (substitute && ![substitute.unless, Number(substitute.unless)].includes(value as string | number)) {
    const message = `${substitute.reason}; --${substitute.name} is used instead.`
    const problem: Problem = { id: 'W302', place, message, hint: `Write ${JSON.stringify(substitute.name)}` }
    return { ...translateOne(substitute.name, value, request), problem }
  }
  const option = encode(key, name, value as ArgValue, request)
  return option ? { option } : {}
}

/** What is left after the values that cannot become an option have been refused. */
type Scalar = string | number | boolean
type ArgValue = Scalar | null | readonly Scalar[]

function encode(key: string, name: string, value: ArgValue, { grammar, none }: TranslateRequest): Option | undefined {
  const flags = switchFlags(longName(name, grammar), grammar)
  const bare = (flag: string | undefined): Option | undefined =>
    flag === undefined ? undefined : { key, name: flag, values: [], tokens: [dashed(flag)] }
  if (value === null) return none === 'switch' ? bare(flags ? flags.on : name) : undefined
  const state = asBoolean(value, flags !== undefined)
  if (flags && state !== undefined) return bare(state ? flags.on : flags.off)
  if (grammar.booleans?.includes(name) && typeof value === 'boolean') return withValues(key, name, [String(value)])
  const mayStandAlone = grammar.trueMeansOn === true || grammar.optionalValues?.includes(name) === true
  const word = typeof value === 'string' && mayStandAlone ? value.toLowerCase() : undefined
  if (value === true || word === 'true') return bare(name)
  if (value === false || word === 'false') return undefined
  const long = longName(name, grammar)
  const splitAt = grammar.positionals?.[long] ?? grammar.lists?.[long]
  if (splitAt !== undefined) {
    const values = typeof value === 'string' ? splitText(value, splitAt) : [value].flat().map(String)
    const flags = grammar.positionals?.[long] === undefined ? [dashed(name)] : []
    return values.length === 0 ? undefined : { key, name, values, tokens: [...flags, ...values] }
  }
  const values = (typeof value === 'object' ? value : [value]).map(String)
  const separator = grammar.separators?.[long]
  if (values.length === 0) return undefined
  return withValues(key, name, separator !== undefined ? [values.join(separator)] : values)
}

/**
 * The value as a switch's state. Words count only where the option takes no value: `"1"` is a number of workers.
 */
function asBoolean(value: Exclude<ArgValue, null>, takesWords: boolean): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (!takesWords || typeof value === 'object') return undefined
  const text = String(value).trim()
  if (TRUE.test(text)) return true
  return FALSE.test(text) ? false : undefined
}

const splitText = (text: string, characters: string): readonly string[] =>
  text.split(new RegExp(`[${characters}]`)).filter(Boolean)

function withValues(key: string, name: string, values: readonly string[]): Option {
  // Short options take their value as a token of its own: `-w=4` would be the value "=4".
  const tokens = values.flatMap((value) => (name.length === 1 ? [dashed(name), value] : [`${dashed(name)}=${value}`]))
  return { key, name, values, tokens }
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)

function keyProblem(key: string, value: Json, argsPlace: string): Problem | undefined {
  const odd = asOdd(value)
  if (odd?.type === 'key')
    return {
      id: 'E302',
      place: `${argsPlace}[${odd.repr}]`,
      message: `Invalid ARGS configuration: the key ${odd.repr} is not a string.`,
      hint: 'Keys are option names without dashes: "workers"',
    }
  if (/^[A-Za-z0-9][\w.:-]*$/.test(key)) return undefined
  // A key may hold what belongs into its value, and that may be a secret.
  const shown = JSON.stringify(String(guardToken(`-${key}`)).slice(1))
  const [bare = ''] = key.replace(/^-+/, '').split(value === true ? /[= ]/ : '=')
  const name = bare.trim().replace(/\s+/g, '-')
  return {
    id: 'E302',
    place: `${argsPlace}[${shown}]`,
    message: `Invalid ARGS configuration: the key ${shown} is not an option name.`,
    hint: name && name !== key ? `Write ${JSON.stringify(name)}` : 'Keys are option names without dashes: "workers"',
  }
}

function valueProblem(key: string, value: Json): string | undefined {
  if (typeof value === 'string')
    return value.includes('\0') ? 'has a NUL byte, which no command line can carry' : undefined
  if (Array.isArray(value)) {
    const bad = value.find((item) => typeof item !== 'string' && typeof item !== 'number')
    return bad !== undefined
      ? `has a list with ${describe(key, bad)}`
      : value.map((item) => valueProblem(key, item)).find(Boolean)
  }
  return typeof value === 'object' && value !== null
    ? `is ${describe(key, value)}, which cannot become an option`
    : undefined
}

/** What kind of value it is; what it looks like only where that cannot be a secret. */
const describe = (key: string, value: Json): string =>
  asOdd(value) && isSecretName(key) ? 'a value' : describeType(value)
