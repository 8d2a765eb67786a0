import { resolve } from 'node:path'
import type { Backend } from '../../backends/backend.ts'
import { BACKENDS, findBackend } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import { isError, type Problem } from '../../core/errors.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'
import type { Project } from '../../project/project.ts'
import type { ProcessKind } from '../../core/types.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { seesModule } from './application.ts'
import { backendPackages, mayBePackage, packageOf } from './backend-packages.ts'
import { missingPackage } from '../checks/backend-package.ts'
import { oldPackage } from '../checks/package-version.ts'
import { disk } from '../disk.ts'
import { installedVersion } from './installed-version.ts'
import { addCommand, findPackage, type Manifest, versionOf } from './node-packages.ts'
import { loadPackage } from './own-backends.ts'
import type { PlannedProcess } from '../plan.ts'

/** What may stand in `BACKEND`, and whether it would work in this project. */
export interface KnownBackend {
  readonly name: string
  /** Null where it cannot be told. */
  readonly kind: ProcessKind | null
  readonly summary: string
  readonly paths: readonly string[]
  readonly from: 'built-in' | 'package' | 'project'
  /** The version of its program, or of the package that brings it; null where there is none, or none is known. */
  readonly installed: string | null
  /** Null where it is not known. */
  readonly usable: boolean | null
  readonly missing: readonly Missing[]
}

/** What it lacks, and the next thing to type. */
interface Missing {
  /** It is usable without an add-on, but for one value of an option. */
  readonly what: 'package' | 'app' | 'version' | 'add-on' | 'backend' | 'project'
  /** What is wrong, a sentence. */
  readonly message: string
  readonly hint: string | null
  /** The option and the value that need an add-on: `worker-class=gevent`. */
  readonly option?: string
}

interface Installation {
  readonly project: Project
  readonly answer: SettingsAnswer
  readonly declarations: readonly Declaration[]
}

/** The built-in ones, in the order of the reference. */
export const builtInBackends = (installation: Installation | undefined, nodeVersion: string): readonly KnownBackend[] =>
  BACKENDS.map((backend) => {
    const { installed, ...looked } = lookedAt(backend, installation)
    const isNode = backend.name === 'node' || backend.name === 'npm-script'
    return { ...described(backend, backend.name, 'built-in'), installed: isNode ? nodeVersion : installed, ...looked }
  })

const described = (
  { kind, summary, paths = [] }: Backend,
  name: string,
  from: KnownBackend['from'],
): Pick<KnownBackend, 'name' | 'kind' | 'summary' | 'paths' | 'from'> => ({ name, kind, summary, paths, from })

type Looked = Pick<KnownBackend, 'installed' | 'usable' | 'missing'>

/** Tells whether a backend would work in this project; without a project, only backends that need nothing would. */
function lookedAt(backend: Backend, installation: Installation | undefined): Looked {
  if (!backend.python && !backend.node) return { installed: null, usable: true, missing: [] }
  if (!installation) return { installed: null, usable: null, missing: [] }
  if (backend.node) return lookedAtNode(backend.node.package, backend, installation)
  if (!installation.project.settings) return withoutProject(installation)
  if (backend.python?.module === 'django' && !installation.answer.modules['django']) return withoutDjango(installation)
  return lookedAtPython(backend, installation)
}

function lookedAtPython(backend: Backend, installation: Installation): Looked {
  const asked = { name: backend.name, placeOf: () => backend.name }
  const facts = { ...installation, disk }
  const problems = [...missingPackage(asked, backend, facts), ...oldPackage(asked, backend, facts)]
  const missing = problems.map(({ id, message, hint = null }): Missing => ({
    what: WHAT[id] ?? 'package',
    message,
    hint,
  }))
  const usable = !problems.some(isError)
  if (missing.some(({ what }) => what === 'package')) return { installed: null, usable, missing }
  const [distribution = ''] = backend.python?.package.split(' ') ?? []
  return {
    installed: installedVersion(distribution, installation.answer.path) ?? null,
    usable,
    missing: [...missing, ...missingAddons(backend, installation)],
  }
}

/** Packages of npm are where they are used: in the working directories that are declared, else in the project. */
function lookedAtNode(name: string, { name: backend }: Backend, { project, declarations }: Installation): Looked {
  const declared = declarations.filter((each) => findBackend(each.backend)?.name === backend)
  const folders = [...declared.map(({ cwd = '.' }) => resolve(project.root, cwd)), project.root]
  const found = firstPackage(name, folders)
  if (found) return { installed: versionOf(found), usable: true, missing: [] }
  const [folder = project.root] = folders
  const message = `${name} is not installed for ${folder}.`
  const hint = `cd ${quoteWord(folder)} && ${addCommand(folder)} ${name}`
  return { installed: null, usable: false, missing: [{ what: 'package', message, hint }] }
}

