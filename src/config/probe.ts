import { defined } from '../core/defined.ts'
import { DEFAULT_PROBE } from '../core/defaults.ts'
import { commandLine, flag, integer, milliseconds, object, optional, type Shape, text } from '../core/shape.ts'
import { printDuration } from '../core/durations.ts'

/** The form of a probe, which the keys `ready` and `alive` share. */

/** The ways to probe, of which a probe has exactly one. */
export const PROBE_KINDS = ['http', 'tcp', 'exec', 'log', 'delay', 'notify'] as const

export const PROBE_PARTS = [...PROBE_KINDS, 'interval', 'timeout', 'failures'] as const

/** A checked probe. Durations are in milliseconds. */
interface DeclaredProbe {
  readonly http?: string | undefined
  readonly tcp?: string | number | undefined
  readonly exec?: readonly string[] | undefined
  readonly log?: string | undefined
  readonly delay?: number | undefined
  readonly notify?: true | undefined
  readonly interval?: number | undefined
  readonly timeout?: number | undefined
  readonly failures?: number | undefined
}

export interface PlannedProbe {
  /** A path that is asked of the address of the process, or a URL. */
  readonly http?: string | undefined
  readonly tcp?: string | undefined
  readonly exec?: readonly string[] | undefined
  readonly log?: string | undefined
  readonly delayMs?: number | undefined
  /** The process announces that it is ready, as with `sd_notify`. */
  readonly notify?: true | undefined
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Number of failures in a row after which the probe has failed. */
  readonly failures: number
  /** Longest time that a start may take. */
  readonly startMs: number
}

export const probeShape: Shape<PlannedProbe> = object<PlannedProbe>({
  http: optional(text),
  tcp: optional(text),
  exec: optional(commandLine),
  log: optional(text),
  delayMs: optional(milliseconds),
  notify: optional(flag as Shape<true>),
  intervalMs: milliseconds,
  timeoutMs: milliseconds,
  failures: integer(1, 1_000_000),
  startMs: milliseconds,
})

/** Longest time that a start may take by default: a large project on a machine that has just booted needs a while. */
const START_MS = 60_000

export function planProbe(probe: DeclaredProbe): PlannedProbe {
  const { http, tcp, exec, log, delay, notify, failures } = probe
  const { interval = DEFAULT_PROBE.intervalMs, timeout = DEFAULT_PROBE.timeoutMs } = probe
  const way = { http, tcp: tcp === undefined ? undefined : String(tcp), exec, log, delayMs: delay, notify }
  return {
    ...defined(way),
    intervalMs: interval,
    timeoutMs: timeout,
    failures: failures ?? DEFAULT_PROBE.failures,
    // A declared number of failures bounds the start as well, as in Kubernetes.
    startMs: failures === undefined ? Math.max(START_MS, (delay ?? 0) * 2) : failures * interval + timeout,
  }
}

/** Describes when a probe passes. */
export function describeProbe(probe: PlannedProbe): string {
  if (probe.http !== undefined) return `GET ${probe.http} is answered`
  if (probe.tcp !== undefined) return `port ${probe.tcp} accepts connections`
  if (probe.exec !== undefined) return `${probe.exec.join(' ')} exits with 0`
  if (probe.notify) return 'it says so, as for systemd'
  const orTime = probe.delayMs === undefined ? '' : `, or it has run for ${printDuration(probe.delayMs)}`
  if (probe.log !== undefined) return `its output matches /${probe.log}/${orTime}`
  return `it has run for ${printDuration(probe.delayMs ?? 0)}`
}

/** Describes a probe that is repeated as long as the instance runs. */
export const describeRepeated = (probe: PlannedProbe): string =>
  `${describeProbe(probe)}, each ${printDuration(probe.intervalMs)}`
