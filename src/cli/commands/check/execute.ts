import { spellingAt } from '../../../config/declarations.ts'
import { stateDirectory } from '../../../control/state-dir.ts'
import { EXIT, isError, type Problem, ProdserverError } from '../../../core/errors.ts'
import type { Env } from '../../../core/types.ts'
import type { SettingsAnswer } from '../../../inspect/settings.ts'
import { buildPlan } from '../../../plan/build.ts'
import { withoutSilenced } from '../../../plan/checks/silence.ts'
import { locateProblems } from '../../../plan/locate.ts'
import type { Plan, PlannedProcess } from '../../../plan/plan.ts'
import { prepare } from '../../../run/become.ts'
import type { ContextOf } from '../../command.ts'
import { readMachine } from '../../machine.ts'
import { formatProblems } from '../../output/problem-formats.ts'
import { planBasis, readProject } from '../../read-project.ts'
import { kindsOf, needsPlan, selectDeclared } from '../../select-declared.ts'
import { VERSION } from '../../version.ts'
import type { FLAGS } from './flags.ts'
import { type Checked, renderChecked } from './render.ts'

type Context = ContextOf<typeof FLAGS>

/** Prints every problem, without starting a process. Exit code 4 for errors, or for what `--fail-level` says. */
export async function execute(context: Context): Promise<number> {
  const { options, io, paint } = context
  const checked = await check(context)
  const format = options.format ?? (options.json ? 'json' : 'text')
  if (format === 'text') io.stdout.write(renderChecked(checked, paint, io.cwd))
  else io.stdout.write(formatProblems(format, checked.problems, { version: VERSION, cwd: io.cwd }))
  const fails = options['fail-level'] === 'WARNING' ? () => true : isError
  return checked.problems.some(fails) ? EXIT.refused : EXIT.done
}

async function check(context: Context): Promise<Checked> {
  const { options, operands, io, commands } = context
  const read = await readProject(context, undefined, { lines: true })
  const { project, answer } = read
  const named = needsPlan(operands) ? undefined : selectDeclared(operands, { answer, commands })
  const machine = options.here ? readMachine(io.processors, stateDirectory(io.env, project.root)) : undefined
  const result = await buildPlan({
    ...read,
    ...planBasis(context),
    thorough: !options.quick,
    deploy: options.deploy,
    machine,
  })
  const { plan, names } = result
  const chosen = named ?? selectDeclared(operands, { answer, kinds: kindsOf(plan.processes), commands })
  // A process that could not be planned has no kind, so its problems are shown for every kind.
  const planned = new Set(plan.processes.map(({ name }) => name))
  const isShown = (name: string): boolean =>
    chosen === undefined || chosen.includes(name) || (named === undefined && !planned.has(name))
  const problems = allProblems(result, answer, io.env)
  return {
    names: chosen ?? names,
    files: declaringFiles(answer),
    problems: problems.filter(({ process }) => process === undefined || isShown(process)),
  }
}

interface Planned {
  readonly plan: Plan
  readonly problems: readonly Problem[]
}

/** Collects the problems of the plan, and those of starting its programs on this machine. */
function allProblems({ plan, problems }: Planned, answer: SettingsAnswer, env: Env): readonly Problem[] {
  // The program of a missing package is missing, too.
  const lacking = new Set(problems.filter(({ id }) => id === 'E203').map(({ process }) => process))
  const present = plan.processes.filter(({ name }) => !lacking.has(name))
  const found = present.flatMap((process) => checkProgram(process, env))
  return locateProblems([...problems, ...withoutSilenced(found, answer).map(spelledIn(plan.processes))], answer)
}

/** Puts problems into the notation of the declaration of their process. */
function spelledIn(processes: readonly PlannedProcess[]): (problem: Problem) => Problem {
  const places = new Map(processes.map(({ name, place }) => [name, place]))
  return (problem) => spellingAt(places.get(problem.process ?? '') ?? problem.place).say(problem)
}

const declaringFiles = ({ settingsFile, settingsModule, config }: SettingsAnswer): string =>
  [settingsFile ?? settingsModule, config?.file].filter(Boolean).join(' and ')

/** Checks whether this machine can start the program. */
function checkProgram(planned: PlannedProcess, env: Env): readonly Problem[] {
  try {
    prepare(planned, env)
    return []
  } catch (error) {
    if (error instanceof ProdserverError) return error.problems
    throw error
  }
}
