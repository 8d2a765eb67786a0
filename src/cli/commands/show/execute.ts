import { EXIT, isError, type Problem, ProdserverError, UsageError } from '../../../core/errors.ts'
import { buildPlan } from '../../../plan/build.ts'
import { locateProblems, placeFinder } from '../../../plan/locate.ts'
import type { Plan } from '../../../plan/plan.ts'
import type { ContextOf } from '../../command.ts'
import { renderProblems } from '../../output/print.ts'
import { planBasis, readProject } from '../../read-project.ts'
import { kindsOf, needsPlan, selectDeclared } from '../../select-declared.ts'
import type { FLAGS } from './flags.ts'
import { planToJson, renderPlan } from './render.ts'

type Context = ContextOf<typeof FLAGS>

/** Shows exactly what would run. The command line can be pasted into a shell. */
export async function execute(context: Context): Promise<number> {
  const { options, io, paint, errorPaint } = context
  if (options.reveal && !io.stdout.isTerminal) throw new UsageError('--reveal shows secrets on a terminal only.')
  const { plan, problems, find } = await planSelected(context)
  if (options.json) io.stdout.write(planToJson(plan, problems, find))
  else {
    io.stdout.write(renderPlan(plan, { paint, reveals: options.reveal, cwd: io.cwd, find }))
    if (problems.length > 0) io.stderr.write(`\n${renderProblems(problems, errorPaint, io.cwd)}`)
  }
  return problems.some(isError) ? EXIT.refused : EXIT.done
}

interface Selected {
  /** The plan, with the selected processes only. */
  readonly plan: Plan
  readonly problems: readonly Problem[]
  /** Finds the file and the line of a place. */
  readonly find: (place: string) => string | undefined
}

async function planSelected(context: Context): Promise<Selected> {
  const { operands, commands } = context
  const { project, answer } = await readProject(context, undefined, { lines: true })
  const only = needsPlan(operands) ? undefined : selectDeclared(operands, { answer, commands })
  const { plan, names, problems } = await buildPlan({ project, answer, ...planBasis(context), only })
  if (names.length === 0) throw new ProdserverError(problems, EXIT.refused)
  const chosen = only ?? selectDeclared(operands, { answer, kinds: kindsOf(plan.processes), commands })
  const isChosen = (name: string): boolean => chosen?.includes(name) ?? true
  return {
    plan: { ...plan, processes: plan.processes.filter(({ name }) => isChosen(name)) },
    problems: locateProblems(problems, answer).filter(({ process }) => process === undefined || isChosen(process)),
    find: placeFinder(answer),
  }
}
