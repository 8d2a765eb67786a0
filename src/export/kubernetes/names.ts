import type { ExportedProcess, ExportInput } from '../input.ts'
import { type NameRule, targetName } from '../names.ts'

/** Names by RFC 1123. Kubernetes adds 11 characters to the name of a CronJob for each run. */
export const KUBERNETES_NAMES: NameRule = { title: 'Kubernetes', allowed: 'a-z0-9', lowerCase: true, longest: 52 }

export const objectName = (input: Pick<ExportInput, 'name'>, process: string): string =>
  `${targetName(input.name, KUBERNETES_NAMES)}-${targetName(process, KUBERNETES_NAMES)}`

/** Labels that select the pods of a process. They cannot change once the pods exist. */
export const selector = ({ name }: Pick<ExportedProcess, 'name'>, input: ExportInput): Record<string, string> => ({
  'app.kubernetes.io/name': labelValue(name),
  'app.kubernetes.io/part-of': labelValue(input.name),
})

/** Labels of every object; `prodserver ps --on kubernetes` finds the objects by them. */
export function labelsOf(exported: ExportedProcess, input: ExportInput): Record<string, string> {
  const labels = {
    ...selector(exported, input),
    'app.kubernetes.io/component': exported.kind,
    'app.kubernetes.io/managed-by': 'prodserver',
  }
  const isJob = exported.schedule === null && exported.run !== 'always'
  // `kubectl apply` selects the Jobs, which run before everything else, by this label.
  return isJob ? { ...labels, 'prodserver/run': labelValue(exported.run) } : labels
}

/** Converts text to the value of a label. */
export const labelValue = (text: string): string =>
  targetName(text, { allowed: 'A-Za-z0-9_.-', lowerCase: false }).slice(0, 63)
