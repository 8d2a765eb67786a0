import { API_VERSION, type Snapshot, type Usage } from '../control/protocol.ts'
import type { PlannedProject } from '../plan/plan.ts'
import type { ProcessState } from './process/state.ts'
import { processStatus } from './process/views.ts'

interface SupervisorFacts {
  readonly options: { readonly version: string; readonly stateDir: string; readonly pid: number }
  readonly shimPid: number
  readonly startedMs: number
  readonly project: PlannedProject
  /** Values of `--set`. */
  readonly set: readonly string[]
}

/** Describes the supervisor and its processes. `usage` is by instance; null if it was not asked for. */
export function snapshotOf(
  { options, shimPid, startedMs, project, set }: SupervisorFacts,
  processes: readonly ProcessState[],
  usage: ReadonlyMap<string, Usage> | null,
): Snapshot {
  const { root, settings, python } = project
  const { version, stateDir, pid } = options
  return {
    supervisor: {
      version,
      api: API_VERSION,
      pid,
      shimPid,
      startedAt: new Date(startedMs).toISOString(),
      root,
      settings: settings?.module ?? null,
      python: python?.path ?? null,
      stateDir,
      // The values may be secrets.
      set: set.map((text) => text.slice(0, text.indexOf('='))),
    },
    processes: processes.map((state) => {
      const status = processStatus(state)
      if (usage === null) return status
      const instances = status.instances.map((one) => ({ ...one, usage: usage.get(one.instance) }))
      return { ...status, instances }
    }),
  }
}
