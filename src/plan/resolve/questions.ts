import type { Backend } from '../../backends/backend.ts'
import { findBackend, modulesOf } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'
import { resolveApplication, seesModule } from './application.ts'
import type { MemoryQuestion, OptionQuestion, PythonAnswer, PythonQuestion } from '../../inspect/answers.ts'
import { askPython, overridesForPython } from '../../inspect/ask-python.ts'
import type { PlanRequest } from '../request.ts'
import { hasItsApp } from '../checks/package.ts'
import { optionQuestion } from '../checks/options.ts'
import { type ImportedApplication, importedApplication } from '../checks/imported.ts'
import { needsPython, type ResolvedBackend, resolveBackend } from './backend.ts'
import { translate } from './translation.ts'
import { asDeclared } from './variant.ts'
import { memoryQuestion } from '../workload.ts'

/** Asks everything that only an import can answer at once, and nothing where files answer it. */
export async function askAbout(
  wanted: readonly Declaration[],
  request: PlanRequest,
): Promise<PythonAnswer | undefined> {
  const { answer } = request
  const known = wanted.flatMap((declaration) => {
    const backend = findBackend(declaration.backend)
    return backend ? [{ declaration, resolved: { backend, reference: backend.name } }] : []
  })
  const classes = Object.fromEntries(
    wanted.filter(needsPython).map((declaration) => [declaration.name, overridesForPython(declaration.overrides)]),
  )
  const deploy =
    request.deploy && answer.modules['django']
      ? { celery: celeryOf(wanted, answer), libraries: librariesOf(wanted, answer) }
      : null
  const first = await ask({ ...questionsOf(known, request), classes, deploy }, request)
  if (!first || !request.thorough || Object.keys(classes).length === 0) return first
  // What a class of the project's own makes of its ARGS is known only now.
  const prepared = await Promise.all(
    wanted.filter(needsPython).map(async (declaration) => {
      const resolved = await resolveBackend(declaration, request.project.root, first)
      return 'backend' in resolved && resolved.prepared ? [{ declaration, resolved }] : []
    }),
  )
  const second = await ask({ ...questionsOf(prepared.flat(), request), classes: {}, deploy: null }, request)
  if (!second) return first
  return {
    ...first,
    apps: { ...first.apps, ...second.apps },
    options: { ...first.options, ...second.options },
    memory: { ...first.memory, ...second.memory },
  }
}

type Questions = Pick<PythonQuestion, 'classes' | 'deploy' | 'apps' | 'options' | 'memory'>

async function ask(questions: Questions, request: PlanRequest): Promise<PythonAnswer | undefined> {
  const { project, answer, env, timeoutMs } = request
  const { classes, deploy, apps, options, memory } = questions
  if (deploy === null && Object.keys({ ...classes, ...apps, ...options, ...memory }).length === 0) return undefined
  return askPython({
    python: project.python.path,
    root: project.root,
    env: { ...env, ...answer.exported, DJANGO_SETTINGS_MODULE: answer.settingsModule },
    path: [...project.pythonPath, ...(project.runManage ? answer.path : [])],
    ...questions,
    timeoutMs,
  })
}

interface Known {
  readonly declaration: Declaration
  readonly resolved: ResolvedBackend
}

function questionsOf(known: readonly Known[], request: PlanRequest): Pick<Questions, 'apps' | 'options' | 'memory'> {
  const { project, answer, thorough, here } = request
  const apps: Record<string, ImportedApplication['kind']> = {}
  const options: Record<string, OptionQuestion> = {}
  const memory: Record<string, MemoryQuestion> = {}
  for (const { declaration, resolved: found } of known) {
    const resolved = asDeclared(declaration, found, request)
    const { backend } = resolved
    const application = resolveApplication(declaration, backend, answer, project.root)
    if (thorough && isInstalled(backend, answer)) {
      const question = optionQuestion(backend, translate(declaration, resolved, application))
      if (question) options[declaration.name] = question
    }
    const imported = importedApplication(backend, application, answer)
    if (imported && (thorough || !seesModule(imported.path, [project.root, ...answer.path])))
      apps[imported.path] = imported.kind
    if (!here || declaration.enabled === false || !isInstalled(backend, answer)) continue
    const question = memoryQuestion(backend, application, answer)
    if (question) memory[declaration.name] = question
  }
  return { apps, options, memory: here ? memory : null }
}

/** Celery applications by the process that they are of. */
const celeryOf = (wanted: readonly Declaration[], { modules }: SettingsAnswer): Readonly<Record<string, string>> =>
  Object.fromEntries(
    wanted.flatMap(({ name, backend, app, enabled }) =>
      findBackend(backend)?.app === 'celery' && app !== undefined && modules['celery'] && enabled !== false
        ? [[name, app]]
        : [],
    ),
  )

/** Libraries of tasks that have a worker. */
function librariesOf(wanted: readonly Declaration[], answer: SettingsAnswer): readonly string[] {
  const backends = wanted.flatMap(({ backend, enabled }) => (enabled === false ? [] : (findBackend(backend) ?? [])))
  const usable = backends.filter((backend) => isInstalled(backend, answer) && hasItsApp(backend, answer))
  return [...new Set(usable.flatMap(({ queues }) => queues?.library ?? []))]
}

const isInstalled = ({ python }: Backend, { modules }: SettingsAnswer): boolean =>
  python !== undefined && modules['django'] === true && modulesOf(python).some((module) => modules[module] === true)
