import { resolve } from 'node:path'
import { optionValues, withoutOverridden } from '../../args/override.ts'
import type { Translation } from '../../args/translate.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Result } from '../../core/result.ts'
import type { PlanRequest } from '../request.ts'
import { type Application, resolveApplication } from './application.ts'
import type { ResolvedBackend } from './backend.ts'
import { translate, withDefaults } from './translation.ts'

/** Second stage of a process: everything that its backend needs to build the command line. */
export interface ResolvedProcess {
  readonly declaration: Declaration
  /** The backend with the changes that the declared options make; see `Backend.variants`. */
  readonly backend: Backend
  /** The first stage. */
  readonly found: ResolvedBackend
  readonly cwd: string
  readonly application: Result<Application | undefined>
  /** The options of `ARGS`, with the backend's defaults. */
  readonly translation: Translation
  /** Facts that a reader would not expect, one sentence each. */
  readonly notes: readonly string[]
}

/** Resolves the application and translates the options, both once. */
export function resolveProcess(
  declaration: Declaration,
  found: ResolvedBackend,
  { answer, project, extra = [] }: Pick<PlanRequest, 'answer' | 'project' | 'extra'>,
): ResolvedProcess {
  const context = { root: project.root, answer }
  const translated = translate(declaration, found, found.prepared ? applicationWords(declaration, found, context) : [])
  const backend = chooseVariant(found.backend, withDefaults(translated, found.backend, declaration), extra)
  const note =
    backend.app === found.backend.app
      ? found.note
      : `${found.backend.title} runs the ${backend.app?.toUpperCase()} application with these ARGS`
  const application = resolveApplication(declaration, backend, context)
  return {
    declaration,
    backend,
    found,
    cwd: resolve(project.root, declaration.cwd ?? '.'),
    application,
    translation: withDefaults(translated, backend, declaration),
    notes: [note, application.value?.note].filter((text) => text !== undefined),
  }
}

/** The backend with the changes of the variants that these options choose. */
function chooseVariant(backend: Backend, { options }: Translation, extra: readonly string[]): Backend {
  const { variants = {}, options: grammar = {} } = backend
  const given = withoutOverridden(options, extra, grammar)
  const changes = Object.entries(variants).map(([option, byValue]) => {
    const value = optionValues(option, given, extra, grammar).at(-1)
    return value === undefined ? undefined : (byValue[value] ?? byValue['*'])
  })
  return Object.assign({}, backend, ...changes) as Backend
}

/** Words of every application that the backend or one of its variants may run. */
function applicationWords(
  declaration: Declaration,
  { backend }: ResolvedBackend,
  context: Parameters<typeof resolveApplication>[2],
): readonly string[] {
  const variants = Object.values(backend.variants ?? {}).flatMap((byValue) => Object.values(byValue))
  const kinds = new Set([backend, ...variants].map(({ app = backend.app }) => app))
  return [...kinds].flatMap((app) => {
    const { value } = resolveApplication(declaration, app === undefined ? backend : { ...backend, app }, context)
    return value?.words ?? []
  })
}
