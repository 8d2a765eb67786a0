import * as v from 'valibot'
import { asConfigFile } from '../core/notation.ts'
import type { Json } from '../core/types.ts'
import { DECLARED_KEYS, type ProcessKey } from '../generated/keys.ts'
import type { DeclaredKey, Dictionary, InputOf, OutputOf } from './key.ts'

/**
 * The shape of one declared process, from the table of keys. Types, validation, the reference page and the JSON Schema
 * are derived from it.
 *
 * Keys are in the notation of a config file; Django settings write the same keys in upper case (`dependsOn` is
 * `DEPENDS_ON`), and snake case inside (`maxDelay` is `max_delay`).
 */

type Keys = typeof DECLARED_KEYS

/** A declaration as a person writes it in a typed config. */
export type ProcessInput = { readonly [Key in Exclude<ProcessKey, 'backend'>]?: InputOf<Keys[Key]> | undefined } & {
  readonly backend: string
}

/** A declaration, checked and normalized: durations in milliseconds, sizes in bytes. */
export type ProcessOptions = { readonly [Key in Exclude<ProcessKey, 'backend'>]?: OutputOf<Keys[Key]> | undefined } & {
  readonly backend: string
}

export const PROCESS_KEYS = Object.keys(DECLARED_KEYS) as readonly ProcessKey[]

/** The declared side of each key. */
export const KEYS = Object.fromEntries(PROCESS_KEYS.map((key) => [key, DECLARED_KEYS[key]()])) as Readonly<
  Record<ProcessKey, DeclaredKey>
>

const schemaOf = (key: ProcessKey): v.GenericSchema => KEYS[key].schema as v.GenericSchema

export const processSchema = v.strictObject(
  Object.fromEntries(PROCESS_KEYS.map((key) => [key, key === 'backend' ? schemaOf(key) : v.optional(schemaOf(key))])),
) as unknown as v.GenericSchema<ProcessInput, ProcessOptions>

/** Names of the inner keys, by the keys whose dictionaries have a fixed form. */
export const INNER_KEYS: Readonly<Partial<Record<string, readonly string[]>>> = Object.fromEntries(
  Object.entries(KEYS).flatMap(([key, { inner }]) => (Array.isArray(inner) ? [[key, inner as readonly string[]]] : [])),
)

/** The notation of a config file. */
export const CONFIG_NOTATION = asConfigFile(
  PROCESS_KEYS,
  Object.values(INNER_KEYS).flatMap((names) => names ?? []),
)

const isKey = (key: string): key is ProcessKey => Object.hasOwn(KEYS, key)

/** Returns whether an override can set a single inner key of the value. */
export const takesInner = (key: string): boolean => isKey(key) && KEYS[key].inner !== undefined

/** Returns whether an override of the key is text even if it looks like a number, such as a mask of `027`. */
export const isTextOnly = (key: string): boolean => isKey(key) && schemaOf(key).type === 'string'

/** Returns the inner keys of which a value has exactly one; empty for most keys. */
export const alternativesOf = (key: string): readonly string[] => (isKey(key) ? (KEYS[key].alternatives ?? []) : [])

/** Returns the dictionary that the short form of a value stands for; undefined if the value is no short form. */
export const expandShortForm = (key: string, value: Json): Dictionary | undefined =>
  isKey(key) ? KEYS[key].expand?.(value) : undefined
