import { sep } from 'node:path'
import type { Declaration } from '../config/declarations.ts'
import type { Problem } from '../core/errors.ts'
import { guard, Secret } from '../core/secret.ts'
import type { SettingsAnswer } from '../inspect/settings.ts'
import type { Env } from '../core/types.ts'
import { overridesForPython } from '../inspect/ask-python.ts'
import { readEnvFiles, type Variable } from './env-files.ts'
import type { PlannedVariable } from './plan.ts'
import type { PlanRequest } from './request.ts'
import { pathWith } from './resolve/package-scripts.ts'
import type { ResolvedProcess } from './resolve/resolved-process.ts'

/** Variables that a process gets in addition to the inherited environment. */
export interface PlannedEnvironment {
  readonly env: Readonly<Record<string, PlannedVariable>>
  /** Environment files that cannot be read. */
  readonly problems: readonly Problem[]
}

/** Collects the variables of a process; a later source wins over an earlier one. */
export function buildEnvironment(resolved: ResolvedProcess, request: PlanRequest): PlannedEnvironment {
  const { declaration } = resolved
  const { project, answer, env } = request
  const files = readEnvFiles(declaration, project.root)
  const variables = [
    ...Object.entries(answer.exported).map(([name, value]): Variable => [name, value, 'manage.py']),
    ...settingsVariables(resolved, request),
    ...scriptVariables(resolved, 'defaults'),
    ...files.variables.filter(([name]) => env[name] === undefined),
    ...declaredVariables(declaration),
    ...scriptVariables(resolved, 'assigned'),
  ]
  const all = [...variables, ...searchPath(resolved, variables, env)]
  const planned = Object.fromEntries(
    all.map(([name, value, from]) => [name, { value: value === null ? null : guard(name, value), from }]),
  )
  return {
    env: { ...planned, ...overrideVariables(resolved) },
    problems: files.problems,
  }
}

/** Names the settings for every process: without it manage.py, wsgi.py and asgi.py each decide for themselves. */
function settingsVariables(resolved: ResolvedProcess, request: PlanRequest): readonly Variable[] {
  const { project, answer, env } = request
  if (!project.settings) return []
  const settings: Variable = ['DJANGO_SETTINGS_MODULE', answer.settingsModule, project.settings.reason]
  const path = importPath(resolved, request)
  if (path.length === 0) return [settings]
  return [settings, ['PYTHONPATH', [...path, env['PYTHONPATH']].filter(Boolean).join(':'), 'the project']]
}

function scriptVariables({ application }: ResolvedProcess, kind: 'defaults' | 'assigned'): readonly Variable[] {
  const { script, from = '' } = application.value ?? {}
  return Object.entries(script?.[kind] ?? {}).map(([name, value]) => [name, value, from])
}

const declaredVariables = ({ env = {}, placeOf }: Declaration): readonly Variable[] =>
  Object.entries(env).map(([name, value]) => [name, value === null ? null : pythonText(value), placeOf('env', name)])

/** `PATH` of a script in a `package.json`, with the programs of its packages first. */
function searchPath(
  { application, cwd }: ResolvedProcess,
  variables: readonly Variable[],
  env: Env,
): readonly Variable[] {
  const { script, from = '' } = application.value ?? {}
  if (!script) return []
  const declared = variables.findLast(([name]) => name === 'PATH')
  return [['PATH', pathWith(cwd, process.execPath, declared ? (declared[1] ?? '') : env['PATH']), from]]
}

/** Overrides for a Python class that starts its server itself: it reads its declaration, which has none of them. */
function overrideVariables({ declaration, found }: ResolvedProcess): Readonly<Record<string, PlannedVariable>> {
  const { overrides } = declaration
  if (!found.runsInPython || overrides.length === 0) return {}
  const value = new Secret(JSON.stringify(overridesForPython(overrides)))
  return { PRODSERVER_OVERRIDES: { value, from: overrides.map(({ place }) => place).join(', ') } }
}

/** Folders that the process needs on its import path and would not have. */
function importPath({ cwd }: ResolvedProcess, { project, answer, env }: PlanRequest): readonly string[] {
  // `python -m` puts the working directory on the path, unless it is told not to.
  const root = cwd === project.root && !env['PYTHONSAFEPATH'] ? [] : [project.root]
  const added = project.runManage ? answer.path.filter((folder) => isOfProject(folder, project.root, answer)) : []
  const given = new Set((env['PYTHONPATH'] ?? '').split(':'))
  return [...new Set([...project.pythonPath, ...root, ...added])].filter((folder) => !given.has(folder))
}

/** Tells whether `manage.py` put a folder on the import path, rather than the interpreter. */
const isOfProject = (folder: string, root: string, { python }: SettingsAnswer): boolean =>
  folder.startsWith(root + sep) &&
  !folder.startsWith(python.prefix + sep) &&
  !/\.(zip|egg)$|[/\\](site|dist)-packages/.test(folder)

/** Writes booleans as Python does, because settings files compare with `"True"`. */
function pythonText(value: string | number | boolean): string {
  if (typeof value !== 'boolean') return String(value)
  return value ? 'True' : 'False'
}
