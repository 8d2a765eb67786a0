import { defined } from './defined.ts'
import type { Problem } from './errors.ts'
import { describeType } from './values.ts'
import type { Json } from './types.ts'

/** How a declaration is written where it stands: as Python in the settings, or as an object in a config file. */
export interface Spelling {
  /** What holds the processes, and the keys that all of them start from. */
  readonly processes: string
  readonly defaults: string
  /** `DEPENDS_ON` or `dependsOn`, from the latter. */
  readonly key: (key: string) => string
  /** A key in the dictionary of one of ours: `max_delay` or `maxDelay`, from the latter. */
  readonly inner: (key: string) => string
  /** A key below a place. */
  readonly below: (place: string, key: string) => string
  readonly describeType: (value: Json) => string
  /** A problem, which is written in words of the settings, in its own words. */
  readonly say: <T extends Pick<Problem, 'place' | 'message' | 'hint'>>(problem: T) => T
}

/** `DEPENDS_ON` for `dependsOn`. */
export const toSettingsKey = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

/** `max_delay` for `maxDelay`. */
export const toSnake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** `maxDelay` for `max_delay`. */
export const toCamel = (key: string): string =>
  key.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

export const AS_SETTINGS: Spelling = {
  processes: 'PRODUCTION_PROCESSES',
  defaults: 'PRODUCTION_PROCESS_DEFAULTS',
  key: toSettingsKey,
  inner: toSnake,
  below: (place, key) => `${place}[${JSON.stringify(key)}]`,
  describeType,
  say: (problem) => problem,
}

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*$/u

/**
 * The notation of a config file. Names that are no keys stay as they are.
 *
 * @param keys keys of a process, in camel case
 * @param inner keys of their dictionaries, in camel case
 */
export const asConfigFile = (keys: readonly string[], inner: readonly string[] = []): Spelling => {
  const words = vocabulary(keys, inner)
  const respell = (text: string): string => inOtherWords(text, words)
  return {
    processes: 'processes',
    defaults: 'defaults',
    key: (key) => key,
    inner: (key) => key,
    below,
    describeType: (value) => respell(describeType(value)),
    say: ({ place, message, hint, ...rest }) =>
      defined({
        ...rest,
        place: place.replace(/\["([^"\\]+)"\]/g, (_, key: string) => below('', key)),
        message: respell(message),
        hint: hint === undefined ? undefined : respell(hint),
      }) as never,
  }
}

const below = (place: string, key: string): string =>
  IDENTIFIER.test(key) ? `${place}.${key}` : `${place}[${JSON.stringify(key)}]`

/** Whether a place is one of a config file, rather than of settings. */
export const isInConfigFile = (place: string): boolean => /^(processes|defaults)(\W|$)/.test(place)

/** What is within a process, as settings would write it, at the place of a process: `["ENV"]["PORT"]`. */
export const placeWithin = (place: string, inner: string): string =>
  !isInConfigFile(place)
    ? place + inner
    : [...inner.matchAll(/\["((?:[^"\\]|\\.)*)"\]/g)]
        .map(([, key = ''], index) => (index === 0 ? toCamel(key) : key))
        .reduce(below, place)

type Words = ReadonlyMap<string, string>

function vocabulary(keys: readonly string[], inner: readonly string[]): Words {
  return new Map([
    ...inner.map((key) => [toSnake(key), key] as const),
    ...keys.map((key) => [toSettingsKey(key), key] as const),
    ['PRODUCTION_PROCESSES', 'processes'],
    ['PRODUCTION_PROCESS_DEFAULTS', 'defaults'],
    ['True', 'true'],
    ['False', 'false'],
    ['None', 'null'],
  ])
}

const PIECES = /"((?:[^"\\]|\\.)*)"(:?)|\ba dictionary\b|(?<![\w/.\\-])[A-Za-z_]+(?![\w/\\-])/g

/** Quoted text is the user's own, but for the keys of an example, `"APP": "x"`. So is what is a part of a path. */
const inOtherWords = (text: string, words: Words): string =>
  text.replace(PIECES, (piece: string, quoted: string | undefined, colon: string) => {
    if (quoted === undefined) return piece === 'a dictionary' ? 'an object' : (words.get(piece) ?? piece)
    return colon === ':' ? `"${words.get(quoted) ?? quoted}":` : piece
  })
