import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { EXIT, isError, type Problem, ProdserverError } from '../core/errors.ts'
import type { PlannedProcess } from '../plan/plan.ts'
import type { Project } from '../project/project.ts'
import type { Application, ProcessSpec } from '../supervisor/spec.ts'
import type { CommandContext } from './command.ts'
import type { PlanOptions } from './option-sets.ts'
import { planBasis, readProject } from './read-project.ts'
import { kindsOf, selectDeclared } from './select-declared.ts'

type PlanContext = CommandContext<PlanOptions & { readonly release: string | undefined }>

interface PlannedApplication {
  readonly application: Application
  readonly warnings: readonly Problem[]
}

/**
 * Reads the project and finds out how each of its processes is started on this machine: everything that a supervisor has
 * to know.
 *
 * @throws {ProdserverError} with every problem that is an error, exit code 4; nothing was started.
 */
export async function planApplication(
  context: PlanContext,
  located: Project,
  reload = false,
): Promise<PlannedApplication> {
  const { io, options, operands, commands } = context
  const [{ project, answer }, { buildPlan }, { prepare }, { toSpec }] = await Promise.all([
    readProject(context, located),
    import('../plan/build.ts'),
    import('../run/become.ts'),
    import('../supervisor/spec.ts'),
  ])
  const { plan, problems } = await buildPlan({ project, answer, ...planBasis(context) })
  const { specs, found } = specsOf(plan.processes, (planned) => toSpec(planned, prepare(planned, io.env)))
  const all = [...problems, ...found]
  if (all.some(isError)) throw new ProdserverError(all, EXIT.refused)
  const application: Application = {
    project: plan.project,
    specs,
    only: selectDeclared(operands, { answer, kinds: kindsOf(specs), commands }) ?? null,
    release: options.release ?? releaseOf(located.root, specs),
    reload,
    set: options.set,
  }
  return { application, warnings: all }
}

interface Specs {
  readonly specs: readonly ProcessSpec[]
  readonly found: readonly Problem[]
}

function specsOf(processes: readonly PlannedProcess[], specOf: (planned: PlannedProcess) => ProcessSpec): Specs {
  const found: Problem[] = []
  const specs = processes.flatMap((planned) => {
    try {
      return [specOf(planned)]
    } catch (error) {
      if (!(error instanceof ProdserverError)) throw error
      // The program of a process that is never started need not exist.
      if (planned.enabled) found.push(...error.problems)
      return []
    }
  })
  return { specs, found }
}

/** Names the deployed code: the git revision, else a hash of the declaration. Empty when no process needs it. */
function releaseOf(root: string, specs: readonly ProcessSpec[]): string {
  if (!specs.some(({ run }) => run === 'release')) return ''
  const { status, stdout } = spawnSync('git', ['-C', root, 'rev-parse', '--short=12', 'HEAD'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  if (status === 0 && stdout.trim() !== '') return stdout.trim()
  return createHash('sha256')
    .update(specs.map(({ hash }) => hash).join())
    .digest('hex')
    .slice(0, 12)
}
