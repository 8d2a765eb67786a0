/** The nouns that cross folders. */

/** Environment variables, as in `process.env`. */
export type Env = Readonly<Record<string, string | undefined>>

/** What JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** What a process is for; known from its backend. Commands select by it (`@worker`). */
export type ProcessKind = 'web' | 'worker' | 'scheduler' | 'task'
