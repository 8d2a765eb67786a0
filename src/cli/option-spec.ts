export interface AnyOption {
  readonly short?: string | undefined
  readonly summary: string
  /** Form of the value, for commands whose program may have an option of the same name. */
  readonly like?: RegExp | undefined
  /** Left out of help: for other programs of this package. */
  readonly hidden?: boolean | undefined
}

/** An option without a value. */
export interface FlagOption extends AnyOption {
  readonly kind: 'flag'
}

/** An option with one value; the last one counts. */
export interface ValueOption<T> extends AnyOption {
  readonly kind: 'value'
  /** Name of the value in help. */
  readonly value: string
  readonly parse: ParseValue<unknown>
  /** The value when the option is not given. */
  readonly default: T
}

/** An option that can be given several times. */
export interface ListOption<T> extends AnyOption {
  readonly kind: 'list'
  readonly value: string
  readonly parse: ParseValue<T>
}

/** @throws {UsageError} for a text that cannot be a value of the option. */
export type ParseValue<T> = (text: string, given: { readonly option: string; readonly nowMs: number }) => T

export type OptionSpec = FlagOption | ValueOption<unknown> | ListOption<unknown>

/** Options of a command by name, in the order of its help. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

type OptionValue<S> = S extends FlagOption
  ? boolean
  : S extends ListOption<infer T>
    ? readonly T[]
    : S extends ValueOption<infer T>
      ? T
      : never

/** The values of options, parsed and checked. */
export type OptionsOf<S> = { readonly [Name in keyof S]: OptionValue<S[Name]> }
