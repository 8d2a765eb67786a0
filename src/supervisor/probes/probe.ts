/** The result of one probe; `reply` is one sentence for a person, with the question and the answer. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reply: string }

/** The instance that a probe asks. */
export interface ProbeTarget {
  /** The address that requests go to; null if the process listens nowhere. */
  readonly address: string | null
  /** Declared addresses of the process. A TCP probe of a bare port takes its host from them. */
  readonly listen: readonly string[]
  /** The complete environment of a probe command. */
  readonly env: Readonly<Record<string, string>>
  /** The working directory of a probe command. */
  readonly cwd: string
  /** The account of a probe command. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}
