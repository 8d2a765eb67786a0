import type { Problem } from '../core/errors.ts'
import type { Env, Json } from '../core/types.ts'
import { isDictionary } from '../core/values.ts'
import type { Keyed } from './keyed.ts'
import {
  ambiguous,
  type Declared,
  findSetTarget,
  findVariableTarget,
  fold,
  overrideVariables,
  type OverrideTarget,
  toVariable,
  unknownVariable,
  usualInner,
} from './override-names.ts'
import { splitSet } from './set-text.ts'
import type { Dictionary } from './key.ts'
import { alternativesOf, expandShortForm, INNER_KEYS, isTextOnly } from './schema.ts'
import { toSettingsKey, toSnake } from '../core/notation.ts'

/** Where overrides are written. */
export interface OverrideTexts {
  /** The values of `--set`, each one `NAME.KEY=VALUE`. */
  readonly set: readonly string[]
  /** `PRODSERVER_NAME_KEY` for one machine; the command line wins. */
  readonly env: Env
}

/** A value that takes the place of a declared one. */
export interface Override extends OverrideTarget {
  /** Undefined: the key is removed, as though it had not been declared. */
  readonly value: Json | undefined
  /** `--set web.ARGS.workers`, or the name of the variable. */
  readonly place: string
  /** The name of a variable cannot say how the key within is spelt. */
  readonly isVariable: boolean
}

interface FoundOverrides {
  /** Later ones win. */
  readonly overrides: readonly Override[]
  readonly problems: readonly Problem[]
  /** Warnings about variables that are about nothing. */
  readonly unknown: readonly Problem[]
}

/** Everything that is given for this one command, or on this machine, beside the declaration. */
export function readOverrides({ set, env }: OverrideTexts, declared: Declared): FoundOverrides {
  const { names } = declared
  // That nothing is declared is said already.
  if (names.length === 0) return { overrides: [], problems: [], unknown: [] }
  const unknown: Problem[] = []
  const ofVariables = overrideVariables(env).flatMap(([variable, text]): (Override | Problem)[] => {
    const target = findVariableTarget(variable, names)
    if (target === undefined) unknown.push(unknownVariable(variable, names))
    return target === undefined ? [] : [withValue(target, text, variable, true)]
  })
  const ofOptions = set.flatMap((text): (Override | Problem)[] => {
    const parts = splitSet(text)
    return parts ? [withValue(findSetTarget(parts, declared), parts.value, `--set ${parts.path}`, false)] : []
  })
  const all = [...ofVariables, ...ofOptions]
  return {
    overrides: all.filter((one): one is Override => !('id' in one)),
    problems: all.filter((one): one is Problem => 'id' in one),
    unknown,
  }
}

const withValue = (
  target: OverrideTarget | Problem,
  text: string,
  place: string,
  isVariable: boolean,
): Override | Problem => ('id' in target ? target : { ...target, value: valueOf(target, text), place, isVariable })

function valueOf({ key, inner }: OverrideTarget, text: string): Json | undefined {
  if (key === 'env' && inner !== undefined) return parseValue(text, true)
  return isTextOnly(key) ? (parseValue(text, true) ?? undefined) : parseValue(text)
}

const WORDS: Readonly<Record<string, boolean | undefined>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  null: undefined,
  None: undefined,
}

/**
 * A value as it is written on a command line: JSON where it is a number, a list or a dictionary, `true`, `false` or
 * `null` (Python's spelling as well), else text. In double quotes it is text whatever it looks like. What can be nothing
 * else, such as what is meant for an environment, is text but for `null`.
 */
