import type { Backend } from '../../backends/backend.ts'
import { BACKEND_REFERENCES, BACKENDS, findBackend } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import { nearest } from '../../core/values.ts'
import type { Problem } from '../../core/errors.ts'
import type { PythonAnswer, PythonClass, PythonError } from '../../inspect/answers.ts'
import { projectProbe } from '../../inspect/programs.ts'
import { isPackageOnly, likelyPackages, mayBePackage } from './backend-packages.ts'
import { isModule, loadModule, loadPackage, notInstalled } from './own-backends.ts'

/** What a declaration's `BACKEND` turned out to be. */
export interface ResolvedBackend {
  readonly backend: Backend
  /** What it was taken from: the short name, the Python class, the module. */
  readonly reference: string
  /** Arguments that a Python class prepared; they take the place of `ARGS`. */
  readonly prepared?: readonly string[]
  /** It is constructed from its declaration again when it starts. */
  readonly runsInPython?: boolean
  readonly note?: string
}

/** The declarations whose backend only Python can explain. */
export const needsPython = (declaration: Declaration): boolean =>
  !findBackend(declaration.backend) &&
  !isModule(declaration.backend) &&
  !isPackageOnly(declaration.backend) &&
  declaration.backend.includes('.')

/** Finds the backend of one declaration, or says why there is none. */
export async function resolveBackend(
  declaration: Declaration,
  root: string,
  answer: PythonAnswer | undefined,
): Promise<ResolvedBackend | Problem> {
  const reference = declaration.backend
  const builtIn = findBackend(reference)
  if (builtIn) return { backend: builtIn, reference: builtIn.name }
  if (isModule(reference)) return loadModule(declaration, root)
  if (mayBePackage(reference)) {
    const loaded = await loadPackage(declaration, root)
    if (loaded) return loaded
    const near = nearest(reference, [...BACKEND_REFERENCES, ...likelyPackages(root)])
    if (near === undefined && isScopedOrOurs(reference)) return notInstalled(declaration, root)
    return cannotImport(declaration, 'there is no built-in backend of that name', near)
  }
  const known = answer?.classes[declaration.name]
  if (known === undefined) return cannotImport(declaration, 'there is no built-in backend of that name')
  return 'error' in known ? explainPython(declaration, known.error) : fromPython(declaration, known)
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
    ...(base?.python && { python: base.python }),
    ...(base?.stop && { stop: base.stop }),
    // Its options reach it inside Python, as it prepares them; only what the command line adds is given here.
    command: ({ extra }) => ({ program: 'python', args: [projectProbe, 'run', declaration.name, ...extra] }),
  }
}

function explainPython(declaration: Declaration, error: PythonError): Problem {
  const place = declaration.placeOf('backend')
  const missing = error.import && error.module !== null
  if (missing && (declaration.backend === error.module || declaration.backend.startsWith(`${error.module}.`)))
    return cannotImport(declaration, isOurs(declaration.backend) ? UNKNOWN_PATH : error.message, error.near)
  if (error.import) return { ...cannotImport(declaration, error.message), details: error.text.trimEnd() }
  if (error.type === 'NotABackend')
    return {
      id: 'E209',
      place,
      process: declaration.name,
      message: `${declaration.backend} is not a backend: ${error.message}.`,
      hint: 'A backend is constructed with the keys of its declaration, then start_server(*prep_server_args()) is called',
    }
  return {
    id: 'E209',
    place,
    process: declaration.name,
    message: `The backend class ${declaration.backend} raises ${error.type}: ${error.message.split('\n')[0]}`,
    details: error.text.trimEnd(),
  }
}

/** What is hardly meant as the name of a built-in one. */
const isScopedOrOurs = (reference: string): boolean => /^@|\/|prodserver/.test(reference)

/** Below these packages everything is built in, whether our Python package is installed or not. */
const isOurs = (path: string): boolean => /^(django_)?prodserver\.backends\./.test(path)

const UNKNOWN_PATH = 'there is no built-in backend of that path'

function cannotImport(declaration: Declaration, reason: string, meant?: string | null): Problem {
  const near =
    meant ??
    nearest(declaration.backend, BACKEND_REFERENCES) ??
    nearest(declaration.backend.split('.').at(-1) ?? '', BACKEND_REFERENCES)
  const known = 'See the known backends: prodserver backends'
  const own = 'Name a class of your own by its import path, as Python imports it from the folder with manage.py'
  const family = BACKENDS.filter(({ name }) => name.startsWith(`${declaration.backend}-`))
  const several = family.map(({ name }) => JSON.stringify(name)).join(' or ')
  const hint = several
    ? `Did you mean ${several}?`
    : near
      ? `Did you mean ${JSON.stringify(near)}?`
      : declaration.backend.includes('.')
        ? own
        : known
  return {
    id: 'E202',
    place: declaration.placeOf('backend'),
    process: declaration.name,
    message: `Cannot import BACKEND ${JSON.stringify(declaration.backend)}: ${reason}.`,
    hint,
  }
}
