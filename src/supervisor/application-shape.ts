import {
  all,
  commandLine,
  dictionary,
  flag,
  list,
  object,
  optional,
  orNull,
  PROCESS_NAME,
  type Shape,
  text,
  textLike,
  word,
} from '../core/shape.ts'
import type { PlannedProject } from '../plan/plan.ts'
import { plannedShapes } from '../plan/planned-keys.ts'
import { nextRun } from '../plan/schedule.ts'
import type { Application, ProcessSpec, SpecInherited } from './spec.ts'

/**
 * Checks an application that came through the control socket. Returns the path of the first part that has the wrong form,
 * or null. Another client than the command line may have sent it, and the supervisor must not fail because of it.
 */
export const findMistake = (value: unknown): string | null => application(value, 'application')

const environment = dictionary(/^[^=\0]+$/, text)

const project: Shape<PlannedProject> = object<PlannedProject>({
  root: textLike(/^\//),
  settings: orNull(object({ module: text, reason: text })),
  python: orNull(object({ path: text, version: text, reason: text })),
  config: orNull(object({ path: text, reason: text })),
})

const inherited: Shape<SpecInherited> = object<SpecInherited>({ argv: commandLine, env: environment, listening: flag })

/** Accepts a schedule of which the next time can be computed. */
const computable: typeof plannedShapes.schedule = (schedule, name) => {
  try {
    if (schedule !== null) nextRun(schedule as NonNullable<ProcessSpec['schedule']>, Date.now())
    return null
  } catch {
    return name
  }
}

const spec: Shape<ProcessSpec> = object<ProcessSpec>({
  ...plannedShapes,
  schedule: all(plannedShapes.schedule, computable),
  name: textLike(PROCESS_NAME),
  kind: word(['web', 'worker', 'scheduler', 'task']),
  title: text,
  argv: commandLine,
  env: environment,
  listen: list(textLike(/^unix:.|:\d+$/)),
  inherited: orNull(inherited),
  alone: orNull(text),
  hash: text,
})

const namesDiffer: Shape<readonly ProcessSpec[]> = (value, name) => {
  const names = (value as readonly ProcessSpec[]).map((one) => one.name)
  return new Set(names).size === names.length ? null : name
}

const application: Shape<Application> = object<Application>({
  project,
  specs: all(list(spec), namesDiffer),
  only: orNull(list(text)),
  release: text,
  reload: flag,
  set: optional(list(text)) as Shape<readonly string[]>,
})
