/** What there is to say of one problem, beyond its one line. */
export interface ProblemPage {
  /** Why it matters: what happens where nobody says so. Plain sentences, in Markdown. */
  readonly why: string
  readonly bad: Example
  /** What `bad` becomes; as text, what to type instead. */
  readonly good: Example | string
  /** Its output depends on the machine: no two print the same. */
  readonly varies?: boolean
  /** What it takes beside a project, where that is more than a test can have; then it is shown as it was seen there. */
  readonly needs?: string
  readonly seen?: string
}

/** A project as it is before a command: lines at the end of its settings, and files beside them. */
export interface Example {
  readonly settings?: string
  /** By path; null for one that is usual, and is not there. */
  readonly files?: Readonly<Record<string, string | null>>
  /** Default `prodserver check`. */
  readonly command?: string
}