export function parseValue(text: string, isText = false): Json | undefined {
  if (/^".*"$/s.test(text)) return parseJson(text) ?? text
  if (isText) return text === 'null' ? null : text
  if (Object.hasOwn(WORDS, text)) return WORDS[text]
  // 1.10 and 007 are versions, names and modes: as numbers they would lose what they say.
  if (Number.isFinite(Number(text)) && String(Number(text)) === text) return Number(text)
  return /^[[{]/.test(text) ? (parseJson(text) ?? text) : text
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

interface Overridden {
  readonly keyed: ReadonlyMap<string, Keyed>
  /** With the keys within as they are declared, or will be. */
  readonly applied: readonly Override[]
  readonly problems: readonly Problem[]
}

/** The keys of one process with its overrides in the place of what is declared. */
export function applyOverrides(declared: ReadonlyMap<string, Keyed>, overrides: readonly Override[]): Overridden {
  const keyed = new Map(declared)
  const applied: Override[] = []
  const problems: Problem[] = []
  // What is about a part comes after what is about the whole, however they are ordered among each other.
  for (const override of overrides) {
    const { key, value, place } = override
    if (override.inner === undefined) {
      if (value === undefined) keyed.delete(key)
      else keyed.set(key, { value: spellKeys(key, value), written: toSettingsKey(key), place })
      applied.push(override)
      continue
    }
    const entry = keyed.get(key)
    const base = asDictionary(key, entry?.value)
    // What is declared instead has the wrong form, which is said of it.
    if (!base) continue
    const inner = findInner(override, Object.keys(base))
    if (typeof inner !== 'string') {
      problems.push(inner)
      continue
    }
    applied.push({ ...override, inner: shownInner(key, inner) })
    const next = merge(key, base, inner, value)
    // What a short form says stands there as a whole.
    const short =
      entry && !isDictionary(entry.value) ? Object.keys(base).map((name) => [name, entry.place] as const) : []
    const places = new Map([...short, ...(entry?.inner ?? []), [shownInner(key, inner), place] as const])
    if (Object.keys(next).length === 0) keyed.delete(key)
    else
      keyed.set(key, {
        value: next,
        written: entry?.written ?? toSettingsKey(key),
        place: entry?.place ?? place,
        inner: places,
      })
  }
  return { keyed, applied, problems }
}

/** Returns the dictionary that a value is or stands for; undefined if the value can have no inner keys. */
function asDictionary(key: string, value: Json | undefined): Dictionary | undefined {
  if (value === undefined) return {}
  return isDictionary(value) ? value : expandShortForm(key, value)
}

function merge(key: string, base: Dictionary, inner: string, value: Json | undefined): Dictionary {
  const alternatives = alternativesOf(key)
  const isReplaced = value !== undefined && alternatives.includes(inner)
  const dropped = (name: string): boolean => name !== inner && isReplaced && alternatives.includes(name)
  const kept = Object.entries(base).filter(([name]) => !dropped(name) && (name !== inner || value !== undefined))
  return { ...Object.fromEntries(kept), ...(value !== undefined && { [inner]: value }) }
}

/** The key within a value: the one that is declared where that is spelt otherwise, else as it was written. */
function findInner(
  { key, inner = '', isVariable, place, process }: Override,
  declared: readonly string[],
): string | Problem {
  const known = INNER_KEYS[key]
  if (known) return known.find((name) => fold(name) === fold(inner)) ?? (isVariable ? usualInner(key, inner) : inner)
  if (declared.includes(inner) || (!isVariable && key !== 'args')) return inner
  const alike = declared.filter((name) =>
    isVariable ? toVariable(name) === inner : name.replaceAll('_', '-') === inner.replaceAll('_', '-'),
  )
  if (alike.length > 1) {
    const meanings = alike.map((name) => `${process}.${toSettingsKey(key)}.${name}`)
    return ambiguous(place, meanings, process)
  }
  if (alike[0] !== undefined) return alike[0]
  return isVariable ? usualInner(key, inner) : inner
}

const shownInner = (key: string, inner: string): string => (key in INNER_KEYS ? toSnake(inner) : inner)

/** A dictionary with its keys in the schema's spelling. */
function spellKeys(key: string, value: Json): Json {
  const known = INNER_KEYS[key]
  if (!known || !isDictionary(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([written, inner]) => [
      known.find((name) => fold(name) === fold(written)) ?? written,
      inner,
    ]),
  )
}
