import type { Problem } from '../../core/errors.ts'
import type { ExportInput, ExportRequest } from '../input.ts'
import { warning } from '../support.ts'

/**
 * Removes the processes that only collect static files. No other container sees the files that one of them collects, so
 * the image holds them instead: the first of these processes becomes the `collector` of the image.
 */
export function collectInImage(request: ExportRequest): { input: ExportInput; problems: readonly Problem[] } {
  const collectors = request.processes.filter(({ collectsStatic }) => collectsStatic)
  const removed = new Set(collectors.map(({ name }) => name))
  const processes = request.processes
    .filter(({ name }) => !removed.has(name))
    .map((exported) => ({
      ...exported,
      dependsOn: Object.fromEntries(Object.entries(exported.dependsOn).filter(([name]) => !removed.has(name))),
    }))
  return {
    input: { ...request, processes, collector: collectors[0] },
    problems: collectors.map((exported) => warning('run', INSTEAD, exported)),
  }
}

const INSTEAD = {
  message:
    'Other containers cannot see static files that this process collects, so the export leaves the process out. The Dockerfile of the target compose collects them while the image is built.',
  hint: 'In your own Dockerfile: RUN python manage.py collectstatic --noinput',
}
