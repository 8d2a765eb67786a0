import { createHash } from 'node:crypto'
import { reveal } from '../core/secret.ts'
import type { PlannedInheritance, PlannedProcess, PlannedProject } from '../plan/plan.ts'
import { mapFields, PLANNED_FIELDS, type PlannedValues } from '../plan/planned-keys.ts'
import { serveNodeProgram, pythonRunner } from '../servers/programs.ts'

/**
 * A process as the supervisor runs it: the plan with its secrets in clear and its programs found on this machine. It goes
 * through the control socket and is never written to disk.
 */
export interface ProcessSpec
  extends PlannedValues, Pick<PlannedProcess, 'name' | 'kind' | 'title' | 'listen' | 'alone'> {
  /** The full path of the program, and its arguments. */
  readonly argv: readonly string[]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** How it is started with sockets that are open already; null where it opens its own. */
  readonly inherited: SpecInherited | null
  /** Hash of everything that a running program cannot change: an instance with another hash is replaced. */
  readonly hash: string
}

export interface SpecInherited {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Whether the sockets must be listening before the program starts. */
  readonly listening: boolean
}

export interface Application {
  readonly project: PlannedProject
  readonly specs: readonly ProcessSpec[]
  /** Names that are to run; the others are left as they are. Null for all. */
  readonly only: readonly string[] | null
  /** Names the code that is deployed: what runs once per release is not run again for the same. */
  readonly release: string
  /** Replaces what runs although its declaration is the same: its code may be another. */
  readonly reload: boolean
  /** The values of `--set` that it was planned with, for who plans anew. Default none. */
  readonly set?: readonly string[]
}

/** Completes the plan of a process with its program and environment on this machine. */
export function toSpec(
  planned: PlannedProcess,
  { argv, env }: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> },
): ProcessSpec {
  const { name, kind, title, listen, alone, inherited } = planned
  const values = mapFields(({ field }) => planned[field]) as PlannedValues
  return {
    ...values,
    name,
    kind,
    title,
    listen,
    alone,
    argv,
    env,
    inherited: inherit(inherited, argv),
    hash: hashOf(planned),
  }
}

function inherit(inherited: PlannedInheritance | null, [program = '']: readonly string[]): SpecInherited | null {
  if (inherited === null) return null
  const { argv, env, listening, runner } = inherited
  return { argv: [program, ...throughRunner(argv.slice(1).map(reveal), runner)], env, listening }
}

/** For Python, `-m MODULE` is what our program takes as its first argument; Node loads it before the script. */
function throughRunner(args: readonly string[], runner: PlannedInheritance['runner']): readonly string[] {
  if (runner === 'node') return ['--require', serveNodeProgram, ...args]
  return runner === 'python' ? [pythonRunner, ...args.slice(1)] : args
}

/** Keys of version 0.1, whose values every hash contains. */
const ALWAYS_HASHED = PLANNED_FIELDS.filter(({ definition }) => definition.hash === 'always')
const HASHED_UNLESS_NULL = PLANNED_FIELDS.filter(({ definition }) => definition.hash === 'unlessNull')

/** The hash of a plan. It must not change with an upgrade, or `up` would replace every instance that is running. */
function hashOf(planned: PlannedProcess): string {
  const env = Object.entries(planned.env).map(([name, { value }]) => [name, value === null ? null : reveal(value)])
  const values = ALWAYS_HASHED.map(({ field }) => planned[field])
  const added = HASHED_UNLESS_NULL.filter(({ field }) => planned[field] !== null)
  const newer = added.map(({ key, field }) => [key, planned[field]])
  const text = JSON.stringify([planned.argv.map(reveal), env, ...values, planned.listen, ...newer])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
