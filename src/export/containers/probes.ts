import { DEFAULT_PROBE } from '../../core/defaults.ts'
import type { PlannedProbe } from '../../plan/plan.ts'

/** Whether an engine can run the probe. Only `up` can see a line of output, a notification or a delay. */
export const isRunnable = ({ http, tcp, exec }: PlannedProbe): boolean =>
  http !== undefined || tcp !== undefined || exec !== undefined

/** The kind of the probe, as it is declared. */
export function probeKind({ http, tcp, exec, log, notify }: PlannedProbe): string {
  if (http !== undefined) return 'http'
  if (tcp !== undefined) return 'tcp'
  if (exec !== undefined) return 'exec'
  if (log !== undefined) return 'log'
  return notify ? 'notify' : 'delay'
}

/** Starting a program every second for as long as a process runs costs too much. */
const CONTAINER_INTERVAL_MS = 10_000

/** The interval of a probe that an engine runs for as long as the process runs. */
export const probeIntervalMs = (probe: PlannedProbe, isDeclared: boolean): number =>
  isDeclared && probe.intervalMs !== DEFAULT_PROBE.intervalMs ? probe.intervalMs : CONTAINER_INTERVAL_MS
