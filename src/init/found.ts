import { compact } from '../core/lists.ts'
import type { Json } from '../core/types.ts'
import type { Text } from './text.ts'

/** What is no key of a declaration by itself: a user needs a supervisor of root's, and a time to stop may be the usual one. */
export const notesOf = (user: string | undefined, stopTimeout: string | undefined): readonly string[] =>
  compact([
    user !== undefined && `It ran as the user ${user}: where \`up\` runs as root, add "USER"`,
    stopTimeout !== undefined &&
      `It had ${stopTimeout} to stop; where the usual time of its backend is not enough, add "STOP"`,
  ])

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
