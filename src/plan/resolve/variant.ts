import { optionValues, withoutOverridden } from '../../args/override.ts'
import type { Backend } from '../../backends/backend.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { PlanRequest } from '../request.ts'
import { resolveApplication } from './application.ts'
import type { ResolvedBackend } from './backend.ts'
import { translate } from './translation.ts'

/** The backend as it is with the options of a process: with a certain worker class it may run another application. */
export function asDeclared(
  declaration: Declaration,
  resolved: ResolvedBackend,
  { answer, project, extra = [] }: Pick<PlanRequest, 'answer' | 'project' | 'extra'>,
): ResolvedBackend {
  const { backend, prepared } = resolved
  const { variants, options: grammar = {}, title } = backend
  if (!variants) return resolved
  const application = resolveApplication(declaration, backend, answer, project.root)
  const { options } = translate(declaration, resolved, application)
  const given = withoutOverridden(options, extra, grammar)
  const changes = Object.entries(variants).map(([option, byValue]): Partial<Backend> => {
    const value = optionValues(option, given, extra, grammar).at(-1)
    return value === undefined ? {} : (byValue[value] ?? byValue['*'] ?? {})
  })
  const changed: Backend = Object.assign({}, backend, ...changes)
  if (changed.app === backend.app) return { ...resolved, backend: changed }
  const own = application && 'words' in application ? application.words : []
  return {
    ...resolved,
    backend: changed,
    // The other application is in the list that a Python class has prepared.
    ...(prepared && { prepared: prepared.filter((token) => !own.includes(token)) }),
    note: `${title} runs the ${changed.app?.toUpperCase()} application with these ARGS`,
  }
}
