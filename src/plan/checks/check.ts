import type { Problem } from '../../core/errors.ts'
import type { Facts, FactsHere, FactsOfDeployment, ProcessFacts } from '../facts.ts'
import type { PlannedProcess } from '../plan.ts'
import type { ResolvedProcess } from '../resolve/resolved-process.ts'

/**
 * One rule about a project. Each rule has its own file.
 *
 * A check looks at the facts and returns the problems that it finds. It is pure: it reads no file, starts nothing and
 * keeps nothing. The plan has gathered the facts before the first check runs. If a check needs a fact that is not there,
 * add it to `Facts`: to `Disk` for files, to `MachineFacts` for this machine, to `DeploymentAnswer` for the running project.
 *
 * To add a check:
 * 1. Add its problem to `PROBLEMS` in `core/errors.ts`: `E` refuses to start, `W` warns.
 * 2. Write the file: `export const duplicateNames: Check = { when: 'always', find: (facts) => [...] }`. `eachResolved`
 *    below is for a rule about one process.
 * 3. Add the check to the list in `index.ts`.
 *
 * A problem names its process, so that it is listed with that process. Its text is in the notation of settings
 * (`DEPENDS_ON`); for a config file it is translated. Its place comes from `placeOf` of the declaration.
 */
export interface Check<When extends keyof FactsByWhen = 'always'> {
  /**
   * The commands that run the check: `always` is every command that makes a plan, `thorough` is `check` without `--quick`,
   * `here` is `check --here`, `deploy` is `check --deploy` in a project that Django can set up.
   */
  readonly when: When
  /** Returns the problems. Asynchronous only to load a module that few projects need. */
  readonly find: (facts: FactsByWhen[When]) => readonly Problem[] | Promise<readonly Problem[]>
}

/** The facts of a check, by the commands that run it. */
interface FactsByWhen {
  readonly always: Facts
  readonly thorough: Facts
  readonly here: FactsHere
  readonly deploy: FactsOfDeployment
}

/** A check of any kind. */
export type AnyCheck = { [When in keyof FactsByWhen]: Check<When> }[keyof FactsByWhen]

/** A problem of a known process. */
export type ProcessProblem = Omit<Problem, 'process'>

/** Applies a rule to each process whose backend is known; its options are translated, its application may be missing. */
export const eachResolved =
  <F extends Facts>(rule: (process: ResolvedProcess, facts: F, stages: ProcessFacts) => readonly ProcessProblem[]) =>
  (facts: F): readonly Problem[] =>
    facts.processes.flatMap((process) => {
      const { resolved, declaration } = process
      const problems = resolved ? rule(resolved, facts, process) : []
      return problems.map((problem) => ({ ...problem, process: declaration.name }))
    })

/** The processes that are planned and enabled. */
export const enabledProcesses = ({ processes }: Facts): readonly PlannedProcess[] =>
  processes.flatMap(({ planned, declaration }) => (planned?.enabled && declaration.wrong.length === 0 ? [planned] : []))

/** Tells whether an enabled process runs a management command. */
export const runsCommand = (facts: Facts, command: string): boolean =>
  enabledProcesses(facts).some(({ argv }) => argv.some((word) => String(word) === command))

/** Tells whether an enabled process serves requests. */
export const servesRequests = (facts: Facts): boolean => enabledProcesses(facts).some(({ kind }) => kind === 'web')
