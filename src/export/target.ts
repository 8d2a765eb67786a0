import type { Problem } from '../core/errors.ts'
import type { ExportInput } from './input.ts'
import type { SupportRecord } from './support.ts'

/** Options of `prodserver export` that some targets take. Every target takes the others. */
export const EXPORT_OPTIONS = ['user', 'image', 'env-from', 'environment', 'autoscale'] as const

/**
 * A program that can run a plan from files, such as systemd or Compose.
 *
 * A target is a folder with pure functions, and one line in the list of `index.ts`. It reads nothing and writes nothing.
 * `exportPlan` calls its members in this order:
 *
 * 1. `check` finds what the files cannot hold, as `E802`. An export with errors writes no file.
 * 2. `support` names, for each key of a declaration, the words that express it, or what the target does instead. Each
 *    process that declares a key for which there is an "instead" gets a warning, `W801`.
 * 3. `render` returns the files. The caller compares, prints or writes them.
 * 4. `next` returns the commands to type after the files are written.
 *
 * The processes of the input are ready for files: no value is a secret, `argv` is the whole command line, and for a target
 * that runs in an image, paths are those of the image. What is left for a target is its format, and its quoting: text of
 * the declaration may hold any character, so quote in a file of its own, and refuse in `check` what no quoting can carry.
 *
 * ```ts
 * export const script: Target = {
 *   name: 'script',
 *   title: 'Shell script',
 *   runsIn: 'machine',
 *   envFromExample: '/etc/shop.env',
 *   options: [],
 *   support: SUPPORT,
 *   check: () => [],
 *   render: ({ name, processes }) => [
 *     { path: `${name}.sh`, text: processes.map(({ argv }) => `${argv.map(quoteWord).join(' ')} &\n`).join('') },
 *   ],
 *   next: (folder, { name }) => [`sh ${quoteWord(`${folder}/${name}.sh`)}`],
 * }
 * ```
 */
export interface Target {
  /** Name on the command line: `prodserver export NAME`. */
  readonly name: string
  /** Name as the program's makers write it, for messages and documentation. */
  readonly title: string
  /** Whether the files are for this machine, with its paths, or for containers of an image. */
  readonly runsIn: 'machine' | 'image'
  /** A value of `--env-from`, for hints. */
  readonly envFromExample: string
  /** Options of the command line that change the files. The command line refuses the others. */
  readonly options: readonly (typeof EXPORT_OPTIONS)[number][]
  /** Names of the folders that the files lie in. Default: none, all files lie beside each other. */
  readonly folders?: readonly string[]
  /** Support of each key; from `support.ts` in the target's folder. */
  readonly support: SupportRecord
  /** Finds an `E802` for each value that the files cannot hold. */
  readonly check: (input: ExportInput) => Iterable<Problem>
  readonly render: (input: ExportInput) => readonly ExportedFile[]
  /** Returns the commands to type after the files are written to `folder`, one command a line. */
  readonly next: (folder: string, input: ExportInput) => readonly string[]
}

export interface ExportedFile {
  /** Path from the folder that the export writes to. */
  readonly path: string
  /** Content without the first line, a comment with `#` by which a later export recognizes the file. */
  readonly text: string
}
