/**
 * Every way prodserver says no: the problem list, the one error class, and the exit codes.
 *
 * A *problem* is something a person can fix, found while reading, checking or planning. Problems are collected and
 * reported together. A {@link ProdserverError} carries them to the command line; any other exception is a bug of ours.
 */

/** What each exit code of `prodserver` means. `run`'s code, once it has become the server, is the server's own. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  refused: 4,
  timedOut: 5,
  notPermitted: 6,
  bug: 70,
  notExecutable: 126,
  notFound: 127,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Documentation of the exit codes, in the order of the reference page. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'Done.',
  failed: 'Failed: the project or its settings could not be read, or a command did not succeed.',
  usage: 'Wrong usage: an unknown command, option or process name.',
  notRunning: 'Nothing is running.',
  refused: 'Refused, nothing was started or changed: the declaration has errors.',
  timedOut: 'Timed out.',
  notPermitted: 'Not permitted.',
  bug: 'A bug in prodserver; please report it.',
  notExecutable: 'The program was found but cannot be executed.',
  notFound: 'The program was not found.',
  interrupted: 'Interrupted.',
}

/**
 * Every problem id, with the sentence that the reference page shows. Ids are stable: tests, scripts and people
 * match on them, never on the text of a message.
 */
export const PROBLEMS = {
  E001: 'No Django project was found: there is no `manage.py` here or above.',
  E002: 'Several projects were found, and none was chosen.',
  E003: 'The settings module is not known.',
  E004: 'No Python interpreter was found, or the chosen one cannot be started.',
  E005: 'Django is not installed in the interpreter.',
  E006: 'The settings module cannot be found.',
  E007: 'The settings raise an exception.',
  E008: 'The settings, or `manage.py`, import a module that is not installed.',
  E009: 'The settings end the process that reads them.',
  E010: 'The settings did not finish loading in time.',
  E011: 'The interpreter crashed or gave no usable answer.',
  E012: '`manage.py` raises an exception before it reaches Django.',
  E013: 'The config file cannot be found, or there are several.',
  E014: 'The config file cannot be read, or raises an exception.',
  E015: 'The config file imports a package or a file that is not there.',
  E016: 'The config file ends the process that reads it.',
  E017: 'The config file did not finish loading in time.',
  E018: 'One of the two that are compared cannot be found, or git cannot give it.',
  E101: 'The setting `PRODUCTION_PROCESSES` does not exist.',
  E102: '`PRODUCTION_PROCESSES` is not a dictionary.',
  E103: '`PRODUCTION_PROCESSES` is empty.',
  E104: 'There is no process of that name.',
  E105: 'A process is not a dictionary, or its name cannot be used.',
  E106: 'A key of a declaration is unknown.',
  E107: 'A value of a declaration has the wrong form.',
  E109: 'A dependency names a process that does not exist.',
  E110: 'Processes depend on each other in a circle.',
  E111: 'An environment file cannot be read.',
  E112: 'An override can mean more than one thing.',
  E113: 'The config file does not export an object with processes.',
  E114: 'A process is declared in the settings and in the config file.',
  E201: '`BACKEND` is missing.',
  E202: '`BACKEND` cannot be imported.',
  E203: 'The package of the backend is not installed in the interpreter.',
  E204: 'The Django app of the backend is not in `INSTALLED_APPS`.',
  E205: '`APP` is missing.',
  E206: 'The application cannot be imported, or is not one.',
  E207: 'The project has no WSGI or ASGI application.',
  E208: 'The backend module does not export a backend.',
  E209: 'The backend raises an exception, or lacks a method that a backend must have.',
  E210: 'Django cannot be set up: an app of `INSTALLED_APPS` cannot be loaded.',
  E211: 'The backend is written for another version of prodserver.',
  E301: '`ARGS` is not a dictionary, or has a value that cannot become an option.',
  E302: '`ARGS` has a key that is not an option name.',
  E303: 'The installed version of the program has no such option.',
  E304: 'The installed version of the program does not take an option like this.',
  E305: 'The value of an option needs a package that is not installed.',
  E306: 'A file that an option names cannot be read on this machine.',
  E307: 'A file that an option names cannot be written on this machine.',
  E401: 'Two processes listen on the same address.',
  E402: 'A scheduler is declared to run more than once, or two of one application are declared.',
  E403: 'Two processes, or two instances, write a file that only one may have.',
  E404: 'An address has a port that does not exist.',
  E501: 'The program was not found.',
  E502: 'The program cannot be executed.',
  E503: 'The working directory does not exist.',
  E504: 'The command line or the environment is longer than the system allows.',
  E505: 'The user, group, priority or limits of the process cannot be taken on.',
  E506: 'A socket of systemd cannot be handed on.',
  E507: 'An address cannot be used on this machine: it is taken, or its port is not for this user.',
  E601: 'Nothing is running.',
  E602: 'The control socket cannot be used.',
  E603: 'The state directory cannot be used: it is a symbolic link, belongs to somebody else, or cannot be written.',
  E604: 'Another supervisor was first.',
  E605: 'Supervising needs Linux.',
  E701: '`DEBUG` is on.',
  E702: '`ALLOWED_HOSTS` is empty.',
  E703: 'A database cannot be reached.',
  E704: 'A broker cannot be reached.',
  E705: 'Migrations are not applied, and nothing is declared that applies them.',
  E706: "Django's own `check --deploy` has an error.",
  E801: 'A value that may be a secret would stand in an exported file.',
  E802: 'A value cannot be written for the target of an export.',
  E803: 'A file that an export would write is there, and was written by somebody else.',
  E804: 'The files of an export cannot be written.',
  E901: 'No cluster is known, or what says how to reach it cannot be used.',
  E902: 'The cluster refuses what it was asked to do.',
  E903: 'The cluster cannot be reached.',
  W101: 'A variable is called as overrides are, and overrides nothing.',
  W301: 'An option is left out, because the program has no such thing.',
  W302: 'An option was given another name, because the program refuses the one that was used.',
  W303: 'The program cannot be asked about its options.',
  W304: 'An option is given by two of its names.',
  W305: 'A dependency names a process that is not enabled.',
  W306: 'The installed version of the program is older than the first that is supported.',
  W307: 'The program has deprecated an option.',
  W402: 'Two processes write one log file.',
  W403: 'A process is killed before the time is over that its program gives to what is under way.',
  W501: 'More processes than the processors of this machine bear.',
  W502: 'The processes need more memory than this machine has left.',
  W503: 'A process may keep more connections open than it may have open files.',
  W504: 'The logs may grow larger than the space that is left for them.',
  W505: 'A process is restarted at a limit of memory that it reaches by loading the application.',
  W506: 'A file system that is written to is full, or nearly.',
  W701: 'The project could not be looked at before a deployment.',
  W702: 'Several processes share a database of SQLite.',
  W703: 'No static files are collected, and nothing is declared that collects them.',
  W704: "Django's own `check --deploy` has a warning.",
  W705: 'An option is for development.',
  W706: 'A secret is written into the settings.',
  W707: 'Celery has scheduled jobs, and no beat is declared.',
  W708: 'Tasks are routed to a queue that no worker takes from.',
  W801: 'An export target cannot express a key. The message says what happens instead.',
  W802: 'An exported process would run as root.',
} as const satisfies Readonly<Record<`${'E' | 'W'}${number}`, string>>

