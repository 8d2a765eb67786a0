import * as v from 'valibot'
import { DEFAULT_RESTART } from '../../core/defaults.ts'
import { bytes, integer, milliseconds, object, word } from '../../core/shape.ts'
import { printDuration } from '../../core/durations.ts'
import type { OutputOf, PlannedKey } from '../key.ts'
import { count, declareKey, dictionaryOr, duration, oneOf } from '../schemas.ts'

declare module '../key.ts' {
  interface KeyFiles {
    restart: true
  }
}

const POLICIES = ['always', 'on-failure', 'never'] as const

export interface PlannedRestart {
  readonly policy: (typeof POLICIES)[number]
  readonly delayMs: number
  readonly maxDelayMs: number
  /** The number of restarts within `windowMs` after which the supervisor gives up. */
  readonly limit: number
  readonly windowMs: number
}

export const declared = () =>
  declareKey({
    order: 120,
    schema: dictionaryOr(
      v.strictObject({
        policy: v.optional(oneOf(POLICIES), 'always'),
        delay: v.optional(duration),
        maxDelay: v.optional(duration),
        limit: v.optional(count),
        window: v.optional(duration),
      }),
      v.picklist(
        POLICIES,
        '"always", "on-failure", "never", or a dictionary with policy, delay, max_delay, limit and window',
      ),
    ),
    description:
      'When to start it again: `always`, `on-failure`, `never`, or a dictionary with `policy`, `delay`, `max_delay`, `limit`, `window`.',
    shownDefault: 'always',
    example: { policy: 'on-failure', delay: '5s' },
    inner: ['policy', 'delay', 'maxDelay', 'limit', 'window'],
    expand: (value) => (typeof value === 'string' ? { policy: value } : undefined),
  })

export const planned: PlannedKey<OutputOf<typeof declared>, PlannedRestart> = {
  label: 'restart',
  show: describeRestart,
  plan: planRestart,
  shape: object<PlannedRestart>({
    policy: word(POLICIES),
    delayMs: milliseconds,
    maxDelayMs: milliseconds,
    limit: integer(0, 1_000_000_000),
    windowMs: bytes,
  }),
}

function planRestart(restart: OutputOf<typeof declared> = 'always'): PlannedRestart {
  const { policy, delay, maxDelay, limit, window } = typeof restart === 'string' ? { policy: restart } : restart
  return {
    policy,
    delayMs: delay ?? DEFAULT_RESTART.delayMs,
    maxDelayMs: maxDelay ?? DEFAULT_RESTART.maxDelayMs,
    limit: limit ?? DEFAULT_RESTART.limit,
    windowMs: window ?? DEFAULT_RESTART.windowMs,
  }
}

function describeRestart({ policy, delayMs, maxDelayMs, limit, windowMs }: PlannedRestart): string {
  if (policy === 'never') return policy
  const delays = `after ${printDuration(delayMs)} to ${printDuration(maxDelayMs)}`
  return `${policy}, ${delays}, at most ${limit} times in ${printDuration(windowMs)}`
}
