import { printElapsed } from '../../core/durations.ts'
import type { PlannedRestart } from '../../plan/plan.ts'

/** What is remembered of unexpected ends, to judge the next one by. */
export interface RestartHistory {
  /** Ends in a row, none of them after a time of running well. */
  readonly failures: number
  /** When it was started again, within the window. */
  readonly restartsMs: readonly number[]
}

export const NO_RESTARTS: RestartHistory = { failures: 0, restartsMs: [] }

export type RestartDecision =
  | { readonly delayMs: number; readonly history: RestartHistory }
  | { readonly giveUp: string }

const GROWTH = 2
/** Instances that fail together must not come back together. */
const JITTER = 0.1

/**
 * When to start again after an unexpected end, or that it is given up. The delay doubles with every end in a row up to
 * `maxDelayMs`, and begins anew once a life was ready for that long.
 *
 * `random` is in [0, 1).
 */
export function decideRestart(
  { delayMs, maxDelayMs, limit, windowMs }: PlannedRestart,
  history: RestartHistory,
  { nowMs, readyForMs, random }: { readonly nowMs: number; readonly readyForMs: number; readonly random: number },
): RestartDecision {
  const restartsMs = history.restartsMs.filter((at) => nowMs - at < windowMs)
  if (restartsMs.length >= limit) {
    const first = restartsMs[0] as number
    return { giveUp: `it ended ${restartsMs.length + 1} times in ${printElapsed(nowMs - first)}` }
  }
  const failures = readyForMs >= maxDelayMs ? 1 : history.failures + 1
  const grown = Math.min(delayMs * GROWTH ** Math.min(failures - 1, 30), Math.max(maxDelayMs, delayMs))
  const jittered = grown * (1 - JITTER + 2 * JITTER * random)
  return { delayMs: Math.round(jittered), history: { failures, restartsMs: [...restartsMs, nowMs] } }
}
