import type { Problem } from '../core/errors.ts'
import { placeWithin, toSettingsKey } from '../core/notation.ts'
import type { PlannedProcess, PlannedProject } from '../plan/plan.ts'

/**
 * What a plan can be exported to. Data and one pure function: a target reads nothing and writes nothing, and returns
 * whatever is wrong as problems. Adding one is one file and one line in index.ts.
 */
export interface Target {
  readonly name: string
  /** The name as its makers write it. */
  readonly title: string
  /** Whether the files are for this machine, with its paths, or for an image. */
  readonly runsIn: 'machine' | 'image'
  /** An `--env-from`, for hints. */
  readonly envFromExample: string
  /** Which of the options it makes use of; the others are refused, so that none is silently without effect. */
  readonly options: readonly ExportOption[]
  /** Names of the folders that its files lie in. Default: none, they lie beside each other. */
  readonly folders?: readonly string[]
  readonly render: (input: ExportInput) => Exported
}

/** Of those that some targets take. Every target takes a name, and a way to run. */
export type ExportOption = 'user' | 'image' | 'env-from' | 'environments' | 'autoscale'

export interface ExportInput {
  /** What all of it is called: the prefix of units, the project of Compose, the label of Kubernetes objects. */
  readonly name: string
  readonly project: PlannedProject
  /** Those that are enabled, in the order of the declaration. */
  readonly processes: readonly ExportedProcess[]
  /** The user that everything runs as where the declaration names none. */
  readonly user: string | undefined
  /** The image of the containers. */
  readonly image: string | undefined
  /** Where the variables are that no file of ours may hold: environment files, or names of secrets of the cluster. */
  readonly envFrom: readonly string[]
  /** Names of environments that get an overlay each. */
  readonly environments: readonly string[]
  readonly autoscale: readonly Autoscale[]
  /** Names of what lies in the project's folder, but for what an export has written there. */
  readonly found: ReadonlySet<string>
  readonly place: ExportPlace
}

/** How many copies of a process there may be, and what says how many are needed. */
export interface Autoscale {
  readonly process: string
  readonly min: number
  readonly max: number
  /** By the messages that wait; undefined where the use of processors tells. */
  readonly queue: AutoscaleQueue | undefined
}

export interface AutoscaleQueue {
  readonly broker: 'rabbitmq' | 'redis'
  /** The variable that says where the broker is: a URL for RabbitMQ, `host:port` for Redis. */
  readonly variable: string
  /** Empty for those that the process itself names. */
  readonly names: readonly string[]
}

/** Where the files will lie, as relative paths. */
export interface ExportPlace {
  /** The project's folder, from there. */
  readonly root: string
  /** The folder of the files, from the project's. */
  readonly folder: string
}

/** A planned process with its command line and environment as a file may show them: without a secret. */
export interface ExportedProcess extends Omit<PlannedProcess, 'argv' | 'env' | 'inherited' | 'activated'> {
  /** The whole command line, the program as its full path on this machine or its name in an image. */
  readonly argv: readonly string[]
  /** The same, for sockets that are open already; null where it opens its own. */
  readonly inherited: ExportedInheritance | null
  /** The same without a program of ours; null where it cannot. */
  readonly activated: readonly string[] | null
  /** What is set, by name; null removes a variable. */
  readonly env: Readonly<Record<string, string | null>>
  /** Whether it does nothing but collect static files, and ends then. */
  readonly collectsStatic: boolean
  /** Variables whose values no file may hold; they are in one of `envFrom`. */
  readonly secrets: readonly string[]
}

export interface ExportedInheritance {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly listening: boolean
}

export interface Exported {
  readonly files: readonly ExportedFile[]
  /** What it cannot express, as warnings, and what it refuses, as errors. */
  readonly problems: readonly Problem[]
  /** What to type next, a command a line, for somebody who has written the files into `folder`. */
  readonly next: (folder: string) => readonly string[]
}

export interface ExportedFile {
  /** Relative to the folder that is written to. */
  readonly path: string
  /** Without the header by which a later export knows its own files; a comment there begins with `#`. */
  readonly text: string
}

/** What a key of the declaration says that the target has no word for, and what happens instead. */
export function loss(
  exported: Pick<ExportedProcess, 'name' | 'place' | 'from'>,
  key: keyof ExportedProcess['from'],
  message: string,
): Problem {
  return { id: 'W801', place: placeOf(exported, key), process: exported.name, message }
}

/** Where a key of the declaration stands, or would: in the words of the settings or of a config file. */
export function placeOf(
  { place, from }: Pick<ExportedProcess, 'place' | 'from'>,
  key: keyof ExportedProcess['from'],
): string {
  return from[key] ?? placeWithin(place, `["${toSettingsKey(key)}"]`)
}

/** What no file of the target can hold; `inner` is where it is within the declaration of the process. */
export function refusal(
  exported: Pick<ExportedProcess, 'name' | 'place'>,
  inner: string,
  message: string,
  hint?: string,
): Problem {
  return { id: 'E802', place: placeWithin(exported.place, inner), process: exported.name, message, hint }
}
