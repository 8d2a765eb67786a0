/** The machine, or the container, on which the processes are to run. The command line reads it. */
export interface MachineFacts {
  /** `usable` counts the processors that this container may use, `all` the processors that programs see. */
  readonly processors: { readonly usable: number; readonly all: number }
  /** Free memory, and the file of the limit that applies; null if the whole machine is the limit. Null if unknown. */
  readonly memory: { readonly bytes: number; readonly limitedBy: string | null } | null
  /** Limits of open files that a started process inherits; null if unknown. */
  readonly openFiles: { readonly soft: number; readonly hard: number } | null
  readonly ports: PortFacts
  readonly stateDir: string
  /** Size of all logs in the state directory. */
  readonly logBytes: number
  /** The file system of a path, which need not exist yet. */
  readonly fileSystemOf: (path: string) => FileSystem
}

/** Sockets of this machine. */
export interface PortFacts {
  /** The lowest port that this user may bind. */
  readonly lowest: number
  /** The foreign process that has an address; null if the address is free, or the project's own supervisor has it. */
  readonly holderOf: (address: string) => AddressHolder | null
}

interface AddressHolder {
  /** Null if the system does not tell. */
  readonly pid: number | null
  /** The end of the sentence "gunicorn cannot listen on 127.0.0.1:8000: ...". */
  readonly description: string
}

/** A file system, as a user without the rights of root may fill it. */
export interface FileSystem {
  readonly id: number
  /** A folder on it that exists. */
  readonly folder: string
  readonly freeBytes: number
  readonly sizeBytes: number
  /** Whether no more files can be made, however much space is left. */
  readonly isOutOfFiles: boolean
}
