import { createHash } from 'node:crypto'
import type { PlannedInheritance, PlannedProcess, PlannedProject } from '../plan/plan.ts'
import { reveal } from '../core/secret.ts'
import { serveNodeProgram, serveProgram } from '../servers/programs.ts'

/**
 * What a supervisor is told to run: the plan with its secrets in clear and its programs found on this machine. It
 * goes through the control socket and is never written to disk.
 */
export interface ProcessSpec extends Omit<
  PlannedProcess,
  'place' | 'argv' | 'argvFrom' | 'env' | 'from' | 'origins' | 'notes' | 'inherited' | 'activated'
> {
  /** The full path of the program, and its arguments. */
  readonly argv: readonly string[]
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
  /** How it is started with sockets that are open already; null where it opens its own. */
  readonly inherited: SpecInherited | null
  /** Of all that a running program cannot change any more: where it differs, the program is replaced. */
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

/** The plan of one process, and what was found out about how to start it here. */
export function toSpec(
  planned: PlannedProcess,
  executable: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> },
): ProcessSpec {
  const {
    place: _place,
    argvFrom: _argvFrom,
    activated: _activated,
    from: _from,
    origins: _origins,
    notes: _notes,
    ...rest
  } = planned
  const { inherited, env: declared, argv, ...policies } = rest
  const [program = ''] = executable.argv
  const own = Object.entries(declared).map(([name, { value }]) => [name, value === null ? null : reveal(value)])
  const hash = hashOf([
    argv.map(reveal),
    own,
    policies.cwd,
    policies.user,
    policies.group,
    policies.umask,
    policies.nice,
    policies.limits,
    policies.listen,
  ])
  return {
    ...policies,
    argv: executable.argv,
    env: executable.env,
    inherited: inherited && {
      argv: [program, ...throughRunner(inherited.argv.slice(1).map(reveal), inherited.runner)],
      env: inherited.env,
      listening: inherited.listening,
    },
    hash,
  }
}

/** For Python, `-m MODULE` is what our program takes as its first argument; Node loads it before the script. */
function throughRunner(args: readonly string[], runner: PlannedInheritance['runner']): readonly string[] {
  if (runner === 'node') return ['--require', serveNodeProgram, ...args]
  return runner === 'python' ? [serveProgram, ...args.slice(1)] : args
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
