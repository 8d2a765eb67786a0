import { EXIT, type ExitCode, ProdserverError } from '../../../core/errors.ts'
import {
  builtInBackends,
  type KnownBackend,
  packagedBackends,
  projectBackends,
} from '../../../plan/resolve/known-backends.ts'
import type { CommandContext } from '../index.ts'
import { type Paint, renderTable } from '../../output/print.ts'
import { planBasis, readProject, type ReadProject } from '../../read-project.ts'

/** What may stand in `BACKEND`, what of it is installed, and what the rest needs. Without a project, what there is. */
export async function execute(context: CommandContext): Promise<ExitCode> {
  const { options, io, paint, errorPaint } = context
  const read = await attempt(context)
  const backends = await knownBackends(context, 'project' in read ? read : undefined)
  if (options.values['json']) io.stdout.write(backends.map((backend) => `${JSON.stringify(backend)}\n`).join(''))
  else io.stdout.write(renderBackends(backends, paint, io.stdout.columns))
  if (!('project' in read)) {
    const [problem] = read.problems
    io.stderr.write(`${errorPaint('yellow', 'What is installed is not known')}: ${problem?.message}\n`)
    if (problem?.hint !== undefined) io.stderr.write(`→ ${problem.hint}\n`)
  }
  return EXIT.done
}

/** The project, or why there is none that can be read. */
async function attempt(context: CommandContext): Promise<ReadProject | ProdserverError> {
  try {
    return await readProject(context)
  } catch (error) {
    if (error instanceof ProdserverError) return error
    throw error
  }
}

async function knownBackends(context: CommandContext, read: ReadProject | undefined): Promise<readonly KnownBackend[]> {
  const version = process.version.slice(1)
  const { cwd } = context.io
  if (!read) return [...builtInBackends(undefined, version), ...(await packagedBackends(cwd, undefined))]
  const { project, answer } = read
  const { buildPlan } = await import('../../../plan/build.ts')
  const { plan, declarations, problems } = await buildPlan({ ...read, ...planBasis(context) })
  const installation = { project, answer, declarations }
  return [
    ...builtInBackends(installation, version),
    ...(await packagedBackends(project.root, installation)),
    ...projectBackends(declarations, { project, processes: plan.processes, problems }),
  ]
}

function renderBackends(backends: readonly KnownBackend[], paint: Paint, columns: number | undefined): string {
  const rows = backends.map(({ name, kind, installed, usable, summary, from }) => [
    name,
    kind ?? '-',
    installed ?? (usable === null && from === 'built-in' ? '?' : '-'),
    usable === null ? '?' : usable ? paint('green', 'yes') : paint('red', 'no'),
    summary,
  ])
  const table = renderTable(['NAME', 'KIND', 'INSTALLED', 'USABLE', 'RUNS'], rows, paint, columns)
  const needs = [...needsOf(backends)].map(([hint, names]) => [[...names].join(', '), hint])
  return needs.length === 0 ? table : `${table}\n${renderNeeds(needs, paint)}`
}

/** What is to be typed, and what it is good for: one package may be what several lack. */
function needsOf(backends: readonly KnownBackend[]): ReadonlyMap<string, ReadonlySet<string>> {
  const needs = new Map<string, Set<string>>()
  for (const { name, missing } of backends) {
    for (const { message, hint, option, what } of missing) {
      const step = what === 'backend' || hint === null ? `${message}${hint === null ? '' : ` → ${hint}`}` : hint
      needs.set(step, (needs.get(step) ?? new Set()).add(option === undefined ? name : `${name} ${option}`))
    }
  }
  return needs
}

/** Never cut: they are there to be copied. */
const renderNeeds = (needs: readonly (readonly string[])[], paint: Paint): string =>
  needs.map(([names = '', step = '']) => `${paint('bold', names)}\n  ${step}\n`).join('')
