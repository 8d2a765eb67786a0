import { EXPORT_OPTIONS } from '../../export/options.ts'
import {
  COMMON_OPTIONS,
  DJANGO_OPTIONS,
  type OptionSpec,
  type ParsedOptions,
  PLAN_OPTIONS,
  PROJECT_OPTIONS,
} from '../options.ts'
import type { Io } from '../io.ts'
import type { Paint } from '../output/print.ts'

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
  /** Names of all commands, for a command that was mistyped. */
  readonly commandNames: readonly string[]
  /** Colours for what goes to stdout. */
  readonly paint: Paint
  /** Colours for what goes to stderr. */
  readonly errorPaint: Paint
}

/** Does the work and returns the exit code. */
export type Execute = (context: CommandContext) => Promise<number>

const project = async () => (await import('../groups/project.ts')).commands
const supervised = async () => (await import('../groups/supervised.ts')).commands
const around = async () => (await import('../groups/around.ts')).commands

/** Settings that `manage.py prodserver` has in force already, so that they are not imported twice. */
const answerFd: OptionSpec = { name: 'answer-fd', value: 'FD', summary: 'Settings already read', hidden: true }

const json: OptionSpec = { name: 'json', summary: 'Machine-readable output' }

/** Of every command that can ask a cluster instead of this machine. */
const cluster: readonly OptionSpec[] = [
  { name: 'kubeconfig', value: 'FILE', summary: 'What says how to reach the cluster; else KUBECONFIG, ~/.kube/config' },
  { name: 'context', value: 'NAME', summary: 'A context of it; else its current one' },
  { name: 'namespace', value: 'NAME', summary: "Namespace; else the context's" },
  { name: 'name', value: 'NAME', summary: "What was deployed is called; else the project's folder" },
]

const onCluster: readonly OptionSpec[] = [
  { name: 'on', value: 'ENGINE', summary: 'What was deployed to kubernetes, instead of this machine' },
  ...cluster,
]

/** Of every command that changes what runs. */
const changing: readonly OptionSpec[] = [
  json,
  { name: 'quiet', short: 'q', summary: 'Say only what went wrong' },
  { name: 'timeout', value: 'TIME', summary: 'How long to wait, such as 30s; it goes on after that. Default 10m' },
  { name: 'no-wait', summary: 'Do not wait until it is done' },
]

/** A command that asks the supervisor to change what runs. */
const action = (
  verb: 'start' | 'stop' | 'restart' | 'scale' | 'down',
  command: Pick<CommandSpec, 'usage' | 'summary' | 'examples'> & { readonly more?: readonly OptionSpec[] },
): CommandSpec => {
  const { usage, summary, examples, more = [] } = command
  const options = [...PROJECT_OPTIONS, ...more, ...onCluster, ...changing, ...COMMON_OPTIONS]
  const load: CommandSpec['load'] = async () => (await supervised()).action(verb)
  return { name: verb, usage, summary, options, examples, load }
}

