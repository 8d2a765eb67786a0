import { EXIT, isError, type Problem, ProdserverError } from '../core/errors.ts'
import type { Project } from '../project/project.ts'
import type { ProcessSpec } from '../supervisor/spec.ts'
import type { CommandContext } from './commands/index.ts'
import type { PlannedProject } from '../plan/plan.ts'
import { planBasis, readProject } from './read-project.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'

/** Everything that a supervisor has to know of a project. */
export interface PlannedApplication {
  readonly project: PlannedProject
  readonly specs: readonly ProcessSpec[]
  readonly answer: SettingsAnswer
  readonly warnings: readonly Problem[]
}

/**
 * Reads the project and finds out how each of its processes is started on this machine.
 *
 * @throws {ProdserverError} with every problem that is an error, exit code 4; nothing was started.
 */
export async function planProject(context: CommandContext, located?: Project): Promise<PlannedApplication> {
  const { io } = context
  const [{ project, answer }, { buildPlan }, { prepare }, { toSpec }] = await Promise.all([
    readProject(context, located),
    import('../plan/build.ts'),
    import('../run/become.ts'),
    import('../supervisor/spec.ts'),
  ])
  const { plan, problems } = await buildPlan({ project, answer, ...planBasis(context) })
  const found: Problem[] = [...problems]
  const specs = plan.processes.flatMap((planned) => {
    try {
      return [toSpec(planned, prepare(planned, io.env))]
    } catch (error) {
      if (!(error instanceof ProdserverError)) throw error
      // What is declared and never started need not be there.
      if (planned.enabled) found.push(...error.problems)
      return []
    }
  })
  if (found.some(isError)) throw new ProdserverError(found, EXIT.refused)
  return { project: plan.project, specs, answer, warnings: found }
}
