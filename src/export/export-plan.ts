import type { Problem } from '../core/errors.ts'
import { collectInImage } from './containers/static-files.ts'
import type { ExportRequest } from './input.ts'
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
  const { input, problems } =
    target.runsIn === 'image' ? collectInImage(request) : { input: { ...request, collector: undefined }, problems: [] }
  return {
    files: target.render(input),
    problems: [
      ...problems,
      ...target.check(input),
      ...input.processes.flatMap((exported) => unsupportedKeys(target.support, exported, input)),
    ],
    next: (folder) => target.next(folder, input),
  }
}