const force: OptionSpec = { name: 'force', summary: 'Kill at once, instead of letting work be finished' }

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'init',
    usage: '',
    summary: 'Look at the project, and at what starts it today, and propose a declaration',
    options: [
      ...PROJECT_OPTIONS,
      { name: 'write', summary: 'Add it to the settings without asking' },
      {
        name: 'from',
        value: 'FILE',
        repeatable: true,
        summary: 'Only this Procfile, ecosystem file, Compose file, unit or configuration of Supervisor',
      },
      json,
      ...COMMON_OPTIONS,
    ],
    maxArguments: 0,
    examples: [
      ['prodserver init', 'print it; on a terminal, ask whether to add it'],
      ['prodserver init --write', 'add it to the settings'],
      ['prodserver init --from deploy/shop.service', 'what a unit of systemd starts'],
    ],
    load: async () => (await around()).init(),
  },
  {
    name: 'run',
    usage: '[NAME] [ARGS...]',
    summary: 'Become that process; the first declared, if none is named',
    options: [
      ...PLAN_OPTIONS,
      ...DJANGO_OPTIONS,
      { name: 'quiet', short: 'q', summary: 'Say nothing before the program starts' },
      answerFd,
      ...COMMON_OPTIONS,
    ],
    passOn: ['settings', 'python', 'project', 'set'],
    examples: [
      ['prodserver run web', 'become the web server'],
      ['prodserver web', 'the same, where no command has that name'],
      ['prodserver run web --workers=8', 'extra arguments come last and win'],
      ['prodserver run web --set web.ENV.DEBUG=1', 'another value than the declared one; any key of a process'],
      ['prodserver run --settings mysite.production worker', 'with other settings'],
    ],
    load: async () => (await project()).run(),
  },
  {
    name: 'list',
    usage: '',
    summary: 'The declared processes',
    options: [
      ...PLAN_OPTIONS,
      json,
      { name: 'backends', summary: 'What may stand in BACKEND instead: the command backends' },
      { name: 'names', summary: 'Only the names, one a line' },
      answerFd,
      ...COMMON_OPTIONS,
    ],
    maxArguments: 0,
    examples: [
      ['prodserver list', 'a table'],
      ['prodserver list --json', 'one JSON object a line'],
    ],
    load: async () => (await project()).list(),
  },
  {
    name: 'backends',
    usage: '',
    summary: 'What may stand in BACKEND: what is known, what is installed, and what the rest needs',
    options: [...PROJECT_OPTIONS, json, ...COMMON_OPTIONS],
    maxArguments: 0,
    examples: [
      ['prodserver backends', 'a table, and what to type for those that lack something'],
      ['prodserver backends --json', 'one JSON object a line'],
    ],
    load: async () => (await around()).backends(),
  },
  {
    name: 'show',
    usage: '[NAME...]',
    summary: 'Exactly what would run: command, environment, directory, and where each value comes from',
    options: [
      ...PLAN_OPTIONS,
      json,
      { name: 'reveal', summary: 'Show secrets, on a terminal only' },
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver show web', 'the command can be pasted into a shell'],
      ['prodserver show --json', 'the whole plan'],
    ],
    load: async () => (await project()).show(),
  },
  {
    name: 'check',
    usage: '[NAME...]',
    summary: 'Every problem, before anything starts',
    options: [
      ...PLAN_OPTIONS,
      {
        name: 'deploy',
        summary: "Also the running project: database, broker, migrations, Django's own check --deploy",
      },
      {
        name: 'here',
        summary: 'Also whether this machine has the files and ports that are declared, and bears the load',
      },
      { name: 'quick', summary: 'Only what the settings say: nothing is imported, and no program asked' },
      { name: 'fail-level', value: 'LEVEL', summary: 'ERROR or WARNING: what makes the exit code 4. Default ERROR' },
      { name: 'format', value: 'FORM', summary: 'text, json, github (annotations) or sarif. Default text' },
      json,
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver check', 'exit code 4 when there are errors'],
      ['prodserver check --deploy --here', 'on the machine that it is to run on, before a deployment'],
      ['prodserver check --quick', 'while you write, many times a minute'],
      ['prodserver check --fail-level=WARNING', 'where a warning is too much as well'],
      ['prodserver check --format=github', 'shown at the lines of the settings'],
      ['prodserver check --json', 'one JSON object a line'],
    ],
    load: async () => (await project()).check(),
  },
  {
    name: 'diff',
    usage: 'ONE OTHER',
    summary: 'How the processes of two settings modules, environments or git revisions differ',
    options: [
      ...PLAN_OPTIONS,
      { name: 'exit-code', summary: 'Exit with 4 where they differ' },
      json,
      ...COMMON_OPTIONS,
    ],
    examples: [
      [
        'prodserver diff mysite.staging mysite.production',
        'two settings modules: command lines, environments, everything',
      ],
      ['prodserver diff .env.staging .env.production', 'two environments that the settings are read with'],
      ['prodserver diff HEAD~1 .', 'what the working tree changes; also v1.2 v1.3, or main:mysite.production .'],
      ['prodserver diff git:staging settings:staging', 'where a word could be more than one of them'],
      ['prodserver diff --json mysite.staging mysite.production', 'one JSON object a process'],
    ],
    load: async () => (await around()).diff(),
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
    load: async () => (await project()).dev(),
  },
  {
    name: 'up',
    usage: '[NAME...]',
    summary: 'Start all that is declared and keep it running; again, to apply what was changed',
    options: [
      ...PLAN_OPTIONS,
      { name: 'detach', short: 'd', summary: 'In the background; returns when all is ready' },
      { name: 'wait', summary: 'The same as -d: return when all is ready' },
      { name: 'release', value: 'ID', summary: 'Names the deployed code, for what runs once a release. Default: git' },
      {
        name: 'exit-on',
        value: 'WHEN',
        summary: 'End with the first that failed (failure) or ended (any). Default never; failure as process 1',
      },
      ...changing,
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver up', 'in the foreground, with all output; Ctrl-C stops'],
      ['prodserver up -d', 'in the background'],
      ['prodserver up web', 'only the web server, and what it depends on'],
      ['prodserver up -d --set web.ARGS.workers=8', 'until the next `up`; a reload keeps it'],
    ],
    load: async () => (await supervised()).up(),
  },
  {
    name: 'reload',
    usage: '[NAME...]',
    summary: 'Bring in new code and settings without dropping a request; what works stays if the new does not',
    options: [
      ...PLAN_OPTIONS,
      { name: 'release', value: 'ID', summary: 'Names the deployed code, for what runs once a release. Default: git' },
      ...changing,
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver reload', 'everything, after a deployment'],
      ['prodserver reload web', 'exit code 4 when the old one was kept'],
    ],
    load: async () => (await supervised()).reload(),
  },
  action('start', {
    usage: '[NAME...]',
    summary: 'Start what was stopped or has failed',
    examples: [['prodserver start worker', 'and what it depends on']],
  }),
  action('stop', {
    usage: '[NAME...]',
    summary: 'Stop processes, letting them finish what they do',
    examples: [
      ['prodserver stop worker', 'waits for the tasks that are running'],
      ["prodserver stop '@worker' --force", 'all workers, at once'],
    ],
    more: [force],
  }),
  action('restart', {
    usage: '[NAME...]',
    summary: 'Stop and start again; `reload` does it without a gap',
    examples: [['prodserver restart web.2', 'one instance']],
  }),
  action('scale', {
    usage: 'NAME=COUNT...',
    summary: 'Run another number of instances, until the next `up`',
    examples: [
      ['prodserver scale worker=4', 'four of them'],
      ['prodserver scale worker=+1 web=2', 'one more, and two'],
    ],
  }),
  action('down', {
    usage: '',
    summary: 'Stop everything, prove that nothing is left, and end the supervisor',
    examples: [['prodserver down', 'in reverse order']],
    more: [force],
  }),
  {
    name: 'ps',
    usage: '[NAME...]',
    summary: 'What runs, and whether it is as it should be',
    options: [
      ...PROJECT_OPTIONS,
      json,
      { name: 'summary', short: 's', summary: 'One line for all instances of a process in the same state' },
      ...onCluster,
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver ps', 'exit code 0 when all that should run are ready, 3 when nothing runs'],
      ["prodserver ps 'work*'", 'some of it; also web.2, @worker'],
    ],
    load: async () => (await supervised()).ps(),
  },
  {
    name: 'logs',
    usage: '[NAME...]',
    summary: 'What the processes print',
    options: [
      ...PROJECT_OPTIONS,
      { name: 'follow', short: 'f', summary: 'Go on with what is printed from now on' },
      { name: 'lines', short: 'n', value: 'N', summary: 'The last N of each instance, or all; else 100' },
      { name: 'since', value: 'TIME', summary: 'From a time on: 10m, 12:30, "2026-01-31 12:30"' },
      { name: 'until', value: 'TIME', summary: 'Up to a time' },
      { name: 'grep', value: 'PATTERN', summary: 'Only lines that match a regular expression' },
      { name: 'invert', short: 'v', summary: 'Only lines that do not' },
      { name: 'run', value: 'N', summary: 'Only one life of an instance: 1 is its first, -1 its last' },
      json,
      { name: 'raw', summary: 'The bytes as they were printed' },
      { name: 'prefix', value: 'KIND', summary: 'What stands before each line: short, long, none' },
      { name: 'utc', summary: 'Times in UTC' },
      ...onCluster,
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver logs -f', 'all processes, past and future'],
      ['prodserver logs worker --since 10m --grep Timeout', 'the last ten minutes of one'],
      ['prodserver logs web.2 --run -1', 'the last life of an instance, from its beginning'],
    ],
    load: async () => (await supervised()).logs(),
  },
  {
    name: 'events',
    usage: '[NAME...]',
    summary: 'What happened to the processes: starts, ends, reloads',
    options: [
      ...PROJECT_OPTIONS,
      { name: 'follow', short: 'f', summary: 'Go on with what happens from now on' },
      { name: 'lines', short: 'n', value: 'N', summary: 'The last N, or all; else 100' },
      { name: 'since', value: 'TIME', summary: 'From a time on: 10m, 12:30, "2026-01-31 12:30"' },
      json,
      { name: 'utc', summary: 'Times in UTC' },
      ...COMMON_OPTIONS,
    ],
    examples: [['prodserver events -f --json', 'one JSON object a line: for a webhook, a pipe is enough']],
    load: async () => (await supervised()).events(),
  },
  {
    name: 'why',
    usage: 'NAME',
    summary: 'Why a process is in its state, and what to do next',
    options: [...PROJECT_OPTIONS, json, ...COMMON_OPTIONS],
    maxArguments: 1,
    examples: [['prodserver why worker.2', 'its last life, its last output, what it waits for']],
    load: async () => (await supervised()).why(),
  },
  {
    name: 'top',
    usage: '[NAME...]',
    summary: 'What runs, with processor, memory and logs, live',
    options: [...PROJECT_OPTIONS, { name: 'once', summary: 'One look, and the end' }, json, ...COMMON_OPTIONS],
    examples: [
      ['prodserver top', 'the keys are shown at its foot'],
      ['prodserver top --once --json', 'for scripts'],
    ],
    load: async () => (await supervised()).top(),
  },
  {
    name: 'export',
    usage: 'TARGET [NAME...]',
    summary: 'The same processes as files for systemd, Supervisor, Compose, Kubernetes, Nomad, or a Procfile',
    options: [
      ...PLAN_OPTIONS,
      { name: 'out', short: 'o', value: 'FOLDER', summary: 'Write the files there; else they are printed' },
      { name: 'diff', summary: 'Show what would change there, and write nothing' },
      { name: 'check', summary: 'The same, with exit code 1 when files there are stale: for CI' },
      { name: 'name', value: 'NAME', summary: "What all of it is called; else the project's folder" },
      ...EXPORT_OPTIONS,
      {
        name: 'run-via',
        value: 'WAY',
        summary: 'direct: the files have the whole command line. prodserver: they say prodserver run. Default direct',
      },
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver export systemd --out units --user shop', 'what to type next is printed at the end'],
      ['prodserver export systemd --out units --check', 'exit code 1 when the declaration has changed since'],
      ['prodserver export compose --image registry.example.com/shop:1.4', 'print it'],
      [
        'prodserver export kubernetes --image shop:1.4 --env-from shop-secrets --out k8s',
        'with a Secret of the cluster',
      ],
    ],
    load: async () => (await around()).export(),
  },
  {
    name: 'explain',
    usage: 'ID',
    summary: 'What a problem means, with a bad and a good example',
    options: COMMON_OPTIONS,
    maxArguments: 1,
    examples: [['prodserver explain E303', 'the page of the reference on it']],
    load: async () => (await around()).explain(),
  },
  {
    name: 'deploy',
    usage: 'kubernetes|nomad [NAME...]',
    summary: 'Bring the declaration into force on a cluster, one-off processes first, and wait until it serves',
    options: [
      ...PLAN_OPTIONS,
      { name: 'image', value: 'IMAGE', summary: 'The image that has the project' },
      { name: 'env-from', value: 'NAME', repeatable: true, summary: 'A Secret or ConfigMap that has variables' },
      { name: 'user', value: 'USER', summary: 'The user that runs it, where the declaration names none' },
      { name: 'release', value: 'ID', summary: 'Names the code, for what runs once a release. Default: the image' },
      { name: 'dry-run', summary: 'Print the objects, one a line, and change nothing' },
      { name: 'run-via', value: 'WAY', summary: 'direct or prodserver, as in export. Default direct' },
      ...cluster,
      ...changing,
      ...COMMON_OPTIONS,
    ],
    examples: [
      ['prodserver deploy kubernetes --image registry.example.com/shop:1.4 --env-from shop-secrets', 'and wait'],
      ['prodserver deploy kubernetes --image shop:1.4 --dry-run', 'what the cluster would be told'],
      ['prodserver ps --on kubernetes', 'what runs there'],
    ],
    load: async () => (await around()).deploy(),
  },
  {
    name: 'completion',
    usage: 'bash|zsh|fish',
    summary: 'Print a completion script for a shell',
    options: COMMON_OPTIONS,
    maxArguments: 1,
    examples: [['source <(prodserver completion bash)', 'for this shell']],
    load: async () => (await around()).completion(),
  },
]
