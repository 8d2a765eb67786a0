import { joinHostPort, printAddress } from '../core/addresses.ts'
import { flagName, longName, type OptionGrammar, switchFlags } from '../args/grammar.ts'
import type { Env, ProcessKind } from '../core/types.ts'

/** The version of what `Backend` means. It changes when a backend that is written for it would no longer work. */
export const BACKEND_CONTRACT = 1

/**
 * What knows one kind of process. Data and pure functions: a backend starts nothing and reads nothing.
 *
 * The built-in backends are such values, and so is what a module of the project's own exports; nothing about the
 * built-in ones is privileged.
 */
export interface Backend {
  /** The version of this contract that it is written for; another is refused. Default 1. */
  readonly contract?: typeof BACKEND_CONTRACT
  /** Short name, as in `"BACKEND": "gunicorn"`. */
  readonly name: string
  /** The program's name as people write it. */
  readonly title: string
  /** One sentence for the reference. */
  readonly summary: string
  readonly kind: ProcessKind
  /** Import paths that mean this backend; the first is the documented one. */
  readonly paths?: readonly string[]
  /**
   * What is run: the project's WSGI or ASGI application, or what `APP` names. Default `none`.
   *
   * `celery` is an import path that must lead to an application, `script` a file below the project, `package-script` the
   * name of one in the `package.json` of `CWD`, `worker-module` a file that exports BullMQ workers, `words` a command line
   * of its own.
   */
  readonly app?: 'wsgi' | 'asgi' | 'celery' | 'script' | 'package-script' | 'worker-module' | 'words' | 'none'
  /** An `APP` for documentation. */
  readonly appExample?: string
  /**
   * The Python module it needs, the package that brings it, and an app that must be in `INSTALLED_APPS`. Where several
   * packages are needed, the first is that of the module. `oldest` is the first version that is supported.
   */
  readonly python?: {
    readonly module: string
    readonly package: string
    readonly oldest?: string
    readonly installedApps?: readonly string[]
    /** A module that will do instead: what has become of it. */
    readonly orModule?: string
  }
  /**
   * How `check --deploy` learns which queues the project has, see deploy_check.py, and the option that names those that a
   * worker takes from: `unless` it is given, these; all, where there is no such list.
   */
  readonly queues?: {
    readonly library: string
    readonly option?: string
    readonly unless?: readonly string[]
    /** The setting that says where the broker is. */
    readonly broker?: string
    /** Its workers start the periodic tasks as well, each of them, unless this option is given. */
    readonly schedulesUnless?: string
  }
  /** The npm package it needs, found from `CWD`; and its program, which Node runs, and which comes first in `app`. */
  readonly node?: { readonly package: string; readonly program?: string }
  readonly options?: OptionGrammar
  /**
   * How the installed program's own parser is found, by which `prodserver check` has it judge the options: `click
   * MODULE:OBJECT [COMMAND]`, `argparse MODULE:FUNCTION`, `django COMMAND [SUBCOMMAND]`, or a program that needs a way
   * of its own.
   */
  readonly parser?: string
  /**
   * Options that name files: those that it reads, those that it writes, and of these the ones that no other process may
   * write as well, such as pid files.
   */
  readonly files?: {
    readonly reads?: readonly string[]
    readonly writes?: readonly string[]
    readonly owns?: readonly string[]
  }
  /** Values, by option, that need a module beside the program's own, and the package that brings it. */
  readonly addons?: Readonly<
    Record<string, Readonly<Record<string, { readonly module: string; readonly package: string }>>>
  >
  /** Options that it is given unless they are declared, or given on the command line. */
  readonly defaults?: Readonly<Record<string, string | number | boolean>>
  /**
   * Members that change if an option has a certain value: by option, then by value, with `*` for every other value. The
   * grammar of the options stays, because it is what finds the value.
   */
  readonly variants?: Readonly<Record<string, Readonly<Record<string, Partial<Omit<Backend, 'options'>>>>>>
  /** `ARGS` for documentation and for the tests of the real program. */
  readonly example?: Readonly<Record<string, string | number | boolean>>
  /** The command line. */
  readonly command: (input: CommandInput) => Command
  /**
   * The command line for listening on sockets that are already open; undefined where it cannot with these options.
   * An old and a new copy on the same sockets, the old one stopped when the new one is ready, lose no request.
   */
  readonly inherit?: (input: CommandInput, sockets: InheritedSockets) => Inherited | undefined
  /** The first version of its package that can be given sockets so; older ones open their own, and restart. */
  readonly inheritSince?: string
  /** The addresses it will listen on: `host:port` or `unix:/path`. */
  readonly listen?: (input: ListenInput) => readonly string[]
  /** What it starts of itself with these options. Default one process, without a limit of connections. */
  readonly workers?: (input: WorkersInput) => Workers
  /** When it counts as ready, unless the declaration says otherwise. With a `log` and a `delay`, whichever comes first. */
  readonly ready?: { readonly http?: string; readonly log?: string; readonly delay?: number }
  /** How it is asked to stop without losing work, and how long that may take. Default TERM, 30 s. */
  readonly stop?: {
    readonly signal?: 'TERM' | 'INT' | 'QUIT'
    readonly timeoutMs?: number
    /** An option that names another signal for it. */
    readonly signalOption?: string
    /** The option that says how long it lets work be finished, and what its number counts. */
    readonly grace?: { readonly option: string; readonly unitMs: number }
  }
  /** The option with which a worker is a scheduler as well, of which there may be one. */
  readonly schedulesWith?: string
  /** How new code gets in when the declaration says `auto`. Default `restart`. */
  readonly reload?: 'rolling' | 'signal' | 'restart'
  /** Why its reload is a restart, for `show`, where one would expect that it is not. */
  readonly restartReason?: string
  /** Options with which two copies cannot run beside each other for a moment: the reload is a restart then. */
  readonly notTwice?: readonly string[]
}

