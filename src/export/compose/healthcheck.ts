import { runsToCompletion } from '../../core/completion.ts'
import { printGoDuration } from '../../core/durations.ts'
import { isRunnable, probeIntervalMs } from '../containers/probes.ts'
import type { ExportedProcess } from '../input.ts'
import { type Interpreter, probeProgram } from '../probe-program.ts'
import type { YamlValue } from '../yaml.ts'
import { escape } from './values.ts'

/** The one check of a service: the readiness probe, which others wait for, or else the liveness probe. */
export function healthcheck(exported: ExportedProcess, interpreter: Interpreter): YamlValue {
  if (runsToCompletion(exported)) return undefined
  const probe = [exported.ready, exported.alive].find((one) => one !== null && isRunnable(one))
  const program = probe && probeProgram(probe, exported.listen, interpreter)
  if (!probe || !program) return undefined
  const isDeclared = (probe === exported.ready ? exported.from.ready : exported.from.alive) !== undefined
  return {
    test: ['CMD', ...program].map(escape),
    interval: printGoDuration(probeIntervalMs(probe, isDeclared)),
    timeout: printGoDuration(probe.timeoutMs),
    retries: probe.failures,
    start_period: printGoDuration(probe.startMs),
    start_interval: '2s',
  }
}

/** Whether the service has a check. The interpreter that runs the check does not matter. */
export const isChecked = (exported: ExportedProcess): boolean => healthcheck(exported, 'python') !== undefined
