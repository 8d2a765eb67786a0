import { longName } from '../../args/grammar.ts'
import type { Problem } from '../../core/errors.ts'
import type { ResolvedProcess } from '../resolve/resolved-process.ts'
import type { Check, ProcessProblem } from './check.ts'

/** One scheduler runs for an application: a second one would run every job twice. */
export const singleScheduler: Check = {
  when: 'always',
  find: ({ processes }) => {
    const schedulers = processes.flatMap(({ resolved }) => (resolved && isScheduling(resolved) ? resolved : []))
    return [
      ...schedulers.flatMap((resolved) =>
        severalInstances(resolved).map((problem) => ({ ...problem, process: resolved.declaration.name })),
      ),
      ...severalProcesses(schedulers),
    ]
  },
}

const isScheduling = (resolved: ResolvedProcess): boolean =>
  resolved.backend.kind === 'scheduler' || schedulingKey(resolved) !== undefined

/** The declared option with which a worker is a scheduler as well. */
const schedulingKey = ({
  translation,
  backend: { schedulesWith, options = {} },
}: ResolvedProcess): string | undefined =>
  translation.options.find(({ name, tokens }) => tokens.length > 0 && schedulesWith === longName(name, options))?.key

function severalInstances(resolved: ResolvedProcess): readonly ProcessProblem[] {
  const { declaration, backend } = resolved
  if (declaration.instances === undefined || declaration.instances === 1) return []
  const isScheduler = backend.kind === 'scheduler'
  const what = isScheduler ? backend.title : `${backend.title} with ${JSON.stringify(schedulingKey(resolved))}`
  const message = `A scheduler runs once: several instances of ${what} would each run every job.`
  const hint = isScheduler ? 'Remove INSTANCES' : 'Declare the scheduler by itself, once: "BACKEND": "celery-beat"'
  return [{ id: 'E402', place: declaration.placeOf('instances'), message, hint }]
}

function severalProcesses(schedulers: readonly ResolvedProcess[]): readonly Problem[] {
  const enabled = schedulers.map(({ declaration }) => declaration).filter(({ enabled }) => enabled !== false)
  return enabled.flatMap(({ name: process, app, place }, index): Problem[] => {
    const first = enabled.slice(0, index).find((other) => app !== undefined && other.app === app)
    if (!first) return []
    const message = `It schedules the jobs of ${app}, and so does ${JSON.stringify(first.name)}: every job would run twice.`
    return [{ id: 'E402', place, process, message, hint: 'Keep one of them' }]
  })
}
