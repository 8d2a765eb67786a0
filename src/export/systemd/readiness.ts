import { toSeconds } from '../../core/durations.ts'
import type { PlannedProject } from '../../plan/plan.ts'
import type { ExportedProcess } from '../input.ts'
import { probeProgram } from '../probe-program.ts'
import type { Settings } from '../settings.ts'
import { quoteCommand } from './quote.ts'
import type { Unit } from './units.ts'

/**
 * Returns the settings that make systemd wait until the process is ready. A service counts as started when the commands of
 * `ExecStartPost=` have ended, so a command that repeats the probe until it succeeds is a readiness probe.
 */
export function readiness({ exported, completes }: Unit, project: PlannedProject): Settings {
  if (completes) return {}
  const { delayMs, notify, startMs, intervalMs } = exported.ready
  const TimeoutStartSec = toSeconds(startMs)
  if (notify) return { NotifyAccess: 'all', TimeoutStartSec }
  const command = readinessCommand(exported, project)
  if (command) return { ExecStartPost: quoteCommand(repeat(command, intervalMs)), TimeoutStartSec }
  return { ExecStartPost: delayMs ? `/bin/sleep ${toSeconds(delayMs)}` : undefined, TimeoutStartSec }
}

/** Returns a command that succeeds when the readiness probe does; undefined if the project's Python cannot run it. */
export function readinessCommand(
  { ready, listen }: ExportedProcess,
  { python }: PlannedProject,
): readonly string[] | undefined {
  if (ready.exec) return ready.exec
  const program = python && probeProgram(ready, listen, 'python')
  return program ? [python.path, ...program.slice(1)] : undefined
}

/** Repeats a command until it succeeds, and fails as soon as the main process is gone. */
const repeat = (command: readonly string[], intervalMs: number): readonly string[] => [
  '/bin/sh',
  '-c',
  `until "$@" >/dev/null 2>&1; do kill -0 "$MAINPID" && sleep ${toSeconds(intervalMs)} || exit 1; done`,
  'ready',
  ...command,
]
