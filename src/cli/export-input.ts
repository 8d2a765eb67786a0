import { relative, resolve } from 'node:path'
import { EXIT, isError, type Problem, ProdserverError, UsageError } from '../core/errors.ts'
import type { Exported, ExportRequest, PrepareRequest, Target } from '../export/index.ts'
import { buildPlan } from '../plan/build.ts'
import type { PlannedProcess, PlannedProject } from '../plan/plan.ts'
import { resolveProgram } from '../run/resolve-program.ts'
import { reveal } from '../core/secret.ts'
import type { Env } from '../core/types.ts'
import { applicationName } from './application-name.ts'
import { parseAutoscale } from './commands/export/autoscale.ts'
import type { CommandContext } from './commands/index.ts'
import { readProjectFiles } from './commands/export/files.ts'
import { renderProblems } from './output/print.ts'
import { planBasis, readProject, single } from './read-project.ts'
import { kindsOf, needsPlan, selectDeclared } from './select.ts'

/**
 * The plan as a target takes it: for an image or for this machine, without what no file may hold.
 *
 * @param selectors choose processes; none choose all
 * @throws {ProdserverError} where the declaration has errors, or holds what may not be exported; exit code 4
 */
export async function exportInput(
  context: CommandContext,
  target: Target,
  selectors: readonly string[],
): Promise<ExportRequest> {
  const { options, io } = context
  const { foundFiles, imageRoot, prepareExport } = await import('../export/index.ts')
  const { project, answer } = await readProject(context)
  const { commandNames } = context
  if (!needsPlan(selectors)) selectDeclared(selectors, { answer, commandNames })
  const { plan, problems } = await buildPlan({ project, answer, ...planBasis(context) })
  refuseErrors(problems)
  const chosen = selectDeclared(selectors, { answer, kinds: kindsOf(plan.processes), commandNames })
  const { root } = plan.project
  const files = foundFiles(readProjectFiles(root))
  const layout = { project: plan.project, node: io.node, root: imageRoot(files.dockerfile) }
  const out = resolve(io.cwd, single(context, 'out') ?? root)
  const request = {
    via: viaProdserver(context, target, plan.project),
    image: target.runsIn === 'image' ? layout : undefined,
    hasEnvFrom: options.values['env-from'] !== undefined,
    envFromExample: target.envFromExample,
  }
  const prepared = plan.processes
    .filter(({ name, enabled }) => enabled && (chosen?.includes(name) ?? true))
    .map((process) => (target.runsIn === 'image' ? process : withFullPath(process, io.env)))
    .map((process) => prepareExport(process, request))
  refuseErrors(prepared.flatMap((one) => one.problems))
  return {
    name: givenName(context) ?? applicationName(plan.project.root),
    project: plan.project,
    processes: prepared.map(({ process }) => process),
    user: givenUser(context),
    image: single(context, 'image'),
    envFrom: options.values['env-from'] ?? [],
    environments: options.values['environment'] ?? [],
    autoscale: (options.values['autoscale'] ?? []).map((text) =>
      parseAutoscale(
        text,
        prepared.map(({ process: { name } }) => name),
      ),
    ),
    found: files.names,
    folders: { root: relative(out, root), out: relative(root, out) },
  }
}

/** It becomes the name of files, units, programs and labels. */
function givenName(context: CommandContext): string | undefined {
  const name = single(context, 'name')
  if (name === undefined || /^[a-z\d][\w.-]{0,62}$/i.test(name)) return name
  throw new UsageError(
    `--name takes up to 63 letters, digits, "-", "_" and ".", beginning with a letter or digit, not ${JSON.stringify(name)}.`,
  )
}

/** An empty one, from a variable of a shell that is not set, would be root for systemd. */
function givenUser(context: CommandContext): string | undefined {
  const user = single(context, 'user')
  if (user === undefined || /^[^\s:/]+$/.test(user)) return user
  throw new UsageError(`--user takes the name or the number of a user, not ${JSON.stringify(user)}.`)
}

/**
 * Exports the plan to a target, and prints the warnings.
 *
 * @param isSaid selects the warnings to print. Default: all
 * @throws {ProdserverError} if the target refuses a value; exit code 4
 */
export async function exportTo(
  target: Target,
  request: ExportRequest,
  { io, errorPaint }: CommandContext,
  isSaid: (problem: Problem) => boolean = () => true,
): Promise<Exported> {
  const { exportPlan } = await import('../export/index.ts')
  const exported = exportPlan(target, request)
  const said = exported.problems.filter((problem) => isError(problem) || isSaid(problem))
  refuseErrors(said)
  if (said.length > 0) io.stderr.write(`${renderProblems(said, errorPaint, io.cwd)}\n`)
  return exported
}

function refuseErrors(problems: readonly Problem[]): void {
  if (problems.some(isError)) throw new ProdserverError(problems, EXIT.refused)
}

/** How the files start prodserver, where `--run-via prodserver` asks for that. */
function viaProdserver(context: CommandContext, { runsIn }: Target, project: PlannedProject): PrepareRequest['via'] {
  const given = single(context, 'run-via') ?? 'direct'
  if (given !== 'direct' && given !== 'prodserver')
    throw new UsageError(`--run-via takes direct or prodserver, not ${JSON.stringify(given)}.`)
  if (given === 'direct') return undefined
  const { io } = context
  const program = runsIn === 'image' ? ['node_modules/.bin/prodserver'] : [io.node, io.program]
  return {
    argv: [
      ...program,
      'run',
      ...(project.settings ? [`--settings=${project.settings.module}`] : []),
      ...(project.config?.reason === '--config' ? [`--config=${project.config.path}`] : []),
      // What chose it may be a variable of this shell, which is not there then.
      ...(project.python === null || runsIn === 'image' ? [] : [`--python=${project.python.path}`]),
    ],
    cwd: project.root,
  }
}

/** A program that is named without a path is looked for here, where the files are for this machine. */
function withFullPath(planned: PlannedProcess, env: Env): PlannedProcess {
  const [named = '', ...args] = planned.argv
  const { cwd, place, name, activated } = planned
  const program = resolveProgram({ program: reveal(named), cwd, env, place, process: name })
  return { ...planned, argv: [program, ...args], activated: activated && [program, ...activated.slice(1)] }
}
