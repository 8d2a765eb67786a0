import type { Env } from '../core/types.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import type { Project } from '../project/project.ts'
import type { MachineFacts } from './machine.ts'

/** Everything that a plan is made from. */
export interface PlanRequest {
  readonly project: Project
  readonly answer: SettingsAnswer
  readonly env: Env
  /** Values of `--set`; overrides in the environment are read from `env`. Default none. */
  readonly set?: readonly string[] | undefined
  /** Names of the processes to plan; the others are neither imported nor planned. Default all. */
  readonly only?: readonly string[] | undefined
  /** Extra arguments from the command line, for the one process in `only`. */
  readonly extra?: readonly string[] | undefined
  /** Options of Django itself, as tokens. */
  readonly django?: readonly string[] | undefined
  /** Import everything that can be imported, and not only what looks missing. Default false: this takes a second or more. */
  readonly thorough?: boolean | undefined
  /** Inspect the running project as well: its database, its broker, Django's own checks. Default false. */
  readonly deploy?: boolean | undefined
  /** The machine to check. Default none, because the declaration may be for a different machine. */
  readonly machine?: MachineFacts | undefined
  /** Number of processors that prodserver may use. */
  readonly processors: number
  readonly timeoutMs: number
}
