import * as v from 'valibot'
import { DURATION, parseDurationMs } from '../core/durations.ts'
import { parseSizeBytes, SIZE } from '../core/sizes.ts'
import { isDictionary } from '../core/values.ts'
import type { DeclaredKey } from './key.ts'
import { PROBE_KINDS } from './probe.ts'

/** Building blocks of the schemas of keys. Each message continues the sentence "LOG must be ...". */

/** Text or a number, converted once. The pattern is for JSON Schema, which cannot run the conversion. */
const converted = (convert: (value: string | number) => number | undefined, message: string, pattern: RegExp) =>
  v.pipe(
    v.union([v.string(), v.number()], message),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const result = convert(dataset.value)
      if (result !== undefined) return result
      addIssue({ message })
      return NEVER
    }),
    v.metadata({ json: { pattern: pattern.source, minimum: 0 } }),
  )

/** A duration, in milliseconds. */
export const duration = converted(parseDurationMs, 'a duration, such as "30s", "5m" or a number of seconds', DURATION)

/** A size, in bytes. */
export const size = converted(parseSizeBytes, 'a size, such as "512M" or a number of bytes', SIZE)

export const text = v.string('a string')

export const nonEmptyText = v.pipe(text, v.nonEmpty('a string that is not empty'))

export const textOrNumber = v.union([v.string(), v.number()], 'a string or a number')

export const truth = v.boolean('True or False')

export const count = v.pipe(v.number('a whole number'), v.integer('a whole number'), v.minValue(1, 'at least 1'))

/** A string or a list of strings, as a list. */
export const texts = v.pipe(
  v.union([v.string(), v.array(text)], 'a string or a list of strings'),
  v.transform((value): readonly string[] => (typeof value === 'string' ? [value] : value)),
)

export const oneOf = <const T extends readonly string[]>(options: T) =>
  v.picklist(options, `one of ${options.map((option) => JSON.stringify(option)).join(', ')}`)

export const matching = (pattern: RegExp, what: string) => v.pipe(v.string(what), v.regex(pattern, what))

/** Restricts a schema to dictionaries: valibot's schemas would also accept lists and values that JSON cannot carry. */
export const dictionary = <S extends v.GenericSchema>(schema: S, what: string) =>
  v.lazy((input): S => (isDictionary(input) ? schema : (v.never(what) as never)))

/** Chooses the schema for dictionaries or the schema for all other values, so that a problem in a dictionary names its key. */
export const dictionaryOr = <D extends v.GenericSchema, E extends v.GenericSchema>(inside: D, otherwise: E) =>
  v.lazy((input): v.GenericSchema<v.InferInput<D> | v.InferInput<E>, v.InferOutput<D> | v.InferOutput<E>> =>
    isDictionary(input) ? inside : otherwise,
  )

/** The JSON Schema of an object that has exactly one of these keys. */
const requireOneOf = (names: readonly string[]) => ({ oneOf: names.map((name) => ({ required: [name] })) })

const ONE_KIND = 'a dictionary with exactly one of http, tcp, exec, log, delay or notify'

/** A probe. */
export const probe = dictionary(
  v.pipe(
    v.strictObject({
      http: v.optional(matching(/^(\/|https?:)/, 'a path such as "/health/", or a URL')),
      tcp: v.optional(textOrNumber),
      exec: v.optional(texts),
      log: v.optional(text),
      delay: v.optional(duration),
      notify: v.optional(v.literal(true, 'True')),
      interval: v.optional(duration),
      timeout: v.optional(duration),
      failures: v.optional(count),
    }),
    v.check((value) => PROBE_KINDS.filter((kind) => value[kind] !== undefined).length === 1, ONE_KIND),
    v.metadata({ json: requireOneOf(PROBE_KINDS) }),
  ),
  ONE_KIND,
)

/** The definition of a declared key, with the types of its schema and without the types of the schema library. */
export const declareKey = <S extends v.GenericSchema>(
  definition: Omit<DeclaredKey, 'schema'> & { readonly schema: S },
): DeclaredKey<v.InferInput<S>, v.InferOutput<S>> => definition
