import { applicationNameText, duration, oneOf, setText } from './option-values.ts'
import type { OptionsOf } from './option-spec.ts'
import { flag, list, parsed, parsedList, value, withDefault } from './options.ts'

/** Options of every command that reads a project. */
export const PROJECT_OPTIONS = {
  settings: value('MODULE', 'Settings module; else DJANGO_SETTINGS_MODULE, else what manage.py sets'),
  python: value('PATH', 'Interpreter, or the folder of an environment'),
  project: value('PATH', 'Folder with manage.py or a config file; else the nearest one upwards'),
  config: value('FILE', 'Config file; else prodserver.config.ts, .js, .mjs or .json in the project'),
  pythonpath: list('PATH', 'A folder to put first on the import path'),
} as const

export type ProjectOptions = OptionsOf<typeof PROJECT_OPTIONS>

/** Options of every command that plans a project. */
export const PLAN_OPTIONS = {
  ...PROJECT_OPTIONS,
  set: parsedList(
    'NAME.KEY=VALUE',
    'Another value for a key of a process, or for a part of it: web.ARGS.workers=8; null removes it',
    setText,
    { like: /^[^=]+\.[^=]+=/ },
  ),
} as const

export type PlanOptions = OptionsOf<typeof PLAN_OPTIONS>

export const COMMON_OPTIONS = {
  'no-color': flag('No colours (also: NO_COLOR)'),
  help: flag('Show help', { short: 'h' }),
} as const

/** Options of Django's own commands, for processes that are Django commands. */
export const DJANGO_OPTIONS = {
  verbosity: value('LEVEL', 'Passed on to backends that are Django commands', { short: 'v' }),
  traceback: flag('Show a stack trace for every error; passed on to Django commands'),
  'skip-checks': flag('Passed on to Django commands and to Celery'),
} as const

export const JSON_OPTION = { json: flag('Machine-readable output') } as const

/** A descriptor on which `manage.py prodserver` hands over its settings, so that they are not imported twice. */
export const ANSWER_OPTION = {
  'answer-fd': parsed('FD', 'Settings already read', Number, { hidden: true }),
} as const

/** Options that choose a cluster and an application on it. */
export const CLUSTER_OPTIONS = {
  kubeconfig: value('FILE', 'What says how to reach the cluster; else KUBECONFIG, ~/.kube/config'),
  context: value('NAME', 'A context of it; else its current one'),
  namespace: value('NAME', "Namespace; else the context's"),
  name: parsed('NAME', "What was deployed is called; else the project's folder", applicationNameText),
} as const

export type ClusterOptions = OptionsOf<typeof CLUSTER_OPTIONS>

/** Options of every command that can ask a cluster instead of this machine. */
export const ON_CLUSTER_OPTIONS = {
  on: parsed('ENGINE', 'What was deployed to kubernetes, instead of this machine', oneOf(['kubernetes'])),
  ...CLUSTER_OPTIONS,
} as const

export type OnClusterOptions = OptionsOf<typeof ON_CLUSTER_OPTIONS>

const TEN_MINUTES_MS = 600_000

/** Options of every command that changes what runs. */
export const CHANGE_OPTIONS = {
  ...JSON_OPTION,
  quiet: flag('Say only what went wrong', { short: 'q' }),
  timeout: withDefault(
    parsed('TIME', 'How long to wait, such as 30s; it goes on after that. Default 10m', duration),
    TEN_MINUTES_MS,
  ),
  'no-wait': flag('Do not wait until it is done'),
} as const

export type ChangeOptions = OptionsOf<typeof CHANGE_OPTIONS>

/** Options of start, stop, restart, scale and down. */
export const ACTION_OPTIONS = {
  ...ON_CLUSTER_OPTIONS,
  ...CHANGE_OPTIONS,
  ...COMMON_OPTIONS,
} as const

export type ActionOptions = OptionsOf<typeof PROJECT_OPTIONS & typeof ON_CLUSTER_OPTIONS & typeof CHANGE_OPTIONS>

export const FORCE_OPTION = { force: flag('Kill at once, instead of letting work be finished') } as const
