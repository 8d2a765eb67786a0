import { runsToCompletion } from '../core/completion.ts'
import type { Usage } from '../control/protocol.ts'
import type { Instance } from './process/instance.ts'
import { hasProcess, phaseOf } from './process/views.ts'
import { UsageSampler } from './procfs/usage.ts'
import type { ProcessRow } from './procfs/process-table.ts'

export interface UsageMeter {
  /** Processor time and memory of every instance's whole tree, by instance. */
  readonly measure: () => ReadonlyMap<string, Usage>
  /** Looks at those that have a limit, from time to time, as long as there are any. */
  readonly watch: () => void
  readonly close: () => void
}

interface UsageMeterOptions {
  readonly instances: () => readonly Instance[]
  /** Everything that belongs to an instance now. */
  readonly rowsOf: (instance: Instance) => readonly ProcessRow[]
  readonly onLarge: (instance: Instance, bytes: number) => void
}

/** A leak takes minutes, and reading the memory of a large tree takes milliseconds. */
const INTERVAL_MS = 5000

export function createUsageMeter({ instances, rowsOf, onLarge }: UsageMeterOptions): UsageMeter {
  const shown = new UsageSampler()
  const watched = new UsageSampler()
  let timer: NodeJS.Timeout | undefined
  let measured: ReadonlySet<string> = new Set()

  const limited = (): readonly Instance[] =>
    // A job that is replaced begins anew: it is let come to its end.
    instances().filter(
      ({ state }) => state.spec.memoryLimitBytes !== null && hasProcess(state) && !runsToCompletion(state.spec),
    )

  const watch = (): void => {
    if (timer === undefined && limited().length > 0) timer = setTimeout(look, INTERVAL_MS)
  }

  const look = (): void => {
    timer = undefined
    for (const instance of limited()) {
      if (phaseOf(instance.state) !== 'running') continue
      const { memoryBytes } = watched.measure(instance.id, rowsOf(instance))
      if (memoryBytes > (instance.state.spec.memoryLimitBytes ?? 0)) onLarge(instance, memoryBytes)
    }
    watch()
  }

  return {
    measure: () => {
      const result = new Map<string, Usage>()
      const tokens = new Set<string>()
      for (const instance of instances()) {
        // Of the two lives of a reload it is the first that is shown, and each has samples of its own.
        const { invocation } = instance.state
        if (!invocation || !hasProcess(instance.state) || result.has(instance.id)) continue
        const { token } = invocation
        tokens.add(token)
        result.set(instance.id, shown.measure(token, rowsOf(instance)))
      }
      for (const token of measured) if (!tokens.has(token)) shown.forget(token)
      measured = tokens
      return result
    },
    watch,
    close: () => clearTimeout(timer),
  }
}
