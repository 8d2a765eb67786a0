import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import { join, relative, resolve } from 'node:path'
import { EXIT, type Problem, ProdserverError, UsageError } from '../../../core/errors.ts'
import type { Exported, FileChange, Target } from '../../../export/index.ts'
import { EXPORT_OPTIONS } from '../../../export/options.ts'
import { nearest } from '../../../core/values.ts'
import { exportInput, exportTo } from '../../export-input.ts'
import { applyChanges, readFolder } from './files.ts'
import type { CommandContext } from '../index.ts'
import { plural } from '../../output/print.ts'
import { single } from '../../read-project.ts'

/** The same plan as files for systemd, Supervisor, Compose, Kubernetes, Nomad or a Procfile. */
export async function execute(context: CommandContext): Promise<number> {
  const exporting = await import('../../../export/index.ts')
  const { options, io } = context
  const [targetName, ...given] = options.positionals
  const target = findTarget(targetName, exporting.TARGETS)
  checkOptions(context, target)
  const input = await exportInput(context, target, given)
  const exported = await exportTo(target, input, context)
  const out = single(context, 'out')
  const folder = out === undefined ? undefined : resolve(io.cwd, out)
  const existing = folder === undefined ? new Map<string, string>() : readFolder(folder, target.folders)
  const changes = exporting.filesToWrite(exported.files, existing, { target: target.name, name: input.name })
  if (folder === undefined) {
    printFiles(changes, context)
    return EXIT.done
  }
  return compareOrWrite({ folder, shown: shownFolder(folder, io.cwd) }, changes, exported, context)
}

function findTarget(name: string | undefined, targets: readonly Target[]): Target {
  const known = targets.map((target) => target.name)
  if (name === undefined)
    throw new UsageError(`export takes a target: ${known.join(', ')}.`, 'prodserver export systemd')
  const target = targets.find((candidate) => candidate.name === name)
  if (target) return target
  const near = nearest(name, known)
  throw new UsageError(
    `There is no target ${JSON.stringify(name)}: ${known.join(', ')}.`,
    near && `Did you mean ${near}?`,
  )
}

/** Refuses options that do not change the files of the target. */
function checkOptions({ options }: CommandContext, target: Target): void {
  for (const { name } of EXPORT_OPTIONS)
    if (options.values[name] !== undefined && !target.options.includes(name))
      throw new UsageError(`--${name} means nothing for ${target.title}.`)
  const given = ['check', 'diff'].find(
    (name) => options.values[name] !== undefined && options.values['out'] === undefined,
  )
  if (given !== undefined) throw new UsageError(`--${given} compares with files: say where they are with --out FOLDER.`)
}

/** One file as it is; several each with its path before it. */
function printFiles(changes: readonly FileChange[], { io, paint }: CommandContext): void {
  for (const { path, after } of changes)
    io.stdout.write(changes.length === 1 ? (after ?? '') : `${paint('bold', `==> ${path} <==`)}\n${after}\n`)
}

/** A folder, and how it was given: what is printed is to be typed. */
interface Place {
  readonly folder: string
  readonly shown: string
}

function compareOrWrite(
  { folder, shown }: Place,
  changes: readonly FileChange[],
  exported: Exported,
  context: CommandContext,
): number {
  const { options, io, paint } = context
  const isCheck = options.values['check'] !== undefined
  if (isCheck || options.values['diff'] !== undefined) {
    io.stdout.write(renderChanges(shown, changes, context))
    return isCheck && changes.some(({ is }) => is !== 'same') ? EXIT.failed : EXIT.done
  }
  const foreign = changes.filter(({ is }) => is === 'foreign')
  if (foreign.length > 0)
    throw new ProdserverError(
      foreign.map((change) => refuseForeign(shown, change)),
      EXIT.refused,
    )
  applyChanges(folder, changes)
  for (const { path, is } of changes)
    io.stdout.write(`${paint(COLOURS[is], WORDS[is].padEnd(9))} ${join(shown, path)}\n`)
  const next = exported.next(shown)
  if (next.length > 0) io.stdout.write(`\nNext:\n${next.map((line) => `  ${line}\n`).join('')}`)
  return EXIT.done
}

/** As a person would type it from here. */
function shownFolder(folder: string, cwd: string): string {
  const path = relative(cwd, folder) || '.'
  return path.startsWith('..') ? folder : path
}

const WORDS = { new: 'written', changed: 'written', same: 'unchanged', stale: 'removed', foreign: 'kept' } as const
const COLOURS = { new: 'green', changed: 'yellow', same: 'dim', stale: 'red', foreign: 'dim' } as const

function refuseForeign(folder: string, { path }: FileChange): Problem {
  return {
    id: 'E803',
    place: join(folder, path),
    message: 'This file is there, and prodserver has not written it for this target and name.',
    hint: 'Move it away, or export to another folder: --out',
  }
}

/** The lines that differ, as `diff -u` shows them. */
function renderChanges(folder: string, changes: readonly FileChange[], { paint }: CommandContext): string {
  const different = changes.filter(({ is }) => is !== 'same')
  if (different.length === 0)
    return `${paint('green', 'Up to date')}: ${plural(changes.length, 'file')} in ${folder}.\n`
  return different
    .map(({ path, before = '', after = '' }) =>
      createTwoFilesPatch(path, path, before, after, undefined, undefined, { headerOptions: FILE_HEADERS_ONLY })
        .split('\n')
        .map((line) => (line.startsWith('+') ? paint('green', line) : line.startsWith('-') ? paint('red', line) : line))
        .join('\n'),
    )
    .join('')
}
