/** `NAME.KEY=VALUE`, taken apart. */
export interface SetText {
  /** What stands before the `=`. */
  readonly path: string
  readonly segments: readonly string[]
  readonly value: string
}

const SEGMENT = String.raw`"(?:[^"\\]|\\.)*"|[^".=]+`
const PATH = new RegExp(`^((?:${SEGMENT})(?:\\.(?:${SEGMENT}))*)=([\\s\\S]*)$`)

/** The value of one `--set`; undefined where it is not `NAME.KEY=VALUE`. */
export function splitSet(text: string): SetText | undefined {
  const [, path, value] = PATH.exec(text) ?? []
  if (path === undefined || value === undefined) return undefined
  const segments = [...path.matchAll(new RegExp(SEGMENT, 'g'))].map(([segment]) => unquote(segment))
  return segments.length < 2 ? undefined : { path, segments, value }
}

/** A segment with a dot in it stands in quotes, as in TOML. */
const unquote = (segment: string): string =>
  segment.startsWith('"') ? segment.slice(1, -1).replace(/\\(.)/g, '$1') : segment
