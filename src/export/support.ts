import type { Problem } from '../core/errors.ts'
import type { ProcessKey } from '../generated/keys.ts'
import type { ExportedProcess, ExportInput } from './input.ts'
import { keyLocation } from './problems.ts'

/**
 * Support of each declaration key by a target, one row per key, in `support.ts` of the target's folder:
 *
 * ```ts
 * export const SUPPORT: SupportRecord = {
 *   ...SHARED_ROWS,
 *   cwd: { expressedBy: '`WorkingDirectory=`' },
 *   nice: { unsupported: 'Compose cannot set a scheduling priority: the process keeps the default.' },
 *   run: { expressedBy: '`Type=oneshot`', unsupported: when(isRelease, 'systemd does not track releases.') },
 *   ...
 * }
 * ```
 *
 * The warnings, the reference page and the test of targets read the record. A new key does not compile until each record
 * has a row for it.
 */
export type SupportRecord<Row extends Support = Support> = Readonly<Record<ProcessKey, Row>>

interface Row {
  /** The words of the target's files that express the key, in Markdown. */
  readonly expressedBy: string
  /** Text for every process that declares the key, or a function that decides for one process. */
  readonly unsupported: Instead | WhatInstead
  /** The key whose row covers this key. */
  readonly partOf: ProcessKey
}

/** Support of one key: the files express the key, or the target does something else instead, or either, by process. */
export type Support = Partial<Row> & (Pick<Row, 'expressedBy'> | Pick<Row, 'unsupported'> | Pick<Row, 'partOf'>)

/** Tells the user what the target does instead of the key: a message, and perhaps a hint that says what to type. */
export type Instead = string | { readonly message: string; readonly hint: string }

/** Decides what the target does instead of the key for one process; false or undefined if the files express the key. */
type WhatInstead = (exported: ExportedProcess, input: ExportInput) => Instead | Differences | false | undefined

/** What the target does instead of the parts of a key; false for a part that the files express. */
export type Differences = readonly (Instead | false)[]

/** Rows that are the same for every target: the plan has resolved these keys before a target sees the process. */
export const SHARED_ROWS = {
  backend: { partOf: 'args' },
  app: { partOf: 'args' },
  envFile: { partOf: 'env' },
  tz: { partOf: 'schedule' },
  enabled: { expressedBy: 'a disabled process is left out' },
} satisfies Partial<SupportRecord>

/** Limits an `Instead` to the processes that meet a condition. */
export const when =
  (condition: (exported: ExportedProcess, input: ExportInput) => boolean, instead: Instead): WhatInstead =>
  (exported, input) =>
    condition(exported, input) ? instead : undefined

export const isRelease = ({ run }: ExportedProcess): boolean => run === 'release'
/** Whether the process declares a reload by signal. Without a declaration, a target replaces instances its own way. */
export const declaresReloadSignal = ({ from, reload }: ExportedProcess): boolean =>
  from.reload !== undefined && reload === 'signal'
export const hasLimits = ({ limits }: ExportedProcess): boolean => Object.keys(limits).length > 0
export const hasDependencies = ({ dependsOn }: ExportedProcess): boolean => Object.keys(dependsOn).length > 0

/** Returns a warning for each key of the process that the target cannot express. */
export const unsupportedKeys = (
  support: SupportRecord,
  exported: ExportedProcess,
  input: ExportInput,
): readonly Problem[] =>
  (Object.keys(support) as ProcessKey[]).flatMap((key) => {
    const { unsupported = [] } = support[key]
    if (typeof unsupported !== 'function' && exported.from[key] === undefined) return []
    const instead = typeof unsupported === 'function' ? unsupported(exported, input) : unsupported
    return [instead ?? []].flat().flatMap((one) => (one === false ? [] : [warning(key, one, exported)]))
  })

/** Reports that the target does something else instead of a key. */
export function warning(key: ProcessKey, instead: Instead, exported: ExportedProcess): Problem {
  const text = typeof instead === 'string' ? { message: instead } : instead
  return { id: 'W801', place: keyLocation(exported, key), process: exported.name, ...text }
}