export interface CommandInput {
  /** `module:attribute` for WSGI and ASGI, `APP` otherwise; split into words for `words`. */
  readonly app: readonly string[]
  /** The declared options, as tokens in the order of the declaration, those that the command line replaces left out. */
  readonly options: readonly OptionTokens[]
  /** Extra arguments from the command line; they come after the options and before the application. */
  readonly extra: readonly string[]
  /** Options of Django's own that `manage.py prodserver` was given, for backends that are Django commands. */
  readonly django: readonly string[]
}

export interface OptionTokens {
  /** The flag without dashes. */
  readonly name: string
  readonly tokens: readonly string[]
}

export interface Command {
  /** `python` is the project's interpreter, `node` the Node that runs prodserver; else a program on PATH or a path. */
  readonly program: string
  /** It is a script of a Python package, beside the project's interpreter; on PATH where it is not there. */
  readonly beside?: boolean
  readonly args: readonly string[]
}

/** Descriptors of bound stream sockets, as the program inherits them. */
export interface InheritedSockets {
  /** What `listen` has said. */
  readonly addresses: readonly string[]
  /** One for each of `listen`'s addresses. */
  readonly listen: readonly number[]
  /**
   * One more, served by the same application: there a new copy answers, where on the others the old one may. Undefined
   * where nobody asks there: under a service manager, which hands over the sockets alone and sets LISTEN_FDS.
   */
  readonly probe: number | undefined
}

export interface Inherited {
  readonly command: Command
  readonly env?: Readonly<Record<string, string>>
  /**
   * It is started through a program of prodserver's: for Python the path of `serve.py` takes the place of `-m`, Node
   * loads `serve-node.cjs` first. Default false.
   */
  readonly runner?: boolean
  /** The sockets must be listening before it starts. Default false: it calls listen itself. */
  readonly listening?: boolean
  /** The command takes the sockets without `serve.py` as well. Default false. */
  readonly unaided?: boolean
}

export interface ListenInput {
  /** The values that an option ends up with; empty when it is not given. */
  readonly values: (name: string) => readonly string[]
  readonly env: Env
}

export interface WorkersInput extends ListenInput {
  /** Of the machine, as its programs count them: a container may be allowed less. */
  readonly processors: number
}

/** The processes of one instance that hold the application. */
export interface Workers {
  readonly processes: number
  /** The option that says how many. */
  readonly option?: string
  /** They are copies of a main process that has loaded the application, and share a part of its memory. Default false. */
  readonly forked?: boolean
  /** How many connections each of them keeps open at most, and the option that says so; absent where nothing does. */
  readonly connections?: { readonly most: number; readonly option: string }
}

/** As many as an option says, else a variable of the environment, else one. */
export const workersOf =
  (option: string, ...variables: readonly string[]) =>
  ({ values, env }: ListenInput): Workers => {
    const given = [...values(option), ...variables.map((variable) => env[variable])].find((value) => Number(value) > 0)
    return { processes: Number(given ?? 1), option }
  }

/** All options in one list, for backends that need no special order. */
export const allTokens = (options: readonly OptionTokens[]): readonly string[] =>
  options.flatMap((option) => option.tokens)

