import { longName } from '../../args/grammar.ts'
import type { Option } from '../../args/translate.ts'
import type { Backend } from '../../backends/backend.ts'
import { findBackend, modulesOf } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type {
  DeploymentQuestion,
  ImportedKind,
  MemoryQuestion,
  OptionQuestion,
  PythonAnswer,
  PythonQuestion,
} from '../../inspect/answers.ts'
import { askPython } from '../../inspect/ask-python.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'
import type { PlanRequest } from '../request.ts'
import { seesModule } from './application.ts'
import { hasItsApp, isInstalled } from './installation.ts'
import type { ResolvedProcess } from './resolved-process.ts'

/** The part of the question that differs between two askings for one plan. */
type Questions = Pick<PythonQuestion, 'classes' | 'deploy' | 'apps' | 'options' | 'memory'>

/** Asks everything that only an import can answer; undefined if files answered everything already. */
export async function ask(questions: Questions, request: PlanRequest): Promise<PythonAnswer | undefined> {
  const { project, answer, env, timeoutMs } = request
  const { classes, deploy, apps, options, memory } = questions
  if (deploy === null && Object.keys({ ...classes, ...apps, ...options, ...memory }).length === 0) return undefined
  return askPython({
    python: project.python.path,
    root: project.root,
    env: { ...env, ...answer.exported, DJANGO_SETTINGS_MODULE: answer.settingsModule },
    path: project.runManage ? [...project.pythonPath, ...answer.path] : project.pythonPath,
    ...questions,
    timeoutMs,
  })
}

/** The questions about processes: their applications, their options and their memory. */
export function questionsAbout(
  processes: readonly ResolvedProcess[],
  request: PlanRequest,
): Pick<Questions, 'apps' | 'options' | 'memory'> {
  const named = <T>(
    questionOf: (resolved: ResolvedProcess, request: PlanRequest) => T | undefined,
  ): Record<string, T> =>
    Object.fromEntries(
      processes.flatMap((resolved) => {
        const question = questionOf(resolved, request)
        return question === undefined ? [] : [[resolved.declaration.name, question]]
      }),
    )
  const apps = processes.flatMap((resolved) => applicationQuestion(resolved, request) ?? [])
  return {
    apps: Object.fromEntries(apps.map(({ path, kind }) => [path, kind])),
    options: request.thorough ? named(optionQuestion) : {},
    memory: request.machine ? named(memoryQuestion) : null,
  }
}

/** An application that must be importable for a process to start. */
export interface ImportedApplication {
  /** The import path as the program gets it: Celery's own forms, `module:attribute` for the others. */
  readonly path: string
  readonly kind: ImportedKind
  /** The place where the application is named. */
  readonly from: string
}

/** The imported application of a process; undefined if a missing package prevents the import anyway. */
export function importedApplication(
  { backend, application: { value } }: ResolvedProcess,
  { modules }: SettingsAnswer,
): ImportedApplication | undefined {
  const kind = backend.app
  if (!value || !(kind === 'celery' || kind === 'wsgi' || kind === 'asgi')) return undefined
  if (!modules['django'] || !modules[backend.python?.module ?? 'django']) return undefined
  return { path: value.words[0] ?? '', kind, from: value.from }
}

/** An application whose module is not among the files on the import path; with `thorough`, every application. */
function applicationQuestion(
  resolved: ResolvedProcess,
  { answer, project, thorough }: PlanRequest,
): ImportedApplication | undefined {
  const imported = importedApplication(resolved, answer)
  if (!imported || thorough) return imported
  return seesModule(imported.path, [project.root, ...answer.path]) ? undefined : imported
}

/** The question about the options of a process; undefined if no program can judge them, or if there are none. */
export function optionQuestion(
  { backend, translation }: Pick<ResolvedProcess, 'backend' | 'translation'>,
  { answer }: Pick<PlanRequest, 'answer'>,
): OptionQuestion | undefined {
  const { parser, python } = backend
  if (parser === undefined || !python || !isInstalled(backend, answer)) return undefined
  const asked = translation.options.filter(({ tokens }) => tokens.length > 0)
  // gunicorn also reads options from a file and from the environment.
  if (asked.length === 0 && !parser.startsWith('gunicorn ')) return undefined
  return {
    parser,
    package: python.package.split(' ').at(-1) as string,
    options: asked.map(({ key, tokens }) => [key, tokens]),
    modules: asked.flatMap((option) => addonsOf(option, backend).map(({ module }) => module)),
  }
}

/** Modules that the values of an option need, with their packages. */
export const addonsOf = (
  option: Option,
  { addons = {}, options = {} }: Backend,
): readonly { readonly module: string; readonly package: string }[] =>
  option.values.flatMap((value) => addons[longName(option.name, options)]?.[value] ?? [])

/** The modules and the application to measure; undefined if the process is not Python, or cannot start. */
function memoryQuestion(
  { declaration, backend, application }: ResolvedProcess,
  { answer }: PlanRequest,
): MemoryQuestion | undefined {
  const { app, parser, python } = backend
  if (declaration.enabled === false || !python || application.problem || !isInstalled(backend, answer)) return undefined
  const path = application.value?.words[0]
  const isImported = (app === 'wsgi' || app === 'asgi' || app === 'celery') && path !== undefined
  return {
    modules: modulesOf(python).filter((module) => answer.modules[module]),
    parser: parser ?? null,
    app: isImported ? [path, app] : null,
  }
}

/** The question about the running project; null if it was not asked for. */
export function deploymentQuestion(
  wanted: readonly Declaration[],
  { answer, deploy }: PlanRequest,
): DeploymentQuestion | null {
  if (!deploy || !answer.modules['django']) return null
  return { celery: celeryOf(wanted, answer), libraries: librariesOf(wanted, answer) }
}

/** Import paths of Celery applications, by process. */
const celeryOf = (wanted: readonly Declaration[], { modules }: SettingsAnswer): Readonly<Record<string, string>> =>
  Object.fromEntries(
    wanted.flatMap(({ name, backend, app, enabled }) =>
      findBackend(backend)?.app === 'celery' && app !== undefined && modules['celery'] && enabled !== false
        ? [[name, app]]
        : [],
    ),
  )

/** Task libraries that have a worker. */
function librariesOf(wanted: readonly Declaration[], answer: SettingsAnswer): readonly string[] {
  const backends = wanted.flatMap(({ backend, enabled }) => (enabled === false ? [] : (findBackend(backend) ?? [])))
  const usable = backends.filter((backend) => isInstalled(backend, answer) && hasItsApp(backend, answer))
  return [...new Set(usable.flatMap(({ queues }) => queues?.library ?? []))]
}
