import { closeSync, readFileSync } from 'node:fs'
import { PYTHON_MODULES } from '../backends/index.ts'
import { isDictionary } from '../core/values.ts'
import { NO_SETTINGS, readSettings, type SettingsAnswer } from '../inspect/settings.ts'
import { type ConfigAnswer, readConfig } from '../project/config-file.ts'
import { hasSettings, type Project } from '../project/project.ts'
import type { CommandContext } from './command.ts'
import { projectFromOptions } from './locate-project.ts'
import type { ProjectOptions } from './option-sets.ts'

export interface ReadProject {
  readonly project: Project
  readonly answer: SettingsAnswer
}

/** The part of a context that reads a project; `manage.py prodserver` has read the settings before. */
export type ReadContext = Pick<
  CommandContext<ProjectOptions & { readonly 'answer-fd'?: number | undefined }>,
  'io' | 'options'
>

const DEFAULT_TIMEOUT_S = 60

/** Finds the project and reads its settings and its config file, as the command's options say. */
export async function readProject(
  context: ReadContext,
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

async function answerOf(context: ReadContext, project: Project, lines: boolean): Promise<SettingsAnswer> {
  const { io, options } = context
  const answerFd = options['answer-fd']
  if (answerFd !== undefined) return takeAnswer(answerFd)
  if (!hasSettings(project)) return NO_SETTINGS
  const timeoutMs = settingsTimeoutMs(context)
  return readSettings({ project, env: io.env, modules: PYTHON_MODULES, lines, timeoutMs })
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

/** Reads the answer, and closes its descriptor: the server must not inherit it. */
function takeAnswer(fd: number): SettingsAnswer {
  try {
    return JSON.parse(readFileSync(fd, 'utf8')) as SettingsAnswer
  } finally {
    closeSync(fd)
  }
}

/** Values of a plan request that do not depend on the project. */
export const planBasis = ({
  io,
  options,
}: Pick<CommandContext<{ readonly set?: readonly string[] }>, 'io' | 'options'>) =>
  ({
    env: io.env,
    set: options.set ?? [],
    processors: io.processors,
    timeoutMs: settingsTimeoutMs({ io }),
  }) as const

/** How long the settings may take to load: `PRODSERVER_SETTINGS_TIMEOUT` in seconds. */
export function settingsTimeoutMs({ io }: Pick<CommandContext, 'io'>): number {
  const seconds = Number(io.env['PRODSERVER_SETTINGS_TIMEOUT'])
  return (seconds > 0 ? seconds : DEFAULT_TIMEOUT_S) * 1000
}
