import { runsToCompletion } from '../../core/completion.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { targetName } from '../names.ts'
import type { ExportedFile, Target } from '../target.ts'
import { toYaml } from '../yaml.ts'
import { check } from './check.ts'
import { KUBERNETES_NAMES, labelValue } from './names.ts'
import { objectsOf } from './objects.ts'
import { SUPPORT } from './support.ts'

/** A base for Kustomize with a file for each process, and an overlay for each environment. */
export const kubernetes: Target = {
  name: 'kubernetes',
  title: 'Kubernetes',
  runsIn: 'image',
  envFromExample: 'shop-secrets',
  options: ['user', 'image', 'env-from', 'environment', 'autoscale'],
  folders: ['base', 'overlays'],
  support: SUPPORT,
  check,
  render,
  next,
}

function render(input: ExportInput): readonly ExportedFile[] {
  const { processes } = input
  return [
    kustomization('base', { resources: processes.map(fileName) }),
    ...processes.map((exported) => processFile(exported, input)),
    ...input.environments.map((environment) => overlay(environment, input)),
  ]
}

const fileName = ({ name }: ExportedProcess): string => `${targetName(name, KUBERNETES_NAMES)}.yaml`

function processFile(exported: ExportedProcess, input: ExportInput): ExportedFile {
  const documents = objectsOf(exported, input).map((object) => toYaml({ ...object }))
  return { path: `base/${fileName(exported)}`, text: documents.join('---\n') }
}

function kustomization(folder: string, content: object): ExportedFile {
  const head = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }
  return { path: `${folder}/kustomization.yaml`, text: toYaml({ ...head, ...content }) }
}

/** An environment is a namespace in which all objects have the same names as in the others. */
function overlay(environment: string, input: ExportInput): ExportedFile {
  const name = targetName(environment, KUBERNETES_NAMES)
  return kustomization(`overlays/${name}`, {
    resources: ['../../base'],
    namespace: namespaceOf(environment, input),
    labels: [{ pairs: { 'app.kubernetes.io/instance': name }, includeTemplates: true }],
  })
}

const namespaceOf = (environment: string, input: ExportInput): string =>
  `${targetName(input.name, KUBERNETES_NAMES)}-${targetName(environment, KUBERNETES_NAMES)}`

/**
 * Applies the Jobs first: the other objects follow only if the Jobs complete. The Jobs of an earlier export are deleted
 * before, because a Job cannot be changed.
 */
function next(folder: string, input: ExportInput): readonly string[] {
  const [environment] = input.environments
  const namespace = environment === undefined ? '' : ` --namespace ${namespaceOf(environment, input)}`
  const path = environment === undefined ? 'base' : `overlays/${targetName(environment, KUBERNETES_NAMES)}`
  const kustomize = `-k ${quoteWord(`${folder}/${path}`)}`
  const all = `--selector app.kubernetes.io/part-of=${labelValue(input.name)}`
  const commands: string[] = []
  if (environment !== undefined) {
    const create = `kubectl create namespace ${namespaceOf(environment, input)} --dry-run=client -o yaml`
    commands.push(`${create} | kubectl apply -f -`)
  }
  if (input.processes.some((exported) => exported.schedule === null && runsToCompletion(exported))) {
    const jobs = `${all},prodserver/run`
    commands.push(
      `kubectl delete job --ignore-not-found${namespace} ${jobs}`,
      `kubectl apply ${kustomize} ${jobs}`,
      `kubectl wait job --for condition=Complete --timeout 10m${namespace} ${jobs}`,
    )
  }
  commands.push(`kubectl apply ${kustomize}`, `kubectl rollout status deployment --timeout 10m${namespace} ${all}`)
  return commands
}
