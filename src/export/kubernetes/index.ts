import type { Problem } from '../../core/errors.ts'
import { quoteWord } from '../../core/shell-words.ts'
import {
  canBeAsked,
  checkImage,
  checkReachable,
  isOneOff,
  probeKind,
  restartDetails,
  withoutCollecting,
} from '../containers.ts'
import { IMAGE_UID } from '../dockerfile.ts'
import { KUBERNETES_NAMES, objectName, objectsOf, scheduleProblem } from './objects.ts'
import { labelValue, userNumber } from './pod.ts'
import { targetName, targetNames } from '../names.ts'
import type { Exported, ExportedFile, ExportedProcess, ExportInput, Target } from '../target.ts'
import { loss, placeOf } from '../target.ts'
import { toYaml } from '../yaml.ts'

/** A base for Kustomize with a file for each process, and an overlay for each environment. */
export const kubernetes: Target = {
  name: 'kubernetes',
  title: 'Kubernetes',
  runsIn: 'image',
  envFromExample: 'shop-secrets',
  options: ['user', 'image', 'env-from', 'environments', 'autoscale'],
  folders: ['base', 'overlays'],
  render,
}

function render(given: ExportInput): Exported {
  const { processes, problems } = withoutCollecting(given.processes)
  const input = { ...given, processes }
  const names = targetNames(processes, KUBERNETES_NAMES)
  const jobs = processes.filter((exported) => exported.schedule === null && isOneOff(exported))
  return {
    files: [
      kustomization('base', { resources: processes.map((exported) => `${names.of(exported)}.yaml`) }),
      ...processes.map((exported) => processFile(names.of(exported), exported, input)),
      ...input.environments.map((environment) => overlay(environment, input)),
    ],
    problems: [
      ...problems,
      ...names.problems,
      ...checkImage(input),
      ...checkLength(input),
      ...checkFileNames(input),
      ...checkUser(input),
      ...checkAutoscale(input),
      ...processes.flatMap((exported) => [
        ...checkReachable(exported),
        ...checkSchedule(exported),
        ...losses(exported, input),
      ]),
    ],
    next: (folder) => nextCommands(folder, input, jobs.length > 0),
  }
}

function processFile(name: string, exported: ExportedProcess, input: ExportInput): ExportedFile {
  const documents = objectsOf(exported, input).map((object) => toYaml({ ...object }))
  return { path: `base/${name}.yaml`, text: documents.join('---\n') }
}

function kustomization(folder: string, content: object): ExportedFile {
  const head = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }
  return { path: `${folder}/kustomization.yaml`, text: toYaml({ ...head, ...content }) }
}

/** An environment is a namespace of its own, in which everything has the same name. */
function overlay(environment: string, input: ExportInput): ExportedFile {
  const name = targetName(environment, KUBERNETES_NAMES)
  return kustomization(`overlays/${name}`, {
    resources: ['../../base'],
    namespace: namespaceOf(environment, input),
    labels: [{ pairs: { 'app.kubernetes.io/instance': name }, includeTemplates: true }],
  })
}

/** The one file of a folder that Kustomize reads by itself. */
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

const namespaceOf = (environment: string, input: ExportInput): string =>
  `${targetName(input.name, KUBERNETES_NAMES)}-${targetName(environment, KUBERNETES_NAMES)}`

/** What runs once goes first, and stops the rest where it fails. A Job cannot be changed: it is made anew. */
function nextCommands(folder: string, input: ExportInput, hasJobs: boolean): readonly string[] {
  const [environment] = input.environments
  const namespace = environment === undefined ? '' : ` --namespace ${namespaceOf(environment, input)}`
  const path = environment === undefined ? 'base' : `overlays/${targetName(environment, KUBERNETES_NAMES)}`
  const kustomize = `-k ${quoteWord(`${folder}/${path}`)}`
  const all = `--selector app.kubernetes.io/part-of=${labelValue(input.name)}`
  const jobs = `${all},prodserver/run`
  return [
    ...(environment === undefined
      ? []
      : [`kubectl create namespace ${namespaceOf(environment, input)} --dry-run=client -o yaml | kubectl apply -f -`]),
    ...(hasJobs
      ? [
          `kubectl delete job --ignore-not-found${namespace} ${jobs}`,
          `kubectl apply ${kustomize} ${jobs}`,
          `kubectl wait job --for condition=Complete --timeout 10m${namespace} ${jobs}`,
        ]
      : []),
    `kubectl apply ${kustomize}`,
    `kubectl rollout status deployment --timeout 10m${namespace} ${all}`,
  ]
}

