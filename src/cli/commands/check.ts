import { EXIT, isError } from '../../errors.ts'
import { buildPlan } from '../../plan/build.ts'
import { stateDirectory } from '../../control/state-dir.ts'
import { prepare } from '../../run/become.ts'
import { ProdserverError, type Problem } from '../../errors.ts'
import type { PlannedProcess } from '../../plan/plan.ts'
import type { Env } from '../../types.ts'
import type { CommandContext } from '../commands.ts'
import { countProblems, plural, renderProblems } from '../print.ts'
import { readProject, settingsTimeoutMs } from '../read-project.ts'
import { checkPorts } from '../check-ports.ts'
import { checkNames } from '../select.ts'

/** Every problem of every process, without starting one. Exit code 4 where there are errors. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint } = context
  const { project, answer } = await readProject(context)
  const given = options.positionals
  const isHere = options.values['here'] !== undefined
  checkNames(given, answer)
  const { plan, names, problems } = await buildPlan({
    project,
    answer,
    env: io.env,
    thorough: true,
    here: isHere,
    processors: io.processors,
    timeoutMs: settingsTimeoutMs(context),
  })
  const all = [
    ...problems,
    ...plan.processes.flatMap((process) => checkProgram(process, io.env)),
    ...(isHere ? checkPorts(plan.processes, stateDirectory(io.env, project.root)) : []),
  ]
  const shown = given.length === 0 ? all : all.filter(({ process }) => process === undefined || given.includes(process))
  if (options.values['json']) for (const problem of shown) io.stdout.write(`${JSON.stringify(problem)}\n`)
  else if (shown.length === 0)
    io.stdout.write(
      `${paint('green', 'No problems')} in ${plural(given.length || names.length, 'process', 'processes')}: ${(given.length > 0 ? given : names).join(', ')}.\n`,
    )
  else
    io.stdout.write(
      `${renderProblems(shown, paint)}\n${countProblems(shown)} in ${answer.settingsFile ?? answer.settingsModule}.\n`,
    )
  return shown.some(isError) ? EXIT.refused : EXIT.done
}

/** What would keep this machine from starting the program. */
function checkProgram(planned: PlannedProcess, env: Env): readonly Problem[] {
  try {
    prepare(planned, env)
    return []
  } catch (error) {
    if (error instanceof ProdserverError) return error.problems
    throw error
  }
}
