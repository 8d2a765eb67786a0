import { findBackend } from '../../backends/index.ts'
import { explainNoDjango } from '../../inspect/explain-settings.ts'
import type { Check } from './check.ts'

/** Django is installed if a backend needs it. One problem for the project, not one for each process. */
export const djangoInstalled: Check = {
  when: 'always',
  find: ({ processes, answer, project }) => {
    const isNeeded = processes.some(({ declaration }) => findBackend(declaration.backend)?.python !== undefined)
    return isNeeded && answer.modules['django'] === false ? [explainNoDjango(project)] : []
  },
}
