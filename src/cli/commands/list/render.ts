import type { Problem } from '../../../core/errors.ts'
import type { PlannedProcess } from '../../../plan/plan.ts'
import { countProblems, type Paint, renderTable } from '../../output/print.ts'

/** A declared process. */
export interface ListEntry {
  readonly name: string
  /** Undefined when the process could not be planned; then it has problems. */
  readonly planned: PlannedProcess | undefined
  readonly problems: readonly Problem[]
}

export function renderEntries(entries: readonly ListEntry[], paint: Paint, columns: number | undefined): string {
  const rows = entries.map((entry) => cellsOf(entry, paint))
  return renderTable(['NAME', 'KIND', 'BACKEND', 'RUNS', 'LISTEN'], rows, paint, columns)
}

function cellsOf({ name, planned, problems }: ListEntry, paint: Paint): readonly string[] {
  if (!planned) return [name, '-', paint('red', problems[0]?.id ?? '-'), problems[0]?.message ?? '', '']
  const { enabled, kind, backend, listen } = planned
  return [enabled ? name : `${name} (disabled)`, kind, backend, targetOf(planned), listen.join(', ') || '-']
}

export function renderProblemCount(problems: readonly Problem[], paint: Paint): string {
  if (problems.length === 0) return ''
  return `${paint('yellow', countProblems(problems))}. See them: prodserver check\n`
}

export function toJson({ name, planned, problems }: ListEntry): string {
  const entry = {
    name,
    kind: planned?.kind ?? null,
    backend: planned?.backend ?? null,
    runs: planned ? targetOf(planned) : null,
    listen: planned?.listen ?? [],
    instances: planned?.instances ?? null,
    enabled: planned?.enabled ?? null,
    problems,
  }
  return `${JSON.stringify(entry)}\n`
}

/** The application that a process runs, or its script. */
function targetOf({ argv, argvFrom, from }: PlannedProcess): string {
  const words = argv
    .map(String)
    .filter(
      (_, index) => index > 0 && (argvFrom[index] === from.app || /APPLICATION|\.py$/.test(argvFrom[index] ?? '')),
    )
  return words.join(' ') || '-'
}
