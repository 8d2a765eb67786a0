import { EXIT, ProdserverError } from '../../../core/errors.ts'
import type { ContextOf } from '../../command.ts'
import { planBasis, readProject } from '../../read-project.ts'
import type { FLAGS } from './flags.ts'
import { type ListEntry, renderEntries, renderProblemCount, toJson } from './render.ts'

type Context = ContextOf<typeof FLAGS>

/** Lists the declared processes. A process that cannot be planned is listed with its problem. */
export async function execute(context: Context): Promise<number> {
  const { options, io, paint, errorPaint } = context
  if (options.backends) return (await import('../../list-backends.ts')).listBackends(context)
  const read = await readProject(context)
  if (options.names) {
    io.stdout.write(read.answer.order.map((name) => `${name}\n`).join(''))
    return EXIT.done
  }
  const { buildPlan } = await import('../../../plan/build.ts')
  const { plan, names, problems } = await buildPlan({ ...read, ...planBasis(context) })
  if (names.length === 0) throw new ProdserverError(problems, EXIT.refused)
  const entries = names.map((name): ListEntry => ({
    name,
    planned: plan.processes.find((candidate) => candidate.name === name),
    problems: problems.filter((problem) => problem.process === name),
  }))
  if (options.json) {
    io.stdout.write(entries.map(toJson).join(''))
    return EXIT.done
  }
  io.stdout.write(renderEntries(entries, paint, io.stdout.columns))
  io.stderr.write(renderProblemCount(problems, errorPaint))
  return EXIT.done
}