/** The name of the application stands before that of every process. */
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
  if (user === undefined || userNumber(user) !== undefined) return []
  const message = `Kubernetes takes the number of a user, not ${JSON.stringify(user)}.`
  return [{ id: 'E802', place: '--user', message, hint: `--user ${IMAGE_UID}` }]
}

function checkAutoscale({ autoscale, processes }: ExportInput): readonly Problem[] {
  return processes.flatMap((exported): Problem | readonly Problem[] => {
    if (!autoscale.some(({ process: scaled }) => scaled === exported.name)) return []
    if (exported.kind !== 'scheduler' && !isOneOff(exported)) return []
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
  return [{ id: 'E802', place: placeOf(exported, 'schedule'), process: exported.name, message, hint }]
}

function losses(exported: ExportedProcess, input: ExportInput): readonly Problem[] {
  const { from, env, ready, alive, run, user, group, umask, nice, limits, restart } = exported
  const lost = (condition: boolean, key: keyof ExportedProcess['from'], message: string): readonly Problem[] =>
    condition ? [loss(exported, key, message)] : []
  const isService = !isOneOff(exported)
  const details = restartDetails(exported)
  const uid = userNumber(user) ?? userNumber(input.user) ?? IMAGE_UID
  return [
    ...Object.keys(exported.dependsOn).map((name) => lostDependency(exported, name, input.processes)),
    ...lost(
      Object.values(env).includes(null),
      'env',
      'Kubernetes cannot take a variable away: it is only left out, and set if the image sets it.',
    ),
    ...lost(
      isService && from.ready !== undefined && !canBeAsked(ready) && ready.delayMs === undefined,
      'ready',
      `Kubernetes cannot wait for ${probeKind(ready)}: a pod counts as ready when it is started.`,
    ),
    ...lost(
      isService && alive !== null && !canBeAsked(alive),
      'alive',
      `Kubernetes cannot watch a process by ${probeKind(alive ?? ready)}: nothing checks it after its start.`,
    ),
    ...lost(
      isService && restart.policy !== 'always',
      'restart',
      'Kubernetes starts the container of a Deployment again however it ended.',
    ),
    ...lost(
      details.length > 0 && (isService || restart.policy !== 'on-failure'),
      'restart',
      `Kubernetes has no ${details.join(', ')}: it waits 10s before a restart, twice as long each time, at most 5m.`,
    ),
    ...lost(
      run === 'release',
      'run',
      'Kubernetes does not know which release was done: it runs whenever its Job is made anew.',
    ),
    ...lost(
      exported.memoryLimitBytes !== null,
      'memoryLimit',
      'Kubernetes lets the kernel kill what takes more memory, without a graceful stop.',
    ),
    ...lost(
      from.reload !== undefined && exported.reload === 'signal',
      'reload',
      'Kubernetes replaces pods, and signals none: a new one is ready before an old one ends.',
    ),
    ...lost(
      user !== null && userNumber(user) === undefined,
      'user',
      `Kubernetes takes the number of a user: it runs as ${uid}.`,
    ),
    ...lost(
      group !== null && userNumber(group) === undefined,
      'group',
      `Kubernetes takes the number of a group: it runs with that of user ${uid}.`,
    ),
    ...lost(umask !== null, 'umask', "Kubernetes has no file mode mask: the image's own stays."),
    ...lost(nice !== null, 'nice', 'Kubernetes has no priority of processes: it runs with the usual one.'),
    ...lost(
      Object.keys(limits).length > 0,
      'limits',
      'Kubernetes sets no limits of this kind: those of the node stay.',
    ),
    ...lost(from.log !== undefined, 'log', 'Kubernetes leaves the size of logs to the node.'),
  ]
}

function lostDependency(exported: ExportedProcess, name: string, all: readonly ExportedProcess[]): Problem {
  const other = all.find((one) => one.name === name)
  const shown = JSON.stringify(name)
  if (!other) return loss(exported, 'dependsOn', `${shown} is not among what is exported: nothing waits for it.`)
  return loss(
    exported,
    'dependsOn',
    isOneOff(other) && other.schedule === null
      ? `Kubernetes starts everything at once: apply ${shown} first, as the commands do that are printed at the end.`
      : `Kubernetes starts everything at once: until ${shown} is there it must bear being started again.`,
  )
}
