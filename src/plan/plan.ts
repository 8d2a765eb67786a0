import type { ProcessKey } from '../generated/keys.ts'
import type { Value } from '../core/secret.ts'
import type { ProcessKind } from '../core/types.ts'
import type { PlannedValues } from './planned-keys.ts'

export type { PlannedRestart } from '../config/keys/restart.ts'
export type { PlannedProbe } from '../config/probe.ts'

/**
 * What would run, complete and frozen. `run`, and everything that comes after it, starts from this value alone, so
 * no two of them can disagree. `JSON.stringify` of it is safe to show: secrets print as `••••`.
 */
export interface Plan {
  readonly version: 1
  readonly project: PlannedProject
  /** In the order of the declaration. */
  readonly processes: readonly PlannedProcess[]
}

export interface PlannedProject {
  readonly root: string
  /** Null where there is nothing of Django, only a config file; and so is the interpreter. */
  readonly settings: { readonly module: string; readonly reason: string } | null
  readonly python: { readonly path: string; readonly version: string; readonly reason: string } | null
  readonly config: { readonly path: string; readonly reason: string } | null
}

export interface PlannedProcess extends PlannedValues {
  readonly name: string
  /** Where it is declared: `PRODUCTION_PROCESSES["web"]`, or `processes.web` in a config file. */
  readonly place: string
  readonly kind: ProcessKind
  /** The program's name as people write it. */
  readonly title: string
  /** The whole command line; the first is the full path of the program, or a name to be found on PATH. */
  readonly argv: readonly Value[]
  /** Where each word of `argv` comes from: a place in the declaration, `command line`, or what chose it. */
  readonly argvFrom: readonly string[]
  /** What is added to the environment that prodserver has itself; null removes a variable. */
  readonly env: Readonly<Record<string, PlannedVariable>>
  /** Addresses it listens on: `host:port` or `unix:/path`. */
  readonly listen: readonly string[]
  /** How it is started with listening sockets that are open already; null where it opens its own. */
  readonly inherited: PlannedInheritance | null
  /** The command line for the sockets of `listen` alone, descriptors 3 and up, without a program of ours; or null. */
  readonly activated: readonly Value[] | null
  /** Of what only one may run on this machine: its name. Null where several may. */
  readonly alone: string | null
  /** Where each key of the declaration was written; keys not here have the backend's value or the default. */
  readonly from: Readonly<Partial<Record<ProcessKey, string>>>
  /**
   * Where each value comes from, `stop.timeout` for a part of one: a place in the declaration, `--set …`, the name of a
   * variable, `the backend NAME`, or `default`.
   */
  readonly origins: Readonly<Record<string, string>>
  /** What a reader should know and would not guess, a sentence each. */
  readonly notes: readonly string[]
}

/** The sockets are descriptors 3 and up: one for each address of `listen`, then one more that only probes use. */
export interface PlannedInheritance {
  readonly argv: readonly Value[]
  /**
   * It is run by a program of ours, which keeps it from losing requests when it stops: a Python module after `-m`, or a
   * script of Node. Null where it is not.
   */
  readonly runner: 'python' | 'node' | null
  readonly env: Readonly<Record<string, string>>
  /** Whether the sockets must be listening before it starts. */
  readonly listening: boolean
}

export interface PlannedVariable {
  readonly value: Value | null
  readonly from: string
}
