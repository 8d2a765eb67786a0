import { findBackend } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { PythonAnswer } from '../../inspect/answers.ts'
import { overridesForPython } from '../../inspect/ask-python.ts'
import type { PlanRequest } from '../request.ts'
import { needsDjango, needsPython, resolveBackend, type ResolvedBackend } from './backend.ts'
import { type ResolvedProcess, resolveProcess } from './resolved-process.ts'
import { ask, deploymentQuestion, questionsAbout } from './questions.ts'
import type { Problem } from '../../core/errors.ts'

/** One declaration after the first two stages; see `ProcessFacts`. */
export interface Resolution {
  readonly declaration: Declaration
  readonly found?: ResolvedBackend | undefined
  readonly resolved?: ResolvedProcess | undefined
  readonly problems: readonly Problem[]
}

interface Resolved {
  /** In the order of the declarations. */
  readonly processes: readonly Resolution[]
  /** Undefined if nothing was asked. */
  readonly python: PythonAnswer | undefined
}

/**
 * Resolves every declaration. The interpreter is asked once for everything; a second time only if a Python class has
 * prepared options, which the first answer brought.
 */
export async function resolveProcesses(wanted: readonly Declaration[], request: PlanRequest): Promise<Resolved> {
  const early = wanted.filter((declaration) => !needsPython(declaration))
  const late = wanted.filter(needsPython)
  const known = await Promise.all(early.map((declaration) => resolveOne(declaration, undefined, request)))
  const first = request.project.settings && (await askFirst(known, wanted, request))
  const classes = await Promise.all(late.map((declaration) => resolveOne(declaration, first, request)))
  const second = first && request.thorough ? await askAboutClasses(classes, request) : undefined
  const byName = new Map([...known, ...classes].map((resolution) => [resolution.declaration.name, resolution]))
  return { processes: wanted.flatMap(({ name }) => byName.get(name) ?? []), python: merge(first, second) }
}

async function resolveOne(
  declaration: Declaration,
  python: PythonAnswer | undefined,
  request: PlanRequest,
): Promise<Resolution> {
  const { root, settings } = request.project
  const { value: found, problem } = await resolveBackend(declaration, root, python)
  if (!found) return { declaration, problems: [problem] }
  if (!settings && needsDjango(found.backend)) return { declaration, found, problems: [] }
  const resolved = resolveProcess(declaration, found, request)
  const { application, translation } = resolved
  // An APP that was left out because it is wrong is not missing as well.
  const ofApplication = application.problem && !declaration.wrong.includes('app') ? [application.problem] : []
  const ofOptions = translation.problems.map((each) => ({ ...each, process: declaration.name }))
  return { declaration, found, resolved, problems: [...ofApplication, ...ofOptions] }
}

function askFirst(
  known: readonly Resolution[],
  wanted: readonly Declaration[],
  request: PlanRequest,
): Promise<PythonAnswer | undefined> {
  const builtIn = known.filter(({ declaration }) => findBackend(declaration.backend))
  const questions = questionsAbout(
    builtIn.flatMap(({ resolved }) => resolved ?? []),
    request,
  )
  const classes = Object.fromEntries(
    wanted.filter(needsPython).map(({ name, overrides }) => [name, overridesForPython(overrides)]),
  )
  return ask({ ...questions, classes, deploy: deploymentQuestion(wanted, request) }, request)
}

/** Asks about the options that Python classes made of their `ARGS`. */
function askAboutClasses(classes: readonly Resolution[], request: PlanRequest): Promise<PythonAnswer | undefined> {
  const prepared = classes.flatMap(({ resolved }) => (resolved?.found.prepared ? resolved : []))
  return ask({ ...questionsAbout(prepared, request), classes: {}, deploy: null }, request)
}

function merge(first: PythonAnswer | undefined, second: PythonAnswer | undefined): PythonAnswer | undefined {
  if (!first || !second) return first
  return {
    ...first,
    apps: { ...first.apps, ...second.apps },
    options: { ...first.options, ...second.options },
    memory: { ...first.memory, ...second.memory },
  }
}
