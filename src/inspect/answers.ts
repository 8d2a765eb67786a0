import type { Env, Json } from '../core/types.ts'

/**
 * Questions for the project's interpreter, and their answers. The Python files beside this one read the questions and
 * write the answers, as JSON.
 */

/** All questions of one plan. */
export interface PythonQuestion {
  readonly python: string
  readonly root: string
  readonly env: Env
  /** Folders put first on the import path. */
  readonly path: readonly string[]
  /** Changes of a declaration, by the process whose backend is a Python class. */
  readonly classes: Readonly<Record<string, readonly PythonOverride[]>>
  /** Kinds of applications, by import path. */
  readonly apps: Readonly<Record<string, ImportedKind>>
  /** Null asks nothing about the running project. */
  readonly deploy: DeploymentQuestion | null
  /** By process. */
  readonly options: Readonly<Record<string, OptionQuestion>>
  /** By process; null measures nothing. */
  readonly memory: Readonly<Record<string, MemoryQuestion>> | null
  readonly timeoutMs: number
}

/** The answer to a {@link PythonQuestion}. */
export interface PythonAnswer {
  /** The outcome of `django.setup()`; absent if no question needed it. */
  readonly ready?: Partial<PythonFailure>
  readonly classes: Readonly<Record<string, PythonClass | PythonFailure>>
  /** By import path. `type` names the type of an object that is not an application. */
  readonly apps: Readonly<Record<string, { readonly type?: string } | PythonFailure>>
  /** Absent if the question asked for none, or if Django cannot be set up. */
  readonly deploy?: DeploymentAnswer | PythonFailure
  readonly options: Readonly<Record<string, OptionAnswer | PythonFailure>>
  /** By process; null if a process could not be measured. Absent if the question asked for none. */
  readonly memory?: Readonly<Record<string, MemoryAnswer | null>>
}

/** An answer that is missing because the project's code raised an exception. */
export interface PythonFailure {
  readonly error: PythonError
}

/** An exception in the project's code. */
export interface PythonError {
  readonly type: string
  readonly message: string
  /** The module that could not be imported. */
  readonly module: string | null
  /** Whether the exception is an `ImportError`. */
  readonly import: boolean
  /** A similar import path that exists, if only the last part of the given one is wrong. */
  readonly near: string | null
  /** The traceback. */
  readonly text: string
}

/** Kinds of applications that can be imported. */
export type ImportedKind = 'celery' | 'wsgi' | 'asgi'

/** The path of a key in a declaration, in the notation of settings, and its value; without a value the key is removed. */
export type PythonOverride = readonly [path: readonly string[], value?: Json]

/** A backend class of the project. */
export interface PythonClass {
  /** Import paths of the class and its bases, the class first. */
  readonly mro: readonly string[]
  /** The class among them that defines `start_server`. */
  readonly starter: string | null
  /** The result of `prep_server_args`, if `start_server` is a built-in backend's. */
  readonly args?: readonly string[]
}

/** A question to memory_check.py: the modules and the application that one process loads. */
export interface MemoryQuestion {
  readonly modules: readonly string[]
  /** `Backend.parser`, which leads to the program's modules. */
  readonly parser: string | null
  readonly app: readonly [path: string, kind: ImportedKind] | null
}

/** Memory of one process, in bytes. */
export interface MemoryAnswer {
  /** Memory of a process that loaded the application itself. */
  readonly alone: number
  /** Memory that a forked copy does not share with its parent. */
  readonly forked: number
}

/** A question to option_check.py: the options of one process. */
export interface OptionQuestion {
  /** `Backend.parser`. */
  readonly parser: string
  /** The distribution of the program. */
  readonly package: string
  readonly options: readonly (readonly [key: string, tokens: readonly string[]])[]
  /** Modules that values of the options need. */
  readonly modules: readonly string[]
}

/** The verdict of the installed program on the options of one process. */
export interface OptionAnswer {
  /** The version of the distribution; null if unknown. */
  readonly version: string | null
  /** Long names of all options of the program. */
  readonly names: readonly string[]
  /** `key` is null if the program refuses the combination of options rather than one of them. */
  readonly refused: readonly {
    readonly key: string | null
    readonly what: 'unknown' | 'value'
    readonly message: string
  }[]
  /** Deprecated options, each with the program's own message. */
  readonly deprecated: readonly { readonly key: string; readonly message: string }[]
  /** Modules of the question that are not installed. */
  readonly missing: readonly string[]
}

/** A question to deploy_check.py about the running project. */
export interface DeploymentQuestion {
  /** Import paths of Celery applications, by process. */
  readonly celery: Readonly<Record<string, string>>
  /** Names of other task libraries; see `Backend.queues`. */
  readonly libraries: readonly string[]
}

/** Facts about the running project. */
export interface DeploymentAnswer {
  readonly debug: boolean
  readonly allowedHosts: readonly string[]
  /** Messages of Django's `check --deploy`. */
  readonly checks: readonly {
    readonly id: string | null
    readonly isError: boolean
    readonly message: string
    readonly hint: string | null
  }[]
  readonly databases: readonly {
    readonly alias: string
    readonly vendor: string
    readonly error: string | null
    /** Migrations that are not applied: `app.name`. */
    readonly unapplied: readonly string[]
  }[]
  /** Null if the project does not use `django.contrib.staticfiles`. */
  readonly static: { readonly root: string | null; readonly isEmpty: boolean } | null
  /** By process. */
  readonly celery: Readonly<Record<string, CeleryAnswer>>
  /** By name of the library. */
  readonly libraries: Readonly<Record<string, LibraryAnswer>>
}

/** Facts about one Celery application. */
export interface CeleryAnswer {
  /** Why the broker is unreachable. */
  readonly error: string | null
  /** Names of the jobs in the beat schedule. */
  readonly scheduled: readonly string[]
  /** Queues, by the task that is routed to them. */
  readonly routed: Readonly<Record<string, string>>
  /** Queues of a worker without `--queues`. */
  readonly queues: readonly string[]
}

/** Facts about one task library other than Celery. */
export interface LibraryAnswer {
  /** Why the broker is unreachable. */
  readonly error: string | null
  /** Queues of the project, each with the start of a sentence: "TASK goes to" or "SETTING has". */
  readonly queues: Readonly<Record<string, string>>
  /** Tasks that the workers start periodically. */
  readonly periodic: readonly string[]
}
