import { relative, resolve } from 'node:path'
import { EXIT, ProdserverError, UsageError } from '../../../core/errors.ts'
import { nearest } from '../../../core/values.ts'
import type { Autoscale, Exported, FileChange, Target } from '../../../export/index.ts'
import { EXPORT_OPTIONS } from '../../../export/target.ts'
import type { ContextOf } from '../../command.ts'
import { applyChanges, readFolder } from '../../export-files.ts'
import { exportInput, exportTo } from '../../export-input.ts'
import { requireExported } from './autoscale.ts'
import type { FLAGS } from './flags.ts'
import { refuseForeign, renderDifferences, renderFiles, renderWritten } from './render.ts'

type Context = ContextOf<typeof FLAGS>

/** Prints or writes the plan as files for a target. */
export async function execute(context: Context): Promise<number> {
  const { options, io, paint } = context
  const { exported, changes, folder } = await exportFiles(context)
  if (folder === undefined) {
    io.stdout.write(renderFiles(changes, paint))
    return EXIT.done
  }
  const shown = shownFolder(folder, io.cwd)
  if (options.check || options.diff) {
    io.stdout.write(renderDifferences(shown, changes, paint))
    return options.check && changes.some(({ is }) => is !== 'same') ? EXIT.failed : EXIT.done
  }
  writeFiles(folder, shown, changes)
  io.stdout.write(renderWritten(shown, changes, exported.next(shown), paint))
  return EXIT.done
}

interface ExportedFiles {
  readonly exported: Exported
  readonly changes: readonly FileChange[]
  /** Undefined when the files are printed. */
  readonly folder: string | undefined
}

async function exportFiles(context: Context): Promise<ExportedFiles> {
  const exporting = await import('../../../export/index.ts')
  const { options, operands, io } = context
  const [targetName, ...selectors] = operands
  const target = findTarget(targetName, exporting.TARGETS)
  checkOptions(options, target)
  const input = await exportInput(context, target, selectors)
  const autoscale: readonly Autoscale[] = options.autoscale
  requireExported(
    autoscale,
    input.processes.map(({ name }) => name),
  )
  const exported = await exportTo(target, { ...input, autoscale }, context)
  const folder = options.out === undefined ? undefined : resolve(io.cwd, options.out)
  const existing = folder === undefined ? new Map<string, string>() : readFolder(folder, target.folders)
  const changes = exporting.filesToWrite(exported.files, existing, { target: target.name, name: input.name })
  return { exported, changes, folder }
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

/** @throws {UsageError} for an option that has no meaning for the target, and for a comparison without a folder. */
function checkOptions(options: Context['options'], target: Target): void {
  for (const name of EXPORT_OPTIONS) {
    const given = options[name]
    const isGiven = Array.isArray(given) ? given.length > 0 : given !== undefined
    if (isGiven && !target.options.includes(name)) throw new UsageError(`--${name} means nothing for ${target.title}.`)
  }
  const compares = (['check', 'diff'] as const).find((name) => options[name])
  if (compares !== undefined && options.out === undefined)
    throw new UsageError(`--${compares} compares with files: say where they are with --out FOLDER.`)
}

/** The folder as the user would type it from here. */
function shownFolder(folder: string, cwd: string): string {
  const path = relative(cwd, folder) || '.'
  return path.startsWith('..') ? folder : path
}

function writeFiles(folder: string, shown: string, changes: readonly FileChange[]): void {
  const foreign = changes.filter(({ is }) => is === 'foreign')
  if (foreign.length > 0)
    throw new ProdserverError(
      foreign.map((change) => refuseForeign(shown, change)),
      EXIT.refused,
    )
  applyChanges(folder, changes)
}
