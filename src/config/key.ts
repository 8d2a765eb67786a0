import type { ReloadedProcess } from '../core/reload-strategy.ts'
import type { Shape } from '../core/shape.ts'
import type { Json } from '../core/types.ts'

/**
 * A key of a declaration is one file in `keys/`, named after the key. It exports
 *
 * - `declared`: how a person writes the value, and what the reference says of the key. A function, so that the bundle of
 *   the supervisor needs neither the schema nor the schema library.
 * - `planned`, unless the key is a part of the command line or of the environment: how the plan holds the value, how
 *   `show` prints it, and whether the value reaches the shim and the hash.
 *
 * `npm run docs` collects the files in `src/generated/keys.ts`. Everything else loops over that table.
 */

/**
 * The names of all key files: each file adds its own name. The compiler compares the names with the generated table and
 * reports a file that the table lacks.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- each key file adds a member
export interface KeyFiles {}

/** The part of a schema that types are derived from. With it, published types do not need the schema library. */
interface Schema<Input, Output> {
  readonly '~types'?: { readonly input: Input; readonly output: Output } | undefined
}

/** The declared side of a key: its schema and its documentation. */
export interface DeclaredKey<Input = unknown, Output = unknown> {
  /** Place of the key in the reference, in `show` and in other lists. */
  readonly order: number
  readonly schema: Schema<Input, Output>
  /** Line of Markdown for the reference, editors and types. */
  readonly description: string
  /** Default as the reference shows it. Absent if nothing happens without the key. */
  readonly shownDefault?: string
  /** A value that differs from the default, in the notation of a config file. */
  readonly example: Json
  /** Keys of the value, if it can be a dictionary: their names, or `any` if the user chooses them. */
  readonly inner?: readonly string[] | 'any'
  /** Inner keys that exclude each other: a value has exactly one of them. */
  readonly alternatives?: readonly string[]
  /** Turns a short form of the value into a dictionary; undefined for any other value. */
  readonly expand?: (value: Json) => Dictionary | undefined
}

export type Dictionary = { readonly [key: string]: Json }

/** The type of a value as a person writes it. */
export type InputOf<Declared> = Declared extends () => DeclaredKey<infer Input, infer _> ? Input : never

/** The value of a key once it is checked and normalized. */
export type OutputOf<Declared> = Declared extends () => DeclaredKey<infer _, infer Output> ? Output : never

/** The planned side of a key: its value in the plan, and the uses of that value. */
export interface PlannedKey<Output = unknown, Planned = unknown> {
  /** Field of the plan that holds the value. Default: the name of the key. */
  readonly field?: string
  /** The name that `show` prints. */
  readonly label: string
  /** Prints the value in one line; null if there is nothing to print. */
  show(value: Planned, process: ReloadedProcess): string | null
  /** Makes `show` print the value even if it is the default. */
  readonly isAlwaysShown?: true
  /** Turns the declared value into the planned value. */
  plan(value: Output | undefined, context: PlanContext): Planned
  /** Returns what the backend gives of the value: everything, some inner keys, or nothing. Default: nothing. */
  readonly fromBackend?: (backend: BackendDefaults) => boolean | readonly string[]
  /** Checks the planned value when a client sends it to the supervisor. */
  readonly shape: Shape<Planned>
  /**
   * Adds the value to the hash by which `up` finds the instances to replace. Default: the hash ignores the value.
   *
   * `unlessNull` is for every new key: an upgrade must not replace instances that do not use the key. `always` is for
   * the keys of version 0.1.
   */
  readonly hash?: 'always' | 'unlessNull'
  /** Sends the value to the shim, which applies it when an instance starts, as `run` does. Default false. */
  readonly isLaunched?: boolean
}

/** The planned side of a key that the shim and `run` apply when an instance starts. */
export interface LaunchedKey<Output = unknown, Planned = unknown> extends PlannedKey<Output, Planned> {
  readonly isLaunched: true
  readonly hash: 'always' | 'unlessNull'
  /** Explains why an instance cannot start with the value. Default: that the value cannot be set. */
  explainFailure?(value: Planned): string
}

/** A key whose value the plan holds in the field of another key. */
export interface PartKey<Whole = unknown> {
  readonly partOf: string
  readonly label: string
  show(whole: Whole): string | null
}

/** The values that a plan function can use beside the declared one. */
export interface PlanContext {
  readonly backend: BackendDefaults
  /** The name of the backend as the plan shows it. */
  readonly reference: string
  /** The working directory as a full path. */
  readonly cwd: string
  /** Number of processors that `cpu` stands for. */
  readonly processors: number
  readonly declaration: { readonly tz?: string | undefined }
}

/** The policies that a backend brings. */
interface BackendDefaults {
  readonly ready?: { readonly http?: string; readonly log?: string; readonly delay?: number }
  readonly stop?: { readonly signal?: StopSignal; readonly timeoutMs?: number }
  readonly reload?: 'rolling' | 'signal' | 'restart'
}

type StopSignal = (typeof STOP_SIGNALS)[number]

export const STOP_SIGNALS = ['TERM', 'INT', 'QUIT', 'HUP', 'USR1', 'USR2', 'KILL'] as const
