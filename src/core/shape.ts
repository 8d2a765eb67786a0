/**
 * A check of a value that another program sent. It returns the path of the first part that has the wrong form, which
 * begins with the given name, or null. The type parameter is the type of a value that passes.
 */
export interface Shape<T> {
  (value: unknown, name: string): string | null
  /** Carries the type and is never set. */
  readonly '~type'?: T
}

const when =
  <T>(holds: (value: unknown) => boolean): Shape<T> =>
  (value, name) =>
    holds(value) ? null : name

/** Accepts text without a NUL byte: the system ends a string there. */
export const text: Shape<string> = when(isText)

function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

export const flag: Shape<boolean> = when((value) => typeof value === 'boolean')

/** Accepts text that matches the pattern. */
export const textLike = (pattern: RegExp): Shape<string> => when((value) => isText(value) && pattern.test(value))

/** Accepts one of the given words. */
export const word = <const Words extends readonly string[]>(words: Words): Shape<Words[number]> =>
  when((value) => words.includes(value as string))

/** Accepts a whole number from the first to the last of a range. */
export const integer = (from: number, to: number): Shape<number> =>
  when((value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to)

/** Accepts milliseconds that a timer of Node can wait. */
export const milliseconds: Shape<number> = when((value) => typeof value === 'number' && value >= 0 && value < 2 ** 31)

/** Accepts a number of bytes. */
export const bytes: Shape<number> = integer(0, Number.MAX_SAFE_INTEGER)

/** Accepts null as well. */
export const orNull =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value, name) =>
    value === null ? null : shape(value, name)

/** Accepts a missing value as well. */
export const optional =
  <T>(shape: Shape<T>): Shape<T | undefined> =>
  (value, name) =>
    value === undefined ? null : shape(value, name)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Accepts an object whose members have these shapes. Members without a shape are not looked at. */
export const object =
  <T extends object>(shapes: { readonly [Key in keyof T]-?: Shape<T[Key]> }): Shape<T> =>
  (value, name) =>
    isRecord(value)
      ? firstOf(Object.entries<Shape<unknown>>(shapes), ([key, shape]) => shape(value[key], `${name}.${key}`))
      : name

/** Accepts a list whose items have this shape. */
export const list =
  <T>(shape: Shape<T>): Shape<readonly T[]> =>
  (value, name) =>
    Array.isArray(value) ? firstOf([...value.entries()], ([index, item]) => shape(item, `${name}[${index}]`)) : name

/** Accepts an object with any names that match the pattern, whose values have this shape. */
export const dictionary =
  <T>(names: RegExp, shape: Shape<T>): Shape<Readonly<Record<string, T>>> =>
  (value, name) =>
    isRecord(value)
      ? firstOf(Object.entries(value), ([key, item]) => (names.test(key) ? shape(item, `${name}.${key}`) : name))
      : name

/** Accepts a value that passes all of the checks. */
export const all =
  <T>(first: Shape<T>, ...others: readonly Shape<T>[]): Shape<T> =>
  (value, name) =>
    firstOf([first, ...others], (shape) => shape(value, name))

/** Returns the first result that is not null. */
function firstOf<T>(items: readonly T[], look: (item: T) => string | null): string | null {
  for (const item of items) {
    const found = look(item)
    if (found !== null) return found
  }
  return null
}

/** The name of a process, which becomes a part of file names. */
export const PROCESS_NAME = /^[^/\0.#][^/\0#]{0,99}$/

/** Accepts a command line: at least one word. */
export const commandLine: Shape<readonly string[]> = all(list(text), (value, name) =>
  (value as readonly string[]).length > 0 ? null : name,
)
