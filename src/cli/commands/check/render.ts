import type { Problem } from '../../../core/errors.ts'
import { plural } from '../../../core/plural.ts'
import { countProblems, type Paint, renderProblems } from '../../output/print.ts'

/** Findings of `check`. */
export interface Checked {
  /** Processes that were checked. */
  readonly names: readonly string[]
  /** Files that declare the processes. */
  readonly files: string
  readonly problems: readonly Problem[]
}

export function renderChecked({ names, files, problems }: Checked, paint: Paint, cwd: string): string {
  if (problems.length > 0) return `${renderProblems(problems, paint, cwd)}\n${countProblems(problems)} in ${files}.\n`
  const count = plural(names.length, 'process', 'processes')
  return `${paint('green', 'No problems')} in ${count}: ${names.join(', ')}.\n`
}
