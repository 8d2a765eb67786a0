import { EXIT, isError, ProdserverError, UsageError } from '../../../core/errors.ts'
import { buildPlan } from '../../../plan/build.ts'
import { locateProblems, placeFinder } from '../../../plan/locate.ts'
import type { PlannedProcess } from '../../../plan/plan.ts'
import { reveal } from '../../../core/secret.ts'
import type { CommandContext } from '../index.ts'
import { renderProblems } from '../../output/print.ts'
import { readProject, planBasis } from '../../read-project.ts'
import { projectRows, renderProcess, renderRows } from './render.ts'
import { kindsOf, needsPlan, selectDeclared } from '../../select.ts'

/** Exactly what would run. The command line can be pasted into a shell. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint, errorPaint } = context
  const revealed = options.values['reveal'] !== undefined
  if (revealed && !io.stdout.isTerminal) throw new UsageError('--reveal shows secrets on a terminal only.')
  const { project, answer } = await readProject(context, undefined, { lines: true })
  const given = options.positionals
  const { commandNames } = context
  const only = needsPlan(given) ? undefined : selectDeclared(given, { answer, commandNames })
  const { plan, names, problems } = await buildPlan({
    project,
    answer,
    ...planBasis(context),
    only,
  })
  if (names.length === 0) throw new ProdserverError(problems, EXIT.refused)
  const chosen = only ?? selectDeclared(given, { answer, kinds: kindsOf(plan.processes), commandNames })
  const concerning = locateProblems(problems, answer).filter(
    ({ process }) => process === undefined || (chosen?.includes(process) ?? true),
  )
  const processes = plan.processes.filter(({ name }) => chosen?.includes(name) ?? true)
  const find = placeFinder(answer)
  if (options.values['json']) {
    const lines = linesOf(processes, find)
    io.stdout.write(`${JSON.stringify({ ...plan, processes, lines, problems: concerning })}\n`)
  } else {
    const show = revealed ? reveal : String
    const at = (place: string): string | undefined => find(place)?.replace(`${io.cwd}/`, '')
    io.stdout.write(
      [
        renderRows(projectRows(plan), paint),
        ...processes.map((planned) => renderProcess(planned, { paint, show, at })),
      ].join('\n'),
    )
    if (concerning.length > 0) io.stderr.write(`\n${renderProblems(concerning, errorPaint, io.cwd)}`)
  }
  return concerning.some(isError) ? EXIT.refused : EXIT.done
}

/** The file and the line of every place that a value of them comes from, where they are known. */
function linesOf(
  processes: readonly PlannedProcess[],
  find: (place: string) => string | undefined,
): Readonly<Record<string, string>> {
  const places = processes.flatMap(({ argvFrom, env, origins }) => [
    ...argvFrom,
    ...Object.values(env).map(({ from }) => from),
    ...Object.values(origins),
  ])
  return Object.fromEntries(
    [...new Set(places)].flatMap((place) => {
      const at = find(place)
      return at === undefined ? [] : [[place, at]]
    }),
  )
}
