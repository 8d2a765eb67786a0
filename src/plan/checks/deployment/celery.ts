import type { Declaration } from '../../../config/declarations.ts'
import type { CeleryAnswer } from '../../../inspect/answers.ts'
import type { FactsOfDeployment } from '../../facts.ts'
import type { PlannedProcess } from '../../plan.ts'
import { enabledProcesses } from '../check.ts'

/** One Celery application of the project, however many processes run it. */
export interface CeleryApplication {
  /** The first process that runs the application; problems are reported there. */
  readonly declaration: Declaration
  readonly answer: CeleryAnswer
  /** Enabled processes of the application. */
  readonly processes: readonly PlannedProcess[]
}

export function celeryApplications(facts: FactsOfDeployment): readonly CeleryApplication[] {
  const declarations = facts.processes.map(({ declaration }) => declaration)
  const enabled = enabledProcesses(facts)
  return declarations.flatMap((declaration, index) => {
    const answer = facts.deployment.celery[declaration.name]
    const isFirst = declarations.findIndex(({ app }) => app === declaration.app) === index
    if (!answer || !isFirst) return []
    const names = new Set(declarations.filter(({ app }) => app === declaration.app).map(({ name }) => name))
    return [{ declaration, answer, processes: enabled.filter(({ name }) => names.has(name)) }]
  })
}
