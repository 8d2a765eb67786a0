import { readFileSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { EXIT, ProdserverError, UsageError } from '../../errors.ts'
import type { ProjectView, Proposal, ReadFile } from '../../init/index.ts'
import type { SettingsAnswer } from '../../source/django.ts'
import type { Project } from '../../source/project.ts'
import type { CommandContext } from '../commands.ts'
import type { Paint } from '../print.ts'
import { readProject } from '../read-project.ts'

/** Looks at the project and proposes a declaration: prints it, or adds it to the settings where that is asked for. */
export async function execute(context: CommandContext): Promise<number> {
  const { findCelery, propose, readNamed, readOtherTools, renderPython } = await import('../../init/index.ts')
  const { options, io, paint, errorPaint } = context
  const { project, answer } = await readProject(context, undefined, { lines: true })
  if (answer.settings['PRODUCTION_PROCESSES'] !== undefined) {
    io.stderr.write(
      `PRODUCTION_PROCESSES is declared already, in ${placeOf(answer, io.cwd)}: ${answer.order.join(', ')}.\n`,
    )
    io.stderr.write(`${errorPaint('cyan', '→')} Look: prodserver show. Add to it by hand, or remove it first\n`)
    return EXIT.done
  }
  const given = options.values['from']
  const files = given
    ? given.map((path) => readNamed(resolve(io.cwd, path), path) ?? refuseFile(path))
    : readOtherTools(project.root)
  const found = files.flatMap((file) => ('found' in file ? file.found : []))
  const { processes, skipped } = propose(found, viewOf(project, answer, findCelery(project.root, answer.settingsFile)))
  if (options.values['json'] !== undefined) {
    io.stdout.write(`${JSON.stringify({ processes, skipped, files: files.map(describe) })}\n`)
    return EXIT.done
  }
  for (const file of files) io.stderr.write(sayFile(file, errorPaint))
  for (const { from, reason } of skipped) io.stderr.write(`  ${errorPaint('dim', `${from} is left out: ${reason}`)}\n`)
  const settings = answer.settingsFile
  const text = renderPython(processes, settings !== null && /^import os$/m.test(readFileSync(settings, 'utf8')))
  if (options.values['write'] === undefined) {
    io.stdout.write(text)
    if (settings === null || !wants(`Add this to ${relative(io.cwd, settings)}?`, context)) return EXIT.done
  }
  if (settings === null)
    throw new ProdserverError(
      [{ id: 'E804', place: answer.settingsModule, message: 'The settings are not a file that can be added to.' }],
      EXIT.failed,
    )
  await write(settings, text, context)
  io.stdout.write(sayNext(relative(io.cwd, settings), processes, paint))
  return EXIT.done
}

function refuseFile(path: string): never {
  throw new UsageError(
    `--from ${path}: its name is not one of a Procfile, an ecosystem file of PM2, a Compose file, a unit of systemd or a configuration of Supervisor.`,
  )
}

/** Asked on a terminal only; a script says `--write`. */
function wants(question: string, { io }: CommandContext): boolean {
  const answer = io.ask?.(`\n${question} [y/N] `)
  return answer !== undefined && /^y(es)?$/i.test(answer.trim())
}

/**
 * Adds the declaration to the settings, and reads them again: what cannot be read then is taken back.
 *
 * @throws {ProdserverError} where the file cannot be written, or the settings do not load any more.
 */
async function write(file: string, text: string, context: CommandContext): Promise<void> {
  const before = readFileSync(file, 'utf8')
  const gap = before === '' || before.endsWith('\n\n') ? '' : before.endsWith('\n') ? '\n' : '\n\n'
  save(file, before + gap + text)
  try {
    const { answer } = await readProject(context)
    if (answer.settings['PRODUCTION_PROCESSES'] !== undefined) return
    throw new ProdserverError(
      [
        {
          id: 'E101',
          place: answer.settingsModule,
          message: `PRODUCTION_PROCESSES at the end of ${file} does not reach the settings; the file is as it was.`,
          hint: 'Add it by hand where the settings come from: prodserver init',
        },
      ],
      EXIT.failed,
    )
  } catch (error) {
    save(file, before)
    throw error
  }
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    const { message } = error as Error
    const hint = 'Print it, and add it by hand: prodserver init'
    throw new ProdserverError(
      [{ id: 'E804', place: file, message: `It cannot be written: ${message}.`, hint }],
      EXIT.failed,
    )
  }
}

function viewOf(project: Project, answer: SettingsAnswer, celery: ProjectView['celery']): ProjectView {
  const { settings, modules, lines = [] } = answer
  const installed = settings['INSTALLED_APPS']
  return {
    root: project.root,
    modules,
    installedApps: Array.isArray(installed) ? installed.map((app) => String(app).replace(/\.apps\.\w+$/, '')) : [],
    wsgi: withColon(settings['WSGI_APPLICATION']),
    // Django does not make this setting; its template makes the file.
    asgi: withColon(settings['ASGI_APPLICATION']) ?? besideWsgi(settings['WSGI_APPLICATION']),
    celery,
    hasStaticRoot: lines.some(([path]) => path.length === 1 && path[0] === 'STATIC_ROOT'),
  }
}

const withColon = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.replace(/\.([^.:]*)$/, ':$1') : undefined

const besideWsgi = (value: unknown): string | undefined =>
  typeof value === 'string' ? withColon(value.replace(/\bwsgi\b/, 'asgi')) : undefined

function placeOf({ lines = [], settingsFile, settingsModule }: SettingsAnswer, cwd: string): string {
  const at = lines.find(([path]) => path.length === 1 && path[0] === 'PRODUCTION_PROCESSES')?.[1]
  const place = at ?? settingsFile ?? settingsModule
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
