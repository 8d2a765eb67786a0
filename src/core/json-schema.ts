import type { Json } from './types.ts'

/** A JSON Schema together with the TypeScript type of the values that it accepts, so that both have one source. */
export interface Schema<T> {
  readonly json: { readonly [keyword: string]: Json }
  /** Carries the type and is never set. */
  readonly '~type'?: T
}

/** A member of an object that may be missing. */
interface Optional<T> extends Schema<T> {
  readonly isOptional: true
}

/** The type of the values that a schema accepts. */
export type TypeOf<S> = S extends Schema<infer T> ? T : never

type Members = Readonly<Record<string, Schema<unknown>>>

type OptionalNames<M extends Members> = {
  [Name in keyof M]: M[Name] extends Optional<unknown> ? Name : never
}[keyof M]

type ObjectOf<M extends Members> = {
  readonly [Name in Exclude<keyof M, OptionalNames<M>>]: TypeOf<M[Name]>
} & { readonly [Name in OptionalNames<M>]?: TypeOf<M[Name]> | undefined }

/** One object type instead of an intersection of two. */
type Flat<T> = { readonly [Name in keyof T]: T[Name] }

export const text: Schema<string> = { json: { type: 'string' } }
export const flag: Schema<boolean> = { json: { type: 'boolean' } }
/** Accepts only true. */
export const yes: Schema<true> = { json: { const: true } }
/** Accepts only null. */
export const nothing: Schema<null> = { json: { type: 'null' } }
export const number: Schema<number> = { json: { type: 'number' } }
export const integer: Schema<number> = { json: { type: 'integer' } }
/** A time in UTC, as RFC 3339 writes it. */
export const time: Schema<string> = { json: { type: 'string', format: 'date-time' } }

/** Accepts one of the given words. */
export const word = <const Words extends readonly string[]>(words: Words): Schema<Words[number]> => ({
  json: { type: 'string', enum: words },
})

/** Accepts a list. */
export const list = <T>(item: Schema<T>): Schema<readonly T[]> => ({ json: { type: 'array', items: item.json } })

/** Accepts an object with any names. */
export const dictionary = <T>(value: Schema<T>): Schema<Readonly<Record<string, T>>> => ({
  json: { type: 'object', additionalProperties: value.json },
})

/** Accepts null as well. */
export const orNull = <T>(schema: Schema<T>): Schema<T | null> => ({
  json: { anyOf: [schema.json, { type: 'null' }] },
})

/** Lets a member be missing. */
export const optional = <T>(schema: Schema<T>): Optional<T> => ({ json: schema.json, isOptional: true })

/** Refers to a schema by the name under which the document holds it. */
export const named = <T>(name: string, _schema: Schema<T>): Schema<T> => ({
  json: { $ref: `#/components/schemas/${name}` },
})

/** Adds a sentence of documentation. */
export const describe = <S extends Schema<unknown>>(description: string, schema: S): S => ({
  ...schema,
  json: { ...schema.json, description },
})

/** Accepts an object with exactly these members. */
export function object<M extends Members>(members: M): Schema<Flat<ObjectOf<M>>> {
  const entries = Object.entries(members)
  return {
    json: {
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, { json }]) => [name, json])),
      required: entries.flatMap(([name, schema]) => ('isOptional' in schema ? [] : [name])),
      additionalProperties: false,
    },
  }
}

/** Accepts what one of the schemas accepts. */
export const oneOf = <const S extends readonly Schema<unknown>[]>(...schemas: S): Schema<TypeOf<S[number]>> => ({
  json: { oneOf: schemas.map(({ json }) => json) },
})
