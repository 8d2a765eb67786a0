import { printRoundedSize, printSize } from '../core/sizes.ts'
import type { Instance } from './process/instance.ts'
import type { ManagedProcess } from './process/managed.ts'
import type { News } from './state/event-log.ts'

interface MemoryLimitOptions {
  readonly processOf: (instance: Instance) => ManagedProcess | undefined
  readonly until: (condition: () => boolean) => Promise<void>
  readonly write: (news: News) => void
}

/** Pause between two replacements of an instance, so that a limit that is too small does not keep it coming and going. */
const REPLACE_AGAIN_MS = 60_000

/** Returns the function that replaces an instance which uses more memory than its limit. */
export function createMemoryLimit(options: MemoryLimitOptions): (instance: Instance, bytes: number) => void {
  const { processOf, until, write } = options
  const replaceableMs = new Map<string, number>()

  const replace = async (managed: ManagedProcess, instance: Instance): Promise<void> => {
    const before = managed.state.lastReload?.id ?? 0
    managed.dispatch({ type: 'replace', key: instance.key })
    // A second instance of a slot is not replaced.
    await until(() => managed.state.reload === null)
    replaceableMs.set(instance.id, Date.now() + REPLACE_AGAIN_MS)
    const { lastReload } = managed.state
    if (lastReload === null || lastReload.id === before || lastReload.outcome.ok) return
    const { reason, details } = lastReload.outcome
    const message = `could not be replaced: ${reason}`
    write({ type: 'reload-refused', ...about(instance), message, details: details || undefined })
  }

  return (instance, bytes) => {
    const managed = processOf(instance)
    if (!managed || managed.state.reload !== null || Date.now() < (replaceableMs.get(instance.id) ?? 0)) return
    const limit = instance.state.spec.memoryLimitBytes ?? 0
    write({
      type: 'note',
      ...about(instance),
      message: `uses ${printRoundedSize(bytes)}, more than its ${printSize(limit)}: replaced`,
    })
    void replace(managed, instance)
  }
}

const about = ({ id, state }: Instance): Pick<News, 'process' | 'instance' | 'pid'> => ({
  process: state.spec.name,
  instance: id,
  pid: state.invocation?.pid ?? null,
})
