import { printDuration, toWholeSeconds } from '../../core/durations.ts'
import type { Option } from '../../args/translate.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import type { PlannedProcess } from '../plan.ts'

interface Given {
  readonly declaration: Declaration
  readonly backend: Backend
  readonly options: readonly Option[]
  /** What an option ends up with. */
  readonly values: (name: string) => readonly string[]
}

/** Whether a process is killed while its program still lets work be finished, as it was told to. */
export function checkGrace(
  { name, stop, from }: PlannedProcess,
  { declaration, backend, options, values }: Given,
): readonly Problem[] {
  const grace = backend.stop?.grace
  if (grace === undefined) return []
  const graceMs = Number(values(grace.option).at(-1)) * grace.unitMs
  if (!(graceMs > stop.timeoutMs)) return []
  const key = options.find((option) => option.name === grace.option)?.key ?? grace.option
  const message = `It lets work be finished for up to ${printDuration(graceMs)}, and is killed ${printDuration(stop.timeoutMs)} after it was asked to stop.`
  const hint = `Set "STOP": {"timeout": "${printDuration((toWholeSeconds(graceMs) + 5) * 1000)}"}, or lower ${JSON.stringify(key)}`
  return [{ id: 'W403', place: from.stop ?? declaration.placeOf('args', key), process: name, message, hint }]
}