/** The common form: `python -m MODULE [options] APP`. */
export const pythonModule =
  (module: string, ...fixed: readonly string[]) =>
  ({ options, extra, app }: CommandInput): Command => ({
    program: 'python',
    args: ['-m', module, ...fixed, ...allTokens(options), ...extra, ...app],
  })

/** `python -m django COMMAND [options]`. */
export const managementCommand =
  (name: string) =>
  ({ options, extra, django }: CommandInput): Command => ({
    program: 'python',
    args: ['-m', 'django', name, ...django, ...allTokens(options), ...extra],
  })

/**
 * The options, and then the words of that name: some parsers want them in one piece. Words on the command line take
 * the place of the declared ones.
 */
export function wordsLast(name: string, { options, extra }: CommandInput, grammar: OptionGrammar): readonly string[] {
  const isWord = (option: OptionTokens): boolean => option.name === name
  const declared = hasWords(extra, grammar) ? [] : options.filter(isWord)
  return [...allTokens(options.filter((option) => !isWord(option))), ...extra, ...allTokens(declared)]
}

/** Whether something among the tokens is neither an option nor the value of one. */
function hasWords(tokens: readonly string[], grammar: OptionGrammar): boolean {
  let isValue = false
  return tokens.some((token) => {
    const wasValue = isValue
    isValue = !wasValue && takesNext(token, grammar)
    return !wasValue && !token.startsWith('-')
  })
}

/** Whether an option takes the next token for its value. */
function takesNext(token: string, grammar: OptionGrammar): boolean {
  const [, long, short] = /^(?:--([^=]+)|-([A-Za-z]))$/.exec(token) ?? []
  const name = short === undefined ? flagName(long ?? '', grammar) : longName(short, grammar)
  return (long ?? short) !== undefined && switchFlags(name, grammar) === undefined
}

/** Whether one of these options is given, here or on the command line. */
export function isGiven(names: readonly string[], { options, extra }: CommandInput, grammar: OptionGrammar): boolean {
  const full = (name: string): string => longName(name, grammar)
  const given = new Set(options.filter(({ tokens }) => tokens.length > 0).map(({ name }) => full(name)))
  for (const token of extra) {
    if (token.startsWith('--')) given.add(flagName(token.slice(2).split('=')[0] ?? '', grammar))
    else if (token.startsWith('-')) given.add(full(token.slice(1, 2)))
  }
  return names.some((name) => given.has(name))
}

/** The input without these declared options. */
export function withoutOptions(names: readonly string[], input: CommandInput, grammar: OptionGrammar): CommandInput {
  return { ...input, options: input.options.filter(({ name }) => !names.includes(longName(name, grammar))) }
}

/** For servers that are given their sockets by `serve.py`, in the place of the options that say where to listen. */
export const inheritThroughRunner =
  (grammar: OptionGrammar, addressOptions: readonly string[], refused: readonly string[]) =>
  (command: (input: CommandInput) => Command): NonNullable<Backend['inherit']> =>
  (input, { listen, probe }) => {
    const onCommandLine = { ...input, options: [] }
    if (isGiven(refused, input, grammar) || isGiven(addressOptions, onCommandLine, grammar)) return undefined
    return {
      command: command(withoutOptions(addressOptions, input, grammar)),
      env: { PRODSERVER_LISTEN_FDS: listen.join(','), ...probeVariable(probe) },
      runner: true,
      listening: true,
    }
  }

/** How `serve.py` is told of the socket that only probes use. */
export const probeVariable = (probe: number | undefined): Readonly<Record<string, string>> =>
  probe === undefined ? {} : { PRODSERVER_PROBE_FD: String(probe) }

/**
 * For servers that Node runs: whatever of Node's they listen with is given the socket of its address. Undefined where the
 * command is another program's, and what Node starts in its turn has no sockets.
 */
export const inheritInNode =
  (command: Backend['command']): NonNullable<Backend['inherit']> =>
  (input, { addresses, listen, probe }) => {
    const asked = command(input)
    if (asked.program !== 'node' || probe === undefined) return undefined
    const sockets = { listen: Object.fromEntries(addresses.map((each, index) => [each, listen[index]])), probe }
    return { command: asked, env: { PRODSERVER_NODE_SOCKETS: JSON.stringify(sockets) }, runner: true }
  }

/** Addresses from a `--host` and a `--port`, or a Unix socket where that is given. */
export const hostAndPort =
  (host: string, port: string, socketOption: string) =>
  ({ values }: ListenInput): readonly string[] => {
    const socket = values(socketOption).at(-1)
    if (socket !== undefined) return [printAddress({ path: socket })]
    return [joinHostPort(values('host').at(-1) ?? host, values('port').at(-1) ?? port)]
  }
