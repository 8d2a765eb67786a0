import type { Json } from '../core/types.ts'

/** A key of a declaration with its value, in the schema's spelling, and where it was written. */
export interface Keyed {
  readonly value: Json
  /** The key as it was written. */
  readonly written: string
  readonly place: string
  /** Where keys within the value were written, of those that were written elsewhere. */
  readonly inner?: ReadonlyMap<string, string>
}
