import type { ProcessKey } from '../generated/keys.ts'
import type { Problem } from '../core/errors.ts'
import { keyLocation } from './problems.ts'
import type { ExportedProcess, ExportInput } from './input.ts'

/**
 * Support of each declaration key by a target, one row per key, in `support.ts` of the target's folder:
 *
 * ```ts
 * export const SUPPORT: SupportRecord = {
 *   ...SHARED_ROWS,
 *   cwd: { expressedBy: '`WorkingDirectory=`' },
 *   nice: { unsupported: 'Compose cannot set a scheduling priority: the process keeps the default.' },
 *   run: { expressedBy: '`Type=oneshot`', unsupported: ({ run }) => (run === 'release' ? TRACKS_NO_RELEASES : undefined) },
 *   ...
 * }
 * ```
 *
 * The warnings, the reference page and the test of targets read the record. A new key does not compile until each record
 * has a row for it.
 */
export type SupportRecord<Row extends Support = Support> = Readonly<Record<ProcessKey, Row>>

/** Support of one key: the files express the key, or the target does something else instead, or either, by process. */
export type Support = ExpressedKey | UnsupportedKey | KeyPart

interface ExpressedKey {
  /** The words of the target's files that express the key, in Markdown. */
  readonly expressedBy: string
  /** Processes for which the files cannot express the key as it is declared. */
  readonly unsupported?: Unsupported
}

interface UnsupportedKey {
  readonly expressedBy?: undefined
  readonly unsupported: Unsupported
}

/** A key that the row of another key covers. */
interface KeyPart {
  readonly partOf: ProcessKey
  readonly expressedBy?: undefined
  readonly unsupported?: undefined
}

/** An `Instead` for every process that declares the key, or a function that decides for one process. */
type Unsupported = Instead | WhatInstead

/** Tells the user what the target does instead of the key: a message, and perhaps a hint that says what to type. */
export type Instead = string | { readonly message: string; readonly hint: string }

/** Returns what the target does instead of the key for this process; undefined if the files express the key. */
type WhatInstead = (exported: ExportedProcess, input: ExportInput) => Instead | readonly Instead[] | undefined

/** Rows that are the same for every target: the plan has resolved these keys before a target sees the process. */
export const SHARED_ROWS = {
  backend: { partOf: 'args' },
  app: { partOf: 'args' },
  envFile: { partOf: 'env' },
  tz: { partOf: 'schedule' },
  enabled: { expressedBy: 'a disabled process is left out' },
} as const satisfies Partial<SupportRecord>

/** Returns a warning for each key of the process that the target cannot express. */
export function unsupportedKeys(
  support: SupportRecord,
  exported: ExportedProcess,
  input: ExportInput,
): readonly Problem[] {
  return keysOf(support).flatMap((key) =>
    insteadOf(key, support[key], exported, input).map((instead) => warning(key, instead, exported)),
  )
}

const keysOf = (support: SupportRecord): readonly ProcessKey[] => Object.keys(support) as ProcessKey[]

function insteadOf(
  key: ProcessKey,
  { unsupported }: Support,
  exported: ExportedProcess,
  input: ExportInput,
): readonly Instead[] {
  if (unsupported === undefined) return []
  if (typeof unsupported !== 'function') return exported.from[key] === undefined ? [] : [unsupported]
  const instead = unsupported(exported, input) ?? []
  return isList(instead) ? instead : [instead]
}

const isList = (instead: Instead | readonly Instead[]): instead is readonly Instead[] => Array.isArray(instead)

/** Reports that the target does something else instead of a key. */
export function warning(key: ProcessKey, instead: Instead, exported: ExportedProcess): Problem {
  const text = typeof instead === 'string' ? { message: instead } : instead
  return { id: 'W801', place: keyLocation(exported, key), process: exported.name, ...text }
}
