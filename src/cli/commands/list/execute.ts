import { EXIT, ProdserverError } from '../../../core/errors.ts'
import type { PlannedProcess } from '../../../plan/plan.ts'
import type { CommandContext } from '../index.ts'
import { countProblems, renderTable } from '../../output/print.ts'
import { readProject, planBasis } from '../../read-project.ts'

/** The declared processes as a table; those that cannot be planned are listed with their problem. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint, errorPaint } = context
  if (options.values['backends']) return (await import('../backends/execute.ts')).execute(context)
  const { project, answer } = await readProject(context)
  if (options.values['names']) {
    io.stdout.write(answer.order.map((name) => `${name}\n`).join(''))
    return EXIT.done
  }
  const { buildPlan } = await import('../../../plan/build.ts')
  const { plan, names, problems } = await buildPlan({
    project,
    answer,
    ...planBasis(context),
  })
  if (names.length === 0) throw new ProdserverError(problems, EXIT.refused)
  const entries = names.map((name) => ({
    name,
    planned: plan.processes.find((candidate) => candidate.name === name),
    problems: problems.filter((problem) => problem.process === name),
  }))
  if (options.values['json']) {
    for (const { name, planned, problems } of entries) {
      io.stdout.write(
        `${JSON.stringify({ name, kind: planned?.kind ?? null, backend: planned?.backend ?? null, runs: planned ? target(planned) : null, listen: planned?.listen ?? [], instances: planned?.instances ?? null, enabled: planned?.enabled ?? null, problems })}\n`,
      )
    }
    return EXIT.done
  }
  const rows = entries.map(({ name, planned, problems }) => {
    if (!planned) return [name, '-', paint('red', problems[0]?.id ?? '-'), problems[0]?.message ?? '', '']
    return [
      planned.enabled ? name : `${name} (disabled)`,
      planned.kind,
      planned.backend,
      target(planned),
      planned.listen.join(', ') || '-',
    ]
  })
  io.stdout.write(renderTable(['NAME', 'KIND', 'BACKEND', 'RUNS', 'LISTEN'], rows, paint, io.stdout.columns))
  if (problems.length > 0)
    io.stderr.write(`${errorPaint('yellow', countProblems(problems))}. See them: prodserver check\n`)
  return EXIT.done
}

/** What a process runs, in a few words: its application, or its last argument that is no option. */
function target({ argv, argvFrom, from }: PlannedProcess): string {
  const words = argv
    .map(String)
    .filter(
      (_, index) => index > 0 && (argvFrom[index] === from.app || /APPLICATION|\.py$/.test(argvFrom[index] ?? '')),
    )
  return words.join(' ') || '-'
}
