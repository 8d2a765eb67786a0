import { dirname, relative, resolve } from 'node:path'
import { EXIT, ProdserverError, UsageError } from '../../../core/errors.ts'
import type { Env, Json } from '../../../core/types.ts'
import type { Evaluate, Proposal, ReadFile } from '../../../init/index.ts'
import { NO_SETTINGS, type SettingsAnswer } from '../../../inspect/settings.ts'
import type { CommandContext, ContextOf } from '../../command.ts'
import { readProject, type ReadProject, settingsTimeoutMs } from '../../read-project.ts'
import { configDestination, type Destination, settingsDestination } from './destination.ts'
import type { FLAGS } from './flags.ts'
import { type FoundProcesses, renderAlreadyDeclared, renderFound, renderNext, toJson } from './render.ts'
import { viewOf } from './view.ts'

type Context = ContextOf<typeof FLAGS>

/** Looks at the project and proposes a declaration: prints it, or writes it if the user agrees. */
export async function execute(context: Context): Promise<number> {
  const { options, io, errorPaint } = context
  const read = await readProject(context, undefined, { lines: true }).catch(withoutProject)
  if (read && isDeclared(read.answer)) {
    io.stderr.write(renderAlreadyDeclared(read.answer, io.cwd, errorPaint))
    return EXIT.done
  }
  const found = await lookAround(context, read)
  if (found.processes.length === 0) throw nothingFound(found.root)
  if (options.json) {
    io.stdout.write(toJson(found))
    return EXIT.done
  }
  io.stderr.write(renderFound(found, errorPaint))
  await offer(found.processes, context, await destinationOf(found.root, read, context))
  return EXIT.done
}

async function lookAround(context: Context, read: ReadProject | undefined): Promise<FoundProcesses> {
  const { findCelery, propose, readNamed, readOtherTools } = await import('../../../init/index.ts')
  const { options, io } = context
  const root = read?.project.root ?? resolve(io.cwd, options.project ?? '.')
  const evaluate = evaluator(settingsTimeoutMs(context), io.env)
  const files =
    options.from.length > 0
      ? await Promise.all(
          options.from.map(async (path) => orRefuse(path, await readNamed(resolve(io.cwd, path), path, evaluate))),
        )
      : await readOtherTools(root, evaluate)
  const found = files.flatMap((file) => ('found' in file ? file.found : []))
  const celery = findCelery(root, read?.answer.settingsFile ?? null)
  return { root, files, ...propose(found, viewOf(root, read?.answer ?? NO_SETTINGS, celery)) }
}

async function destinationOf(
  root: string,
  read: ReadProject | undefined,
  context: Context,
): Promise<Destination & { readonly question: (file: string) => string }> {
  const settings = read?.answer.settingsFile
  if (settings) return { ...(await settingsDestination(settings, context)), question: (file) => `Add this to ${file}?` }
  return { ...(await configDestination(root, context)), question: (file) => `Write this to ${file}?` }
}

/** Prints the declaration and asks whether to write it; with `--write` it is written without asking. */
async function offer(
  processes: readonly Proposal[],
  { options, io, paint }: Context,
  destination: Awaited<ReturnType<typeof destinationOf>>,
): Promise<void> {
  const text = destination.render(processes)
  const shown = relative(io.cwd, destination.file)
  if (!options.write) {
    io.stdout.write(text)
    if (!isAgreed(destination.question(shown), io)) return
  }
  await destination.write(text)
  io.stdout.write(renderNext(shown, processes, paint))
}

/** Accepts a missing project: `init` may run before there is one. @throws any other error. */
function withoutProject(error: unknown): ReadProject | undefined {
  const isMissing = error instanceof ProdserverError && error.problems.every(({ id }) => id === 'E001')
  if (!isMissing) throw error
  return undefined
}

function nothingFound(root: string): ProdserverError {
  const message =
    'Nothing was found that could be declared: no manage.py, no package.json with a script "start", no Procfile or the like.'
  const hint = 'Go to your project, or name it: --project path/to/folder'
  return new ProdserverError([{ id: 'E001', place: root, message, hint }], EXIT.failed)
}

const isDeclared = ({ settings, config }: SettingsAnswer): boolean =>
  settings['PRODUCTION_PROCESSES'] !== undefined || config !== undefined

const evaluator =
  (timeoutMs: number, env: Env): Evaluate =>
  async (path): Promise<Json> => {
    const { evaluate } = await import('../../../project/config-file.ts')
    const result = await evaluate(path, { cwd: dirname(path), env, timeoutMs })
    if ('value' in result) return result.value ?? null
    if ('raised' in result) throw new Error(`${result.raised.name}: ${result.raised.message}`)
    throw new Error('it does not come to an end')
  }

/** Refuses a named file without processes: no other file must take its place. */
function orRefuse(path: string, file: ReadFile | undefined): ReadFile {
  if (file === undefined)
    throw new UsageError(
      `--from ${path}: its name is not one of a Procfile, an ecosystem file of PM2, a Compose file, a unit of systemd or a configuration of Supervisor.`,
    )
  if ('error' in file) throw new UsageError(`--from ${path}: it cannot be read: ${file.error}.`)
  if (file.found.length === 0) throw new UsageError(`--from ${path}: nothing that could be declared stands in it.`)
  return file
}

/** Asks on a terminal. Without one the answer is no. */
function isAgreed(question: string, io: CommandContext['io']): boolean {
  const answer = io.ask?.(`\n${question} [y/N] `)
  return answer !== undefined && /^y(es)?$/i.test(answer.trim())
}
