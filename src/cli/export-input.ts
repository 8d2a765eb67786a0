import { relative, resolve } from 'node:path'
import { EXIT, isError, type Problem, ProdserverError } from '../core/errors.ts'
import { reveal } from '../core/secret.ts'
import type { Env } from '../core/types.ts'
import type { Exported, ExportRequest, PrepareRequest, Target } from '../export/index.ts'
import { buildPlan } from '../plan/build.ts'
import type { Plan, PlannedProcess, PlannedProject } from '../plan/plan.ts'
import { resolveProgram } from '../run/resolve-program.ts'
import { applicationName } from './application-name.ts'
import type { CommandContext } from './command.ts'
import { readProjectFiles } from './export-files.ts'
import type { PlanOptions } from './option-sets.ts'
import { renderProblems } from './output/print.ts'
import { planBasis, readProject } from './read-project.ts'
import { kindsOf, needsPlan, selectDeclared } from './select-declared.ts'

/** Options that decide what a target gets. `deploy` has not all of them. */
type ExportInputOptions = PlanOptions & {
  readonly name: string | undefined
  readonly user: string | undefined
  readonly image: string | undefined
  readonly 'env-from': readonly string[]
  readonly 'run-via': 'direct' | 'prodserver'
  readonly out?: string | undefined
  readonly environment?: readonly string[]
}

type ExportInputContext = CommandContext<ExportInputOptions>

/**
 * Plans the processes for a target: for an image or for this machine, without what no file may hold.
 *
 * @throws {ProdserverError} when the declaration has errors, or holds what must not be exported; exit code 4.
 */
export async function exportInput(
  context: ExportInputContext,
  target: Target,
  selectors: readonly string[],
): Promise<ExportRequest> {
  const { options, io } = context
  const { foundFiles, imageRoot, prepareExport } = await import('../export/index.ts')
  const { plan, isChosen } = await planForExport(context, selectors)
  const { root } = plan.project
  const files = foundFiles(readProjectFiles(root))
  const layout = { project: plan.project, node: io.node, root: imageRoot(files.dockerfile) }
  const out = resolve(io.cwd, options.out ?? root)
  const request = {
    via: options['run-via'] === 'prodserver' ? viaProdserver(context, target, plan.project) : undefined,
    image: target.runsIn === 'image' ? layout : undefined,
    hasEnvFrom: options['env-from'].length > 0,
    envFromExample: target.envFromExample,
  }
  const prepared = plan.processes
    .filter(({ name, enabled }) => enabled && isChosen(name))
    .map((process) => (target.runsIn === 'image' ? process : withFullPath(process, io.env)))
    .map((process) => prepareExport(process, request))
  refuseErrors(prepared.flatMap((one) => one.problems))
  return {
    name: options.name ?? applicationName(root),
    project: plan.project,
    processes: prepared.map(({ process }) => process),
    user: options.user,
    image: options.image,
    envFrom: options['env-from'],
    environments: options.environment ?? [],
    autoscale: [],
    found: files.names,
    folders: { root: relative(out, root), out: relative(root, out) },
  }
}

interface PlannedForExport {
  readonly plan: Plan
  readonly isChosen: (name: string) => boolean
}

async function planForExport(context: ExportInputContext, selectors: readonly string[]): Promise<PlannedForExport> {
  const { commands } = context
  const { project, answer } = await readProject(context)
  const named = needsPlan(selectors) ? undefined : selectDeclared(selectors, { answer, commands })
  const { plan, problems } = await buildPlan({ project, answer, ...planBasis(context) })
  refuseErrors(problems)
  const chosen = named ?? selectDeclared(selectors, { answer, kinds: kindsOf(plan.processes), commands })
  return { plan, isChosen: (name) => chosen?.includes(name) ?? true }
}

/**
 * Exports the plan to a target, and prints the warnings.
 *
 * @param isShown selects the warnings to print. Default: all
 * @throws {ProdserverError} if the target refuses a value; exit code 4
 */
export async function exportTo(
  target: Target,
  request: ExportRequest,
  { io, errorPaint }: Pick<CommandContext, 'io' | 'errorPaint'>,
  isShown: (problem: Problem) => boolean = () => true,
): Promise<Exported> {
  const { exportPlan } = await import('../export/index.ts')
  const exported = exportPlan(target, request)
  const shown = exported.problems.filter((problem) => isError(problem) || isShown(problem))
  refuseErrors(shown)
  if (shown.length > 0) io.stderr.write(`${renderProblems(shown, errorPaint, io.cwd)}\n`)
  return exported
}

function refuseErrors(problems: readonly Problem[]): void {
  if (problems.some(isError)) throw new ProdserverError(problems, EXIT.refused)
}

/** The command line that starts prodserver itself, for `--run-via prodserver`. */
function viaProdserver(
  { io }: ExportInputContext,
  { runsIn }: Target,
  { root, settings, config, python }: PlannedProject,
): PrepareRequest['via'] {
  const program = runsIn === 'image' ? ['node_modules/.bin/prodserver'] : [io.node, io.program]
  const argv = [...program, 'run']
  if (settings) argv.push(`--settings=${settings.module}`)
  if (config?.reason === '--config') argv.push(`--config=${config.path}`)
  // The interpreter may have been chosen by a variable of this shell, which the exported file does not have.
  if (python !== null && runsIn !== 'image') argv.push(`--python=${python.path}`)
  return { argv, cwd: root }
}

/** Finds a program that is named without a path, for files that are for this machine. */
function withFullPath(planned: PlannedProcess, env: Env): PlannedProcess {
  const [named = '', ...args] = planned.argv
  const { cwd, place, name, activated } = planned
  const program = resolveProgram({ program: reveal(named), cwd, env, place, process: name })
  return { ...planned, argv: [program, ...args], activated: activated && [program, ...activated.slice(1)] }
}
