import type { PlannedProcess, PlannedProject } from '../plan/plan.ts'

/** The plan as a target receives it: prepared for files, with the choices of the command line. */
export interface ExportInput {
  /** Name of the whole application: the prefix of units, the Compose project, a label of Kubernetes objects. */
  readonly name: string
  readonly project: PlannedProject
  /** Enabled processes in the order of the declaration. */
  readonly processes: readonly ExportedProcess[]
  /** User of every process whose declaration names none. */
  readonly user: string | undefined
  /** Image of the containers. */
  readonly image: string | undefined
  /** Where the target finds the variables that no file may hold: environment files, or names of the cluster's secrets. */
  readonly envFrom: readonly string[]
  /** Names of environments that get an overlay each. */
  readonly environments: readonly string[]
  readonly autoscale: readonly Autoscale[]
  /** Names of the files in the project's folder, without those that an export has written. */
  readonly found: ReadonlySet<string>
  /**
   * The relative paths from the folder of the files to the project's folder (`root`) and back (`out`); empty if both are
   * the same.
   */
  readonly folders: { readonly root: string; readonly out: string }
  /** Process that collects static files while the image is built; undefined on a machine, and if none is declared. */
  readonly collector: ExportedProcess | undefined
}

/** The input before `exportPlan` has moved the collection of static files into the image. */
export type ExportRequest = Omit<ExportInput, 'collector'>

/** Bounds for the number of instances of a process, and what decides how many are needed. */
export interface Autoscale {
  readonly process: string
  readonly min: number
  readonly max: number
  /** Scales by the number of waiting messages; undefined to scale by processor use. */
  readonly queue:
    | {
        readonly broker: 'rabbitmq' | 'redis'
        /** Variable that holds the broker's address: a URL for RabbitMQ, `host:port` for Redis. */
        readonly variable: string
        /** Names of queues; empty for the queues that the process itself names. */
        readonly names: readonly string[]
      }
    | undefined
}

/** A planned process with the command line and environment that a file may show: without secrets. */
export interface ExportedProcess extends Omit<PlannedProcess, 'argv' | 'env' | 'inherited' | 'activated'> {
  /** The whole command line; the program is its full path on this machine, or its name in an image. */
  readonly argv: readonly string[]
  /** Command line for sockets that are already open, descriptors 3 and up; null if the program cannot take them. */
  readonly activated: readonly string[] | null
  /** Variables by name; null removes a variable. */
  readonly env: Readonly<Record<string, string | null>>
  /** True for a process that only collects static files and then ends. */
  readonly collectsStatic: boolean
}