function firstPackage(name: string, folders: readonly string[]): Manifest | undefined {
  for (const folder of folders) {
    const found = findPackage(name, folder)
    if (found) return found
  }
  return undefined
}

/** A config file without a Django project: no Python is started for it. */
function withoutProject({ project: { root } }: Installation): Looked {
  const message = `It needs a Django project, and there is no manage.py in ${root}.`
  const hint = 'Put the config file beside manage.py, or name the settings: --settings mysite.settings'
  return { installed: null, usable: false, missing: [{ what: 'project', message, hint }] }
}

/** Elsewhere that is a problem of the whole project, and none of one backend. */
function withoutDjango({ project: { python } }: Installation): Looked {
  const message = `Django is not installed in ${python.path} (chosen by ${python.reason}).`
  return { installed: null, usable: false, missing: [{ what: 'package', message, hint: `${python.install} django` }] }
}

const WHAT: Readonly<Partial<Record<Problem['id'], Missing['what']>>> = {
  E203: 'package',
  E204: 'app',
  W306: 'version',
}

/** Values of options that need a module of their own. */
function missingAddons({ addons = {} }: Backend, { project, answer }: Installation): readonly Missing[] {
  return Object.entries(addons).flatMap(([option, values]) =>
    Object.entries(values)
      .filter(([, { module }]) => !seesModule(module, answer.path))
      .map(([value, { package: name }]): Missing => ({
        what: 'add-on',
        option: `${option}=${value}`,
        message: `${option} ${JSON.stringify(value)} needs ${name}.`,
        hint: `${project.python.install} ${name}`,
      })),
  )
}

/** Those of packages: that say so by their name or a keyword, and that the declaration names. */
export async function packagedBackends(
  root: string,
  installation: Installation | undefined,
): Promise<readonly KnownBackend[]> {
  const declarations = installation?.declarations ?? []
  const declared = declarations.map(({ backend }) => backend).filter((reference) => isPackaged(reference, root))
  const references = new Set([...declared, ...backendPackages(root).map(({ name }) => name)])
  return Promise.all([...references].map((reference) => packagedBackend(reference, root, installation)))
}

async function packagedBackend(
  reference: string,
  root: string,
  installation: Installation | undefined,
): Promise<KnownBackend> {
  const found = packageOf(reference, root)
  const installed = found ? versionOf(found) : null
  const loaded = await loadPackage({ backend: reference, name: reference, placeOf: () => reference }, root)
  if (!loaded?.value) return unusable(reference, installed, loaded?.problem)
  const { value } = loaded
  return { ...described(value.backend, reference, 'package'), ...lookedAt(value.backend, installation), installed }
}

/** A package whose backend cannot be loaded. */
const unusable = (name: string, installed: string | null, problem: Problem | undefined): KnownBackend => ({
  name,
  kind: null,
  summary: '',
  paths: [],
  from: 'package',
  installed,
  usable: false,
  missing: [{ what: 'backend', message: problem?.message ?? '', hint: problem?.hint ?? null }],
})

const isPackaged = (reference: string, root: string): boolean =>
  !findBackend(reference) && mayBePackage(reference) && packageOf(reference, root) !== undefined

const OF_BACKEND: ReadonlySet<Problem['id']> = new Set(['E202', 'E203', 'E204', 'E208', 'E209', 'E211'])

/** Modules and Python classes of the project's own that the declaration names, as they were planned. */
export function projectBackends(
  declarations: readonly Declaration[],
  {
    project,
    processes,
    problems,
  }: { project: Project; processes: readonly PlannedProcess[]; problems: readonly Problem[] },
): readonly KnownBackend[] {
  const own = new Map(
    declarations
      .filter(({ backend }) => !findBackend(backend) && !isPackaged(backend, project.root))
      .map((declaration) => [declaration.backend, declaration]),
  )
  return [...own.values()].map(({ name, backend }) => {
    const planned = processes.find((candidate) => candidate.name === name)
    const missing = problems
      .filter(({ process, id }) => process === name && OF_BACKEND.has(id))
      .map(({ message, hint = null }): Missing => ({ what: 'backend', message, hint }))
    const isKnown = planned !== undefined || missing.length > 0
    return {
      name: backend,
      kind: planned?.kind ?? null,
      summary: planned?.title ?? '',
      paths: [],
      from: 'project',
      installed: null,
      usable: isKnown ? missing.length === 0 : null,
      missing,
    }
  })
}
