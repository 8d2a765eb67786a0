import { runsToCompletion } from '../../core/completion.ts'
import type { Problem } from '../../core/errors.ts'
import { IMAGE_UID } from '../containers/dockerfile.ts'
import { checkReachable } from '../containers/ports.ts'
import { checkImage } from '../containers/container.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { targetName, checkNames } from '../names.ts'
import { keyLocation } from '../problems.ts'
import { KUBERNETES_NAMES, objectName } from './objects.ts'
import { scheduleProblem } from './schedule.ts'
import { numberOf } from './security.ts'

/** Refuses what no object of Kubernetes can hold. */
export const check = (input: ExportInput): readonly Problem[] => [
  ...checkNames(input.processes, KUBERNETES_NAMES),
  ...checkImage(input),
  ...checkLength(input),
  ...checkFileNames(input),
  ...checkUser(input),
  ...checkAutoscale(input),
  ...input.processes.flatMap((exported) => [...checkReachable(exported), ...checkSchedule(exported)]),
]

function checkLength(input: ExportInput): readonly Problem[] {
  return input.processes.flatMap(({ name, place }): Problem | readonly Problem[] => {
    const full = objectName(input, name)
    if (full.length <= KUBERNETES_NAMES.longest && /^[a-z]/.test(full)) return []
    return {
      id: 'E802',
      place,
      process: name,
      message: `In Kubernetes it would be called ${full}: a name there begins with a letter, and has at most ${KUBERNETES_NAMES.longest} characters here.`,
      hint: 'Give all of it another name: --name shop',
    }
  })
}

function checkUser({ user }: ExportInput): readonly Problem[] {
  if (user === undefined || numberOf(user) !== undefined) return []
  const message = `Kubernetes takes the number of a user, not ${JSON.stringify(user)}.`
  return [{ id: 'E802', place: '--user', message, hint: `--user ${IMAGE_UID}` }]
}

function checkAutoscale({ autoscale, processes }: ExportInput): readonly Problem[] {
  return processes.flatMap((exported): Problem | readonly Problem[] => {
    if (!autoscale.some(({ process: scaled }) => scaled === exported.name)) return []
    if (exported.kind !== 'scheduler' && !runsToCompletion(exported)) return []
    const message =
      exported.kind === 'scheduler'
        ? 'A scheduler runs once: two would run every job twice.'
        : 'What ends by itself is not scaled.'
    return { id: 'E802', place: '--autoscale', process: exported.name, message, hint: 'Leave it out' }
  })
}

function checkSchedule(exported: ExportedProcess): readonly Problem[] {
  const message = exported.schedule === null ? undefined : scheduleProblem(exported.schedule.cron)
  if (message === undefined) return []
  const hint = 'Write it with five: "30 3 * * *" is every day at 3:30'
  return [{ id: 'E802', place: keyLocation(exported, 'schedule'), process: exported.name, message, hint }]
}

/** Kustomize itself reads one file of the folder. */
function checkFileNames(input: ExportInput): readonly Problem[] {
  return input.processes
    .filter(({ name }) => targetName(name, KUBERNETES_NAMES) === 'kustomization')
    .map(({ name, place }) => ({
      id: 'E802',
      place,
      process: name,
      message: 'The file of a process has its name, and kustomization.yaml is what Kustomize reads first.',
      hint: 'Give it another name',
    }))
}
