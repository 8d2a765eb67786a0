import { runsToCompletion } from '../../core/completion.ts'
import type { Problem } from '../../core/errors.ts'
import { checkImage } from '../containers/container.ts'
import { IMAGE_UID } from '../containers/dockerfile.ts'
import { checkReachable } from '../containers/ports.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { checkNames, targetName } from '../names.ts'
import { refuse } from '../problems.ts'
import { KUBERNETES_NAMES, objectName } from './names.ts'
import { numberOf } from './security.ts'

/** Refuses what no object of Kubernetes can hold. */
export function* check(input: ExportInput): Generator<Problem> {
  const { processes, user } = input
  yield* checkNames(processes, KUBERNETES_NAMES)
  yield* checkImage(input)
  if (user !== undefined && numberOf(user) === undefined) yield refuseUser(user)
  for (const exported of processes) {
    yield* checkObjectName(exported, input)
    yield* checkAutoscale(exported, input)
    yield* checkReachable(exported)
    yield* checkSchedule(exported)
  }
}

function* checkObjectName(exported: ExportedProcess, input: ExportInput): Generator<Problem> {
  const { longest } = KUBERNETES_NAMES
  const name = objectName(input, exported.name)
  const isAllowed = name.length <= longest && /^[a-z]/.test(name)
  const message = `The objects would be named ${name}, but a name begins with a letter and has at most ${longest} characters.`
  if (!isAllowed) yield refuse(exported, 'name', message, 'Choose another name for the application: --name shop')
  const file = `${targetName(exported.name, KUBERNETES_NAMES)}.yaml`
  if (file === 'kustomization.yaml')
    yield refuse(exported, 'name', `The file of this process would be the ${file} of Kustomize.`, 'Rename the process')
}

function refuseUser(user: string): Problem {
  const message = `Kubernetes takes the number of a user, not ${JSON.stringify(user)}.`
  return { id: 'E802', place: '--user', message, hint: `For example: --user ${IMAGE_UID}` }
}

function* checkAutoscale(exported: ExportedProcess, { autoscale }: ExportInput): Generator<Problem> {
  const { name, kind } = exported
  if (!autoscale.some((scaled) => scaled.process === name)) return
  const reason = kind === 'scheduler' ? 'Two schedulers would run every job twice' : 'The process runs to completion'
  if (kind !== 'scheduler' && !runsToCompletion(exported)) return
  const message = `${reason}, so it cannot be scaled.`
  yield { id: 'E802', place: '--autoscale', process: name, message, hint: 'Remove the option' }
}

function* checkSchedule(exported: ExportedProcess): Generator<Problem> {
  const message = exported.schedule && scheduleProblem(exported.schedule.cron)
  if (message) yield refuse(exported, 'schedule', message, 'Use five fields: "30 3 * * *" is every day at 3:30')
}

const NAME = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)'
const FIELD = new RegExp(String.raw`^(?:[*?]|\d+|${NAME})(?:-(?:\d+|${NAME}))?(?:/\d+)?$`, 'i')

/** Returns why Kubernetes cannot read a schedule; undefined if it can. */
export function scheduleProblem(cron: string): string | undefined {
  if (cron.startsWith('@')) return undefined
  const fields = cron.trim().split(/\s+/)
  if (fields.length !== 5) return 'A schedule of Kubernetes has five fields and no seconds.'
  const odd = fields.find((field) => !field.split(',').every((part) => FIELD.test(part)))
  if (odd !== undefined) return `Kubernetes cannot read ${JSON.stringify(odd)} in a schedule.`
  return /(^|[,-])7([,-]|$)/.test(fields[4] ?? '') ? 'Kubernetes writes Sunday as 0, not as 7.' : undefined
}
