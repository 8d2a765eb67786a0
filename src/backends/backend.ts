import type { OptionGrammar } from '../args/grammar.ts'
import type { Env, ProcessKind } from '../core/types.ts'

/** Version of the `Backend` interface. Grows when a backend that was written for the old version stops working. */
export const BACKEND_CONTRACT = 1

/**
 * Describes one kind of process: a server, a worker or a command. It is data and pure functions; it starts nothing and
 * reads nothing. `name`, `title`, `summary`, `kind` and `command` are enough for a backend that works. Each other member
 * adds something: a check before the start, a readiness probe, a reload that refuses no connection.
 *
 * Built-in backends are listed in `index.ts` and have no privilege. A project can export a backend of its own from a
 * module that `BACKEND` names. The other files of this folder have functions for the usual cases: `command-line.ts`,
 * `option-values.ts` and `inherit.ts`.
 */
export interface Backend {
  /** Version of this interface that the backend was written for. Any other version is refused. Default 1. */
  readonly contract?: typeof BACKEND_CONTRACT
  /** Short name, as in `"BACKEND": "gunicorn"`. */
  readonly name: string
  /** Name of the program as its authors write it. */
  readonly title: string
  /** Sentence for the reference page. */
  readonly summary: string
  /** Purpose of the process. Commands select by it (`@worker`); a scheduler runs only once per machine. */
  readonly kind: ProcessKind
  /** Import paths that also select this backend. The first is the documented one. */
  readonly paths?: readonly string[]
  /**
   * Source of `CommandInput.app`, which names what the program runs. Default `none`.
   *
   * - `wsgi`, `asgi`: the application that the settings name, or `APP`
   * - `celery`: `APP`, an import path of a Celery application
   * - `script`: `APP`, a file below the project
   * - `package-script`: `APP`, a script in the `package.json` of `CWD`
   * - `worker-module`: `APP`, a file that exports BullMQ workers
   * - `words`: `APP`, a command line, split into words
   * - `none`: nothing
   */
  readonly app?: 'wsgi' | 'asgi' | 'celery' | 'script' | 'package-script' | 'worker-module' | 'words' | 'none'
  /** An `APP` for the documentation. */
  readonly appExample?: string
  /** Packages for the project's interpreter. `check` reports those that are missing or too old. */
  readonly python?: {
    /** Module to import. */
    readonly module: string
    /** Package or packages to install, separated by spaces. The first one brings the module. */
    readonly package: string
    /** First supported version of the package. */
    readonly oldest?: string
    /** Apps that must be in `INSTALLED_APPS`. */
    readonly installedApps?: readonly string[]
    /** Module that serves as well, such as the successor of a package. */
    readonly orModule?: string
  }
  /** Facts by which `check --deploy` finds queues of the project that have no worker. */
  readonly queues?: {
    /** Library that knows the queues of the project. `deploy_check.py` must be able to ask it. */
    readonly library: string
    /** Option that names the queues of the worker. Without a value the worker takes jobs from all queues. */
    readonly option?: string
    /** Queues of the worker if the option is not given. */
    readonly unless?: readonly string[]
    /** Setting that names the broker. */
    readonly broker?: string
    /** Option without which each worker starts the periodic tasks too. */
    readonly schedulesUnless?: string
  }
  /** Package of npm that must be installed, searched from `CWD`. */
  readonly node?: {
    readonly package: string
    /** Program of the package, which Node runs: its path is the first word of `CommandInput.app`. */
    readonly program?: string
  }
  /** Grammar of the program's options. Default: `--name value`, and `--name` for true. */
  readonly options?: OptionGrammar
  /**
   * Location of the installed program's parser, which `check` asks about the options: `click MODULE:OBJECT [COMMAND]`,
   * `argparse MODULE:FUNCTION`, `django COMMAND [SUBCOMMAND]`, or the name of a program that `option_check.py` knows.
   */
  readonly parser?: string
  /** Options whose values are paths of files, which `check` looks at. */
  readonly files?: {
    /** Files that must be readable. */
    readonly reads?: readonly string[]
    /** Files that must be writable. */
    readonly writes?: readonly string[]
    /** Writable files that no other process may use, such as pid files. */
    readonly owns?: readonly string[]
  }
  /** Modules that a value of an option needs, and the packages that bring them: by option, then by value. */
  readonly addons?: Readonly<
    Record<string, Readonly<Record<string, { readonly module: string; readonly package: string }>>>
  >
  /** Options that are given unless the declaration or the command line gives them. */
  readonly defaults?: Readonly<Record<string, string | number | boolean>>
  /**
   * Members that replace those of the backend if an option has a value: by option, then by value, with `*` for any other
   * value. `options` cannot be replaced, because the grammar is needed to find the value.
   */
  readonly variants?: Readonly<Record<string, Readonly<Record<string, Partial<Omit<Backend, 'options'>>>>>>
  /** `ARGS` for the documentation, and for tests that start the program. */
  readonly example?: Readonly<Record<string, string | number | boolean>>
  /** Returns the command line of the process. */
  readonly command: (input: CommandInput) => Command
  /**
   * Returns the command line that uses sockets which are open already; undefined if the program cannot use them with
   * these options. An old and a new copy can then serve the same sockets, and a reload refuses no connection.
   */
  readonly inherit?: (input: CommandInput, sockets: InheritedSockets) => Inherited | undefined
  /** First version of the package that `inherit` works with. Older versions open their own sockets, and restart. */
  readonly inheritSince?: string
  /** Returns the addresses that the program listens on, as `host:port` or `unix:/path`. */
  readonly listen?: (input: ListenInput) => readonly string[]
  /** Returns how many processes and connections one instance has. Default: one process, any number of connections. */
  readonly workers?: (input: WorkersInput) => Workers
  /** Readiness probe, unless the declaration has one. */
  readonly ready?: {
    /** Path that answers an HTTP request. */
    readonly http?: string
    /** Pattern of a line that the program prints. */
    readonly log?: string
    /** Milliseconds after the start. With `log`, the earlier of the two counts. */
    readonly delay?: number
  }
  /** Signal and time that stop the program without losing work. */
  readonly stop?: {
    /** Default TERM. */
    readonly signal?: 'TERM' | 'INT' | 'QUIT'
    /** Milliseconds until the program is killed. Default 30,000. */
    readonly timeoutMs?: number
    /** Option that changes the signal on which the program stops. */
    readonly signalOption?: string
    /** Option that says how long the program finishes its work, and the milliseconds in one unit of its value. */
    readonly grace?: { readonly option: string; readonly unitMs: number }
  }
  /** Option that makes a worker a scheduler too, of which there may be only one. */
  readonly schedulesWith?: string
  /** Reload strategy if the declaration says `auto`. Default `restart`. */
  readonly reload?: 'rolling' | 'signal' | 'restart'
  /** Reason of a `restart`, which `show` prints, if a reader would expect another kind of reload. */
  readonly restartReason?: string
  /** Options with which an old and a new copy cannot run at once. With one of them, a reload is a restart. */
  readonly notTwice?: readonly string[]
}