export type ProblemId = keyof typeof PROBLEMS

/** One thing that is wrong, where, and what to type next. */
export interface Problem {
  /** Stable id; `E` refuses, `W` warns. */
  readonly id: ProblemId
  /** Where, as the user wrote it: `PRODUCTION_PROCESSES["web"]["ARGS"]["bind"]`, a file, or an option. */
  readonly place: string
  /** What is wrong, one sentence. */
  readonly message: string
  /** The next thing to type, change or look at. */
  readonly hint?: string | undefined
  /** The process it belongs to; absent when it concerns all of them. */
  readonly process?: string | undefined
  /** The file and the line that it stands in, `FILE:LINE`, where they are known. */
  readonly at?: string | undefined
  /** Evidence, several lines: the user's own traceback frames. */
  readonly details?: string | undefined
}

export const isProblemId = (text: string): text is ProblemId => Object.hasOwn(PROBLEMS, text)

export const isError = (problem: Pick<Problem, 'id'>): boolean => problem.id.startsWith('E')

/** A mistake that a person can fix. Everything else that is thrown is a bug in prodserver. */
export class ProdserverError extends Error {
  override readonly name = 'ProdserverError'
  readonly problems: readonly Problem[]
  readonly exitCode: ExitCode

  constructor(problems: readonly Problem[], exitCode: ExitCode = EXIT.refused, options: { cause?: unknown } = {}) {
    super(problems.map((problem) => `${problem.id} ${problem.place}: ${problem.message}`).join('\n'), options)
    this.problems = problems
    this.exitCode = exitCode
  }
}

/** Makes the error for one problem that keeps a command from doing its work. */
export const failure = (problem: Problem): ProdserverError => new ProdserverError([problem], EXIT.failed)

/** A command line that cannot be understood. Shown with the usage line of the command it belongs to. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}
