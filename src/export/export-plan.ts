import type { Problem } from '../core/errors.ts'
import type { ExportInput, ExportRequest } from './input.ts'
import { collectInImage } from './containers/static-files.ts'
import { unsupportedKeys } from './support.ts'
import type { ExportedFile, Target } from './target.ts'

/** The plan in the form of one target. */
export interface Exported {
  readonly files: readonly ExportedFile[]
  /** Errors for values that the files cannot hold, and warnings for keys that the target cannot express. */
  readonly problems: readonly Problem[]
  /** Returns the commands to type after the files are written to `folder`. */
  readonly next: (folder: string) => readonly string[]
}

/** Exports the plan to a target. Pure: nothing is read or written. */
export function exportPlan(target: Target, request: ExportRequest): Exported {
  const { input, problems } = forTarget(target, request)
  const refused = target.check?.(input) ?? []
  return {
    files: target.render(input),
    problems: [
      ...problems,
      ...refused,
      ...input.processes.flatMap((exported) => unsupportedKeys(target.support, exported, input)),
    ],
    next: (folder) => target.next(folder, input),
  }
}

function forTarget(
  { runsIn }: Target,
  request: ExportRequest,
): { readonly input: ExportInput; readonly problems: readonly Problem[] } {
  if (runsIn === 'image') return collectInImage(request)
  return { input: { ...request, collector: undefined }, problems: [] }
}
