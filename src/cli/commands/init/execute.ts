import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { EXIT, ProdserverError, UsageError } from '../../../core/errors.ts'
import type { Evaluate, ProjectView, Proposal, ReadFile } from '../../../init/index.ts'
import { NO_SETTINGS, type SettingsAnswer } from '../../../inspect/settings.ts'
import type { Env, Json } from '../../../core/types.ts'
import type { CommandContext } from '../index.ts'
import { configDestination, settingsDestination } from './destination.ts'
import type { Paint } from '../../output/print.ts'
import { readProject, type ReadProject, settingsTimeoutMs, single } from '../../read-project.ts'

/** Looks at the project and proposes a declaration: prints it, or writes it where that is asked for. */
export async function execute(context: CommandContext): Promise<number> {
  const { findCelery, propose, readNamed, readOtherTools } = await import('../../../init/index.ts')
  const { options, io, paint, errorPaint } = context
  const read = await readProject(context, undefined, { lines: true }).catch(withoutProject)
  const { root } = read?.project ?? { root: resolve(io.cwd, single(context, 'project') ?? '.') }
  if (read && isDeclared(read.answer)) {
    io.stderr.write(
      `Processes are declared already, in ${placeOf(read.answer, io.cwd)}: ${read.answer.order.join(', ')}.\n`,
    )
    io.stderr.write(`${errorPaint('cyan', '→')} Look: prodserver show. Add to it by hand, or remove it first\n`)
    return EXIT.done
  }
  const evaluate = evaluator(settingsTimeoutMs(context), context.io.env)
  const given = options.values['from']
  const files = given
    ? await Promise.all(
        given.map(async (path) => orRefuse(path, await readNamed(resolve(io.cwd, path), path, evaluate))),
      )
    : await readOtherTools(root, evaluate)
  const found = files.flatMap((file) => ('found' in file ? file.found : []))
  const celery = findCelery(root, read?.answer.settingsFile ?? null)
  const { processes, skipped } = propose(found, viewOf(root, read?.answer ?? NO_SETTINGS, celery))
  if (processes.length === 0) throw nothingFound(root)
  if (options.values['json'] !== undefined) {
    io.stdout.write(`${JSON.stringify({ processes, skipped, files: files.map(describe) })}\n`)
    return EXIT.done
  }
  for (const file of files) io.stderr.write(sayFile(file, errorPaint))
  for (const { from, reason } of skipped) io.stderr.write(`  ${errorPaint('dim', `${from} is left out: ${reason}`)}\n`)
  const settings = read?.answer.settingsFile
  const destination = settings ? await settingsDestination(settings, context) : await configDestination(root, context)
  const text = destination.render(processes)
  const shown = relative(io.cwd, destination.file)
  if (options.values['write'] === undefined) {
    io.stdout.write(text)
    if (!wants(settings ? `Add this to ${shown}?` : `Write this to ${shown}?`, context)) return EXIT.done
  }
  await destination.write(text)
  io.stdout.write(sayNext(shown, processes, paint))
  return EXIT.done
}

/** Where nothing is declared there may be no project yet. @throws whatever else is wrong */
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
    const { evaluate } = await import('../../../project/evaluate.ts')
    const result = await evaluate({ path, cwd: dirname(path), env, timeoutMs })
    if ('value' in result) return result.value ?? null
    throw new Error(
      'raised' in result ? `${result.raised.name}: ${result.raised.message}` : 'it does not come to an end',
    )
  }

/** A file that somebody names is what they want declared, and nothing else in its place. */
function orRefuse(path: string, file: ReadFile | undefined): ReadFile {
  if (file === undefined)
    throw new UsageError(
      `--from ${path}: its name is not one of a Procfile, an ecosystem file of PM2, a Compose file, a unit of systemd or a configuration of Supervisor.`,
    )
  if ('error' in file) throw new UsageError(`--from ${path}: it cannot be read: ${file.error}.`)
  if (file.found.length === 0) throw new UsageError(`--from ${path}: nothing that could be declared stands in it.`)
  return file
}

/** Asked on a terminal only; a script says `--write`. */
function wants(question: string, { io }: CommandContext): boolean {
  const answer = io.ask?.(`\n${question} [y/N] `)
  return answer !== undefined && /^y(es)?$/i.test(answer.trim())
}

function viewOf(root: string, answer: SettingsAnswer, celery: ProjectView['celery']): ProjectView {
  const { settings, modules, lines = [] } = answer
  const installed = settings['INSTALLED_APPS']
  return {
    root,
    hasDjango: answer.settingsFile !== null,
    modules,
    installedApps: Array.isArray(installed) ? installed.map((app) => String(app).replace(/\.apps\.\w+$/, '')) : [],
    wsgi: withColon(settings['WSGI_APPLICATION']),
    // Django does not make this setting; its template makes the file.
    asgi: withColon(settings['ASGI_APPLICATION']) ?? besideWsgi(settings['WSGI_APPLICATION']),
    celery,
    hasStaticRoot: lines.some(([path]) => path.length === 1 && path[0] === 'STATIC_ROOT'),
    hasStartScript: hasStartScript(join(root, 'package.json')),
  }
}

function hasStartScript(file: string): boolean {
  if (!existsSync(file)) return false
  try {
    const { scripts } = JSON.parse(readFileSync(file, 'utf8')) as { scripts?: { start?: unknown } }
    return typeof scripts?.start === 'string'
  } catch {
    return false
  }
}

const withColon = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.replace(/\.([^.:]*)$/, ':$1') : undefined

const besideWsgi = (value: unknown): string | undefined =>
  typeof value === 'string' ? withColon(value.replace(/\bwsgi\b/, 'asgi')) : undefined

function placeOf({ lines = [], settingsFile, config }: SettingsAnswer, cwd: string): string {
  const at = lines.find(([path]) => path.length === 1 && path[0] === 'PRODUCTION_PROCESSES')?.[1]
  const place = at ?? config?.file ?? settingsFile ?? ''
  return place.startsWith(`${cwd}/`) ? place.slice(cwd.length + 1) : place
}

const describe = (file: ReadFile): { file: string; processes?: readonly string[]; error?: string } =>
  'error' in file ? file : { file: file.file, processes: file.found.map(({ name }) => name) }

function sayFile(file: ReadFile, paint: Paint): string {
  if ('error' in file) return `  ${paint('yellow', file.file)} cannot be read: ${file.error}\n`
  return `  ${paint('cyan', file.file)}: ${file.found.map(({ name }) => name).join(', ')}\n`
}

function sayNext(file: string, processes: readonly Proposal[], paint: Paint): string {
  const names = processes.map(({ name }) => name).join(', ')
  return [
    `${paint('green', 'Added')} to ${file}: ${names}.`,
    '',
    'Next:',
    '  prodserver check       what is wrong, before anything starts',
    '  prodserver up          start it all',
    '',
  ].join('\n')
}
