import { COMMON_OPTIONS, DJANGO_OPTIONS, type OptionSpec, type ParsedOptions, PROJECT_OPTIONS } from './options.ts'
import type { Io } from './io.ts'
import type { Paint } from './print.ts'

/** A command as data. Its code is loaded only when it runs. */
export interface CommandSpec {
  readonly name: string
  /** What follows the name in the usage line. */
  readonly usage: string
  readonly summary: string
  readonly options: readonly OptionSpec[]
  /** Options still taken after the first argument, where everything else is passed on to the program. */
  readonly passOn?: readonly string[]
  /** Unknown options are passed on as well, where no argument of ours comes first. */
  readonly passOnUnknown?: boolean
  /** How many arguments it takes; undefined for any number. */
  readonly maxArguments?: number
  readonly examples: readonly (readonly [command: string, meaning: string])[]
  readonly load: () => Promise<{ readonly execute: Execute }>
}

export interface CommandContext {
  readonly options: ParsedOptions
  readonly io: Io
  /** Colours for what goes to stdout. */
  readonly paint: Paint
  /** Colours for what goes to stderr. */
  readonly errorPaint: Paint
}

/** Does the work and returns the exit code. */
export type Execute = (context: CommandContext) => Promise<number>

/** Settings that `manage.py prodserver` has in force already, so that they are not imported twice. */
const answerFd: OptionSpec = { name: 'answer-fd', value: 'FD', summary: 'Settings already read', hidden: true }

const json: OptionSpec = { name: 'json', summary: 'Machine-readable output' }

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    usage: '[NAME] [ARGS...]',
    summary: 'Become that process; the first declared, if none is named',
    options: [
      ...PROJECT_OPTIONS,
      ...DJANGO_OPTIONS,
      { name: 'quiet', short: 'q', summary: 'Say nothing before the program starts' },
      answerFd,
      ...COMMON_OPTIONS,
    ],
    passOn: ['settings', 'python', 'project'],
    examples: [
      ['prodserver run web', 'become the web server'],
      ['prodserver web', 'the same, where no command has that name'],
      ['prodserver run web --workers=8', 'extra arguments come last and win'],
      ['prodserver run --settings mysite.production worker', 'with other settings'],
    ],
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'list',
    usage: '',
    summary: 'The declared processes',
    options: [
      ...PROJECT_OPTIONS,
      json,
      { name: 'backends', summary: 'The built-in backends instead' },
      { name: 'names', summary: 'Only the names, one a line' },
      answerFd,
      ...COMMON_OPTIONS,
    ],
    maxArguments: 0,
    examples: [
      ['prodserver list', 'a table'],
      ['prodserver list --json', 'one JSON object a line'],
      ['prodserver list --backends', 'what may stand in BACKEND'],
    ],
    load: () => import('./commands/list.ts'),
  },
  {
    name: 'show',
    usage: '[NAME...]',
    summary: 'Exactly what would run: command, environment, directory, and where each value comes from',
    options: [
      ...PROJECT_OPTIONS,
      json,
      { name: 'reveal', summary: 'Show secrets, on a terminal only' },
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver show web', 'the command can be pasted into a shell'],
      ['prodserver show --json', 'the whole plan'],
    ],
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'check',
    usage: '[NAME...]',
    summary: 'Every problem, before anything starts',
    options: [...PROJECT_OPTIONS, json, ...COMMON_OPTIONS],
    examples: [
      ['prodserver check', 'exit code 4 when there are errors'],
      ['prodserver check --json', 'one JSON object a line'],
    ],
    load: () => import('./commands/check.ts'),
  },
  {
    name: 'dev',
    usage: '[ARGS...]',
    summary: "Become Django's development server",
    options: [...PROJECT_OPTIONS, ...COMMON_OPTIONS],
    passOn: ['settings', 'python', 'project'],
    passOnUnknown: true,
    examples: [
      ['prodserver dev 8001', 'as manage.py runserver 8001'],
      ['prodserver dev --noreload', 'every option of runserver'],
    ],
    load: () => import('./commands/dev.ts'),
  },
  {
    name: 'completion',
    usage: 'bash|zsh|fish',
    summary: 'Print a completion script for a shell',
    options: COMMON_OPTIONS,
    maxArguments: 1,
    examples: [['source <(prodserver completion bash)', 'for this shell']],
    load: () => import('./commands/completion.ts'),
  },
]
