/** Defaults of a declaration that several stages need: the plan applies them, and targets recognize changes. */

/** How restarts are timed. */
export const DEFAULT_RESTART = { delayMs: 1000, maxDelayMs: 60_000, limit: 10, windowMs: 600_000 } as const

type RestartTiming = { readonly [key in keyof typeof DEFAULT_RESTART]: number }

/** How often a probe asks, how long it waits for an answer, and after how many failures it fails. */
export const DEFAULT_PROBE = { intervalMs: 1000, timeoutMs: 5000, failures: 3 } as const

/** The settings keys of the parts of `RESTART`. */
const RESTART_KEYS: Readonly<Record<keyof RestartTiming, string>> = {
  delayMs: 'delay',
  maxDelayMs: 'max_delay',
  limit: 'limit',
  windowMs: 'window',
}

/** Returns the keys of `RESTART` whose values differ from the defaults. */
export const changedRestartKeys = (restart: RestartTiming): readonly string[] =>
  (Object.keys(RESTART_KEYS) as (keyof RestartTiming)[])
    .filter((key) => restart[key] !== DEFAULT_RESTART[key])
    .map((key) => RESTART_KEYS[key])
