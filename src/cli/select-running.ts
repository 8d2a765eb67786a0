import type { ProcessStatus } from '../control/protocol.ts'
import { UsageError } from '../core/errors.ts'
import { type Selectable, select, type Selection } from '../core/selectors.ts'

/**
 * Applies selectors to what runs.
 *
 * @throws {UsageError} for a selector that selects nothing.
 */
export function selectRunning(selectors: readonly string[], known: readonly Selectable[]): Selection {
  const found = select(selectors, known)
  if ('unknown' in found) throw new UsageError(found.message, found.hint)
  return found
}

/** Running processes as selectors see them. */
export const selectableProcesses = (processes: readonly ProcessStatus[]): readonly Selectable[] =>
  processes.map(({ process, kind, instances }) => {
    return { process, kind, instances: instances.map(({ instance }) => instance) }
  })
