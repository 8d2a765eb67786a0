import type { ExportedProcess } from '../input.ts'

/** How restarts are timed unless the declaration says otherwise. */
const DEFAULTS = { delayMs: 1000, maxDelayMs: 60_000, limit: 10, windowMs: 600_000 } as const
const NAMES = { delayMs: 'delay', maxDelayMs: 'max_delay', limit: 'limit', windowMs: 'window' } as const

/** Returns the names of the parts of `RESTART`, but for the policy, that differ from the default. */
export const restartDetails = ({ restart }: ExportedProcess): readonly string[] =>
  (Object.keys(NAMES) as (keyof typeof NAMES)[])
    .filter((key) => restart[key] !== DEFAULTS[key])
    .map((key) => NAMES[key])
