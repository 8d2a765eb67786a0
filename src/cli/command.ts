import type { Io } from './io.ts'
import type { OptionsOf, OptionSpecs } from './option-spec.ts'
import type { LineSpec, ParsedLine } from './options.ts'
import type { Paint } from './output/print.ts'

/** A command as data: its name, its flags and its help. */
export interface CommandSpec<S extends OptionSpecs = OptionSpecs> extends LineSpec<S> {
  readonly name: string
  /** Operands in the usage line. */
  readonly usage: string
  readonly summary: string
  /** Largest number of operands. Default any number. */
  readonly maxOperands?: number
  readonly examples: readonly (readonly [command: string, meaning: string])[]
  /** Values of the first operand, which only help loads. Default: none are listed. */
  readonly choices?: Choices
}

export interface Choices {
  /** Heading of the list in help. */
  readonly title: string
  readonly load: () => Promise<readonly (readonly [value: string, meaning: string])[]>
}

/** Everything that a command works with. */
export interface CommandContext<Options = OptionsOf<OptionSpecs>> extends Omit<ParsedLine<OptionSpecs>, 'options'> {
  readonly options: Options
  readonly io: Io
  /** Colours for stdout. */
  readonly paint: Paint
  /** Colours for stderr. */
  readonly errorPaint: Paint
  /** All commands, for help, completion and mistyped names. */
  readonly commands: readonly CommandSpec[]
}

/** The context of a command with these flags. */
export type ContextOf<C> = C extends CommandSpec<infer S> ? CommandContext<OptionsOf<S>> : never

/** Does the work of a command and returns the exit code. */
type Execute<Options> = (context: CommandContext<Options>) => Promise<number>

/** A command with its code, which is loaded only when it runs. */
export interface Command extends CommandSpec {
  readonly load: () => Promise<{ readonly execute: Execute<OptionsOf<OptionSpecs>> }>
}

/** Describes a command. The types of its parsed options follow from it. */
export const defineCommand = <const S extends OptionSpecs>(spec: CommandSpec<S>): CommandSpec<S> => spec

/** Joins a description and the code that takes its options. */
export const withCode = <S extends OptionSpecs>(
  spec: CommandSpec<S>,
  load: () => Promise<{ readonly execute: Execute<OptionsOf<S>> }>,
): Command => ({ ...spec, load: load as unknown as Command['load'] })
