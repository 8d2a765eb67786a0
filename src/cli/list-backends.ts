import { EXIT, type ExitCode, type Problem, ProdserverError } from '../core/errors.ts'
import {
  builtInBackends,
  type KnownBackend,
  packagedBackends,
  projectBackends,
} from '../plan/resolve/known-backends.ts'
import type { CommandContext } from './command.ts'
import { renderBackends } from './output/backend-table.ts'
import { planBasis, type ReadContext, readProject, type ReadProject } from './read-project.ts'

type Context = CommandContext<ReadContext['options'] & { readonly json: boolean; readonly set?: readonly string[] }>

/** Lists the values of `BACKEND`, what of them is installed, and what the rest needs. Works without a project, too. */
export async function listBackends(context: Context): Promise<ExitCode> {
  const { options, io, paint, errorPaint } = context
  const { backends, unread } = await findBackends(context)
  if (options.json) io.stdout.write(backends.map((backend) => `${JSON.stringify(backend)}\n`).join(''))
  else io.stdout.write(renderBackends(backends, paint, io.stdout.columns))
  if (unread) {
    io.stderr.write(`${errorPaint('yellow', 'What is installed is not known')}: ${unread.message}\n`)
    if (unread.hint !== undefined) io.stderr.write(`→ ${unread.hint}\n`)
  }
  return EXIT.done
}

interface FoundBackends {
  readonly backends: readonly KnownBackend[]
  /** Problem that keeps the project from being read. */
  readonly unread: Problem | undefined
}

async function findBackends(context: Context): Promise<FoundBackends> {
  const version = process.version.slice(1)
  const read = await tryRead(context)
  if (!('project' in read)) {
    const backends = [...builtInBackends(undefined, version), ...(await packagedBackends(context.io.cwd, undefined))]
    return { backends, unread: read.problems[0] }
  }
  const { project, answer } = read
  const { buildPlan } = await import('../plan/build.ts')
  const { plan, declarations, problems } = await buildPlan({ ...read, ...planBasis(context) })
  const installation = { project, answer, declarations }
  const backends = [
    ...builtInBackends(installation, version),
    ...(await packagedBackends(project.root, installation)),
    ...projectBackends(declarations, { project, processes: plan.processes, problems }),
  ]
  return { backends, unread: undefined }
}

async function tryRead(context: Context): Promise<ReadProject | ProdserverError> {
  try {
    return await readProject(context)
  } catch (error) {
    if (error instanceof ProdserverError) return error
    throw error
  }
}
