import type { Backend } from '../../backends/backend.ts'
import { BACKEND_REFERENCES, BACKENDS, findBackend } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import { defined } from '../../core/defined.ts'
import type { Problem } from '../../core/errors.ts'
import type { Result } from '../../core/result.ts'
import { nearest } from '../../core/values.ts'
import type { PythonAnswer, PythonClass, PythonError } from '../../inspect/answers.ts'
import { projectProbe } from '../../inspect/programs.ts'
import { isPackageOnly, likelyPackages, mayBePackage } from './backend-packages.ts'
import { isModule, loadModule, loadPackage, notInstalled } from './own-backends.ts'

/** First stage of a process: its backend. */
export interface ResolvedBackend {
  readonly backend: Backend
  /** The name that the plan shows: the short name, the Python class, or the module. */
  readonly reference: string
  /** Arguments that a Python class prepared; they replace `ARGS`. */
  readonly prepared?: readonly string[] | undefined
  /** Whether a Python class starts the server itself, from its declaration. */
  readonly runsInPython?: boolean | undefined
  readonly note?: string | undefined
}

/** Tells whether only the project's interpreter can find the backend of a declaration. */
export const needsPython = ({ backend }: Declaration): boolean =>
  !findBackend(backend) && !isModule(backend) && !isPackageOnly(backend) && backend.includes('.')

/** Finds the backend of one declaration. */
export async function resolveBackend(
  declaration: Declaration,
  root: string,
  answer: PythonAnswer | undefined,
): Promise<Result<ResolvedBackend>> {
  const reference = declaration.backend
  const builtIn = findBackend(reference)
  if (builtIn) return { value: { backend: builtIn, reference: builtIn.name } }
  if (isModule(reference)) return loadModule(declaration, root)
  if (mayBePackage(reference)) return resolvePackage(declaration, root)
  const known = answer?.classes[declaration.name]
  if (known === undefined) return cannotImport(declaration, NO_SUCH_NAME)
  return 'error' in known
    ? { problem: explainPython(declaration, known.error) }
    : { value: fromPython(declaration, known) }
}

const NO_SUCH_NAME = 'there is no built-in backend of that name'

async function resolvePackage(declaration: Declaration, root: string): Promise<Result<ResolvedBackend>> {
  const reference = declaration.backend
  const loaded = await loadPackage(declaration, root)
  if (loaded) return loaded
  const near = nearest(reference, [...BACKEND_REFERENCES, ...likelyPackages(root)])
  if (near === undefined && isScopedOrOurs(reference)) return notInstalled(declaration, root)
  return cannotImport(declaration, NO_SUCH_NAME, near)
}

function fromPython(declaration: Declaration, known: PythonClass): ResolvedBackend {
  const { mro, starter } = known
  const at = mro.findIndex((path) => findBackend(path) !== undefined)
  const base = findBackend(mro[at] ?? '')
  const reference = declaration.backend
  // A start_server of the built-in class or of one of its own bases is the built-in behaviour.
  if (base && starter !== null && mro.indexOf(starter) >= at) {
    const note = `${reference} is ${base.name} with arguments of its own`
    return { backend: base, reference, prepared: known.args ?? [], note }
  }
  const note = `${reference} has a start_server of its own, so it runs inside Python`
  return { backend: inPython(declaration, known, base), reference, note, runsInPython: true }
}

/** A class that starts its server by itself: all that is known of it is what it derives from. */
function inPython(declaration: Declaration, { mro }: PythonClass, base: Backend | undefined): Backend {
  const isWorker = mro.some((path) => path.endsWith('.BaseWorkerBackend'))
  return {
    name: declaration.backend,
    title: declaration.backend.split('.').at(-1) ?? declaration.backend,
    summary: "A backend class of the project's own.",
    kind: base?.kind ?? (isWorker ? 'worker' : 'web'),
    ...defined({ python: base?.python, stop: base?.stop }),
    // Its options reach it inside Python, as it prepares them; only what the command line adds is given here.
    command: ({ extra }) => ({ program: 'python', args: [projectProbe, 'run', declaration.name, ...extra] }),
  }
}

function explainPython(declaration: Declaration, error: PythonError): Problem {
  const { backend, name: process } = declaration
  const details = error.text.trimEnd()
  const missing = error.import ? error.module : null
  if (missing !== null && (backend === missing || backend.startsWith(`${missing}.`)))
    return explainImport(declaration, isOurs(backend) ? UNKNOWN_PATH : error.message, error.near)
  if (error.import) return { ...explainImport(declaration, error.message), details }
  const at = { id: 'E209', place: declaration.placeOf('backend'), process } as const
  if (error.type === 'NotABackendError') {
    const message = `${backend} is not a backend: ${error.message}.`
    const hint =
      'A backend is constructed with the keys of its declaration, then start_server(*prep_server_args()) is called'
    return { ...at, message, hint }
  }
  const message = `The backend class ${backend} raises ${error.type}: ${error.message.split('\n')[0]}`
  return { ...at, message, details }
}

/** What is hardly meant as the name of a built-in one. */
const isScopedOrOurs = (reference: string): boolean => /^@|\/|prodserver/.test(reference)

/** Below these packages everything is built in, whether our Python package is installed or not. */
const isOurs = (path: string): boolean => /^(django_)?prodserver\.backends\./.test(path)

const UNKNOWN_PATH = 'there is no built-in backend of that path'

const cannotImport = (declaration: Declaration, reason: string, near?: string): Result<never> => ({
  problem: explainImport(declaration, reason, near),
})

function explainImport(declaration: Declaration, reason: string, near?: string | null): Problem {
  const { backend, name: process } = declaration
  const message = `Cannot import BACKEND ${JSON.stringify(backend)}: ${reason}.`
  return { id: 'E202', place: declaration.placeOf('backend'), process, message, hint: importHint(backend, near) }
}

function importHint(backend: string, meant: string | null | undefined): string {
  const family = BACKENDS.filter(({ name }) => name.startsWith(`${backend}-`))
  if (family.length > 0) return `Did you mean ${family.map(({ name }) => JSON.stringify(name)).join(' or ')}?`
  const near =
    meant ?? nearest(backend, BACKEND_REFERENCES) ?? nearest(backend.split('.').at(-1) ?? '', BACKEND_REFERENCES)
  if (near) return `Did you mean ${JSON.stringify(near)}?`
  if (!backend.includes('.')) return 'See the known backends: prodserver backends'
  return 'Name a class of your own by its import path, as Python imports it from the folder with manage.py'
}

/** Tells whether a backend can only run in a Django project. */
export const needsDjango = ({ python, app }: Backend): boolean =>
  python !== undefined || app === 'wsgi' || app === 'asgi' || app === 'celery'
