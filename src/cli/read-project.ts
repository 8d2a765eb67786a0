import { closeSync, readFileSync } from 'node:fs'
import { PYTHON_MODULES } from '../backends/index.ts'
import { type ConfigAnswer, readConfig } from '../project/config-file.ts'
import { NO_SETTINGS, readSettings, type SettingsAnswer } from '../inspect/settings.ts'
import { hasSettings, locateProject, type Project } from '../project/project.ts'
import { isDictionary } from '../core/values.ts'
import { splitSet } from '../config/set-text.ts'
import { UsageError } from '../core/errors.ts'
import type { CommandContext } from './commands/index.ts'

export interface ReadProject {
  readonly project: Project
  readonly answer: SettingsAnswer
}

const DEFAULT_TIMEOUT_S = 60

/** Finds the project and reads its settings and its config file, as the command's options say. */
export async function readProject(
  context: CommandContext,
  project: Project = projectFromOptions(context),
  { lines = false }: { readonly lines?: boolean } = {},
): Promise<ReadProject> {
  const timeoutMs = settingsTimeoutMs(context)
  const [answer, config] = await Promise.all([
    answerOf(context, project, lines),
    project.config && readConfig(project.config, { cwd: project.root, env: context.io.env, timeoutMs, lines }),
  ])
  return { project, answer: config ? withConfig(answer, config) : answer }
}

async function answerOf(context: CommandContext, project: Project, lines: boolean): Promise<SettingsAnswer> {
  const given = single(context, 'answer-fd')
  checkSet(setsOf(context))
  // `manage.py prodserver` has the settings in force already, and hands them over.
  if (given !== undefined) return takeAnswer(Number(given))
  if (!hasSettings(project)) return NO_SETTINGS
  const timeoutMs = settingsTimeoutMs(context)
  return readSettings({ project, env: context.io.env, modules: PYTHON_MODULES, lines, timeoutMs })
}

function withConfig(answer: SettingsAnswer, config: ConfigAnswer): SettingsAnswer {
  const { order, lines = [], literals = [] } = answer
  const declared = isDictionary(config.value) ? config.value['processes'] : undefined
  const names = isDictionary(declared) ? Object.keys(declared) : []
  return {
    ...answer,
    config,
    order: [...new Set([...order, ...names])],
    lines: [...lines, ...config.lines],
    literals: [...literals, ...config.literals],
  }
}

/** Reads the answer, and closes its descriptor: the server must not inherit what it is not told. */
function takeAnswer(fd: number): SettingsAnswer {
  try {
    return JSON.parse(readFileSync(fd, 'utf8')) as SettingsAnswer
  } finally {
    closeSync(fd)
  }
}

export function projectFromOptions(context: CommandContext, settings = single(context, 'settings')): Project {
  const { io, options } = context
  return locateProject({
    cwd: io.cwd,
    env: io.env,
    settings,
    python: single(context, 'python'),
    project: single(context, 'project'),
    config: single(context, 'config'),
    pythonPath: options.values['pythonpath'],
  })
}

/** The value of an option; the last one, where it was given twice. */
export const single = ({ options }: CommandContext, name: string): string | undefined => options.values[name]?.at(-1)

/** What every plan is made from. */
export const planBasis = (context: CommandContext) =>
  ({
    env: context.io.env,
    set: setsOf(context),
    processors: context.io.processors,
    timeoutMs: settingsTimeoutMs(context),
  }) as const

/** The values of `--set`. */
export const setsOf = ({ options }: CommandContext): readonly string[] => options.values['set'] ?? []

/** @throws {UsageError} for one that is not `NAME.KEY=VALUE`; what it names is looked at with the declaration. */
function checkSet(texts: readonly string[]): void {
  const wrong = texts.find((text) => splitSet(text) === undefined)
  if (wrong === undefined) return
  const [path = ''] = wrong.split('=')
  const isBare = wrong === path && splitSet(`${path}=`) !== undefined
  throw new UsageError(
    `--set takes NAME.KEY=VALUE or NAME.KEY.INNER=VALUE, and ${path} ${isBare ? 'has no value' : 'names no key'}.`,
    isBare ? `Such as --set ${path}=true.` : 'Such as --set web.ARGS.workers=8.',
  )
}

/** How long the settings may take to load: `PRODSERVER_SETTINGS_TIMEOUT` in seconds. */
export function settingsTimeoutMs({ io }: CommandContext): number {
  const seconds = Number(io.env['PRODSERVER_SETTINGS_TIMEOUT'])
  return (seconds > 0 ? seconds : DEFAULT_TIMEOUT_S) * 1000
}