/** Parts of a command line. */
export interface CommandInput {
  /** `module:attribute` for WSGI and ASGI; the words of `APP` for `words`; else `APP`. */
  readonly app: readonly string[]
  /** Declared options, in the order of the declaration, without those that the command line replaces. */
  readonly options: readonly OptionTokens[]
  /** Arguments from prodserver's own command line. They follow the options. */
  readonly extra: readonly string[]
  /** Django's own options from the command line of `manage.py prodserver`, for backends that are Django commands. */
  readonly django: readonly string[]
}

/** An option as the program's grammar writes it. */
export interface OptionTokens {
  /** The flag without dashes. */
  readonly name: string
  readonly tokens: readonly string[]
}

export interface Command {
  /** `python` for the project's interpreter, `node` for the Node that runs prodserver; else a path, or a name on PATH. */
  readonly program: string
  /** Looks for the program beside the project's interpreter before PATH. Default false. */
  readonly beside?: boolean
  readonly args: readonly string[]
}

/** Descriptors of bound stream sockets, as the program inherits them. */
export interface InheritedSockets {
  /** The addresses that `Backend.listen` returned. */
  readonly addresses: readonly string[]
  /** Descriptors, one for each address. */
  readonly listen: readonly number[]
  /**
   * Descriptor of a further socket for the same application. Only the new copy answers there, so a probe cannot reach the
   * old copy. Undefined under a service manager, which passes `listen` alone and sets LISTEN_FDS.
   */
  readonly probe: number | undefined
}

/** Start of a program that uses inherited sockets. */
export interface Inherited {
  readonly command: Command
  readonly env?: Readonly<Record<string, string>>
  /**
   * Starts the program by a runner: the path of the runner's program replaces `-m` for Python, and Node loads `serve-node.cjs`
   * first. Default false.
   */
  readonly runner?: boolean
  /** Says that the sockets must listen before the program starts. Default false: the program calls listen. */
  readonly listening?: boolean
  /** Says that the command works with inherited sockets without the runner too. Default false. */
  readonly unaided?: boolean
}

export interface ListenInput {
  /** Returns the values of an option: declared, from the command line or by default. Empty if it is not given. */
  readonly values: (name: string) => readonly string[]
  /** Environment of the process. */
  readonly env: Env
}

export interface WorkersInput extends ListenInput {
  /** Processors of the machine, as programs count them. A container may be limited to fewer. */
  readonly processors: number
}

/** The processes of one instance that hold the application. */
export interface Workers {
  readonly processes: number
  /** Option that says how many processes. */
  readonly option?: string
  /** Says that they are forks of a process that has loaded the application, and share memory with it. Default false. */
  readonly forked?: boolean
  /** Most open connections of each process, and the option that says so. Absent if there is no limit. */
  readonly connections?: { readonly most: number; readonly option: string }
}
