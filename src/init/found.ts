import type { Json } from '../types.ts'
import type { Text } from './text.ts'

/** A process as some other tool's file describes it. */
export interface Found {
  /** What it is called there. */
  readonly name: string
  /** `FILE:LINE`, or the file alone. */
  readonly from: string
  /** Its command line as a shell would read it, or its words. */
  readonly command: string | readonly Text[]
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, Text>> | undefined
  readonly envFile?: readonly string[] | undefined
  /** Other keys of the declaration that follow from the file, in the spelling of settings. */
  readonly keys?: Readonly<Record<string, Json>> | undefined
  /** It runs in an image that is not built from the project, such as a database. */
  readonly isForeign?: boolean
  /** What was read and is not declared, a sentence each. */
  readonly notes?: readonly string[] | undefined
}
