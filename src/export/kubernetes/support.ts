import { changedRestartKeys } from '../../core/defaults.ts'
import { runsToCompletion } from '../../core/completion.ts'
import { isRunnable, probeKind } from '../containers/probes.ts'
import { removesVariable } from '../containers/container.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import {
  declaresReloadSignal,
  type Differences,
  hasLimits,
  type Instead,
  isRelease,
  SHARED_ROWS,
  type SupportRecord,
  when,
} from '../support.ts'
import { groupOf, numberOf, userOf } from './security.ts'

/** Support of each key by objects of Kubernetes. */
export const SUPPORT: SupportRecord = {
  ...SHARED_ROWS,
  args: { expressedBy: '`command`, `args`' },
  env: {
    expressedBy: '`env`',
    unsupported: when(
      removesVariable,
      'Kubernetes cannot remove a variable: the container keeps the value from the image.',
    ),
  },
  cwd: { expressedBy: '`workingDir`' },
  instances: { expressedBy: '`replicas`' },
  run: {
    expressedBy: 'a Job',
    unsupported: when(isRelease, 'Kubernetes does not track releases: this process runs whenever its Job is created.'),
  },
  dependsOn: {
    unsupported: ({ dependsOn }, input) => Object.keys(dependsOn).map((name) => noDependency(name, input)),
  },
  ready: { expressedBy: '`startupProbe`, `readinessProbe`', unsupported: unprobedStart },
  alive: { expressedBy: '`livenessProbe`', unsupported: unprobedLife },
  restart: { expressedBy: '`backoffLimit` of a Job', unsupported: otherRestarts },
  stop: { expressedBy: '`terminationGracePeriodSeconds`, `preStop`' },
  reload: {
    expressedBy: '`strategy`',
    unsupported: when(
      declaresReloadSignal,
      'Kubernetes sends no reload signal: a new pod is ready before an old pod stops.',
    ),
  },
  memoryLimit: {
    expressedBy: '`resources.limits.memory`',
    unsupported: 'The kernel kills a container above this limit at once, without a graceful stop.',
  },
  schedule: { expressedBy: 'a CronJob' },
  user: { expressedBy: '`runAsUser`', unsupported: userByName },
  group: { expressedBy: '`runAsGroup`', unsupported: groupByName },
  umask: { unsupported: 'Kubernetes cannot set a file mode mask: the process keeps that of the image.' },
  nice: { unsupported: 'Kubernetes cannot set a scheduling priority: the process keeps the default.' },
  limits: {
    unsupported: when(
      hasLimits,
      'Kubernetes sets no resource limits of this kind: the process keeps those of the node.',
    ),
  },
  log: { unsupported: 'Kubernetes leaves the rotation of logs to the node.' },
}

function noDependency(name: string, { processes }: ExportInput): Instead {
  const other = processes.find((one) => one.name === name)
  const shown = JSON.stringify(name)
  if (!other) return `This process does not wait for ${shown}, which is not part of this export.`
  if (!runsToCompletion(other) || other.schedule !== null)
    return `Kubernetes starts all processes at once: this process must tolerate restarts until ${shown} is ready.`
  return {
    message: 'Kubernetes starts all processes at once.',
    hint: `Apply ${shown} first, as the commands after the export do`,
  }
}

function unprobedStart(exported: ExportedProcess): Instead | undefined {
  const { from, ready } = exported
  if (runsToCompletion(exported) || from.ready === undefined) return undefined
  if (isRunnable(ready) || ready.delayMs !== undefined) return undefined
  return `Kubernetes cannot run a ${probeKind(ready)} probe: a pod counts as ready as soon as it starts.`
}

function unprobedLife(exported: ExportedProcess): Instead | undefined {
  const { alive } = exported
  if (runsToCompletion(exported) || alive === null || isRunnable(alive)) return undefined
  return `Kubernetes cannot run a ${probeKind(alive)} probe: the process runs unchecked after its start.`
}

function otherRestarts(exported: ExportedProcess): Differences {
  const { policy } = exported.restart
  const isService = !runsToCompletion(exported)
  const details = changedRestartKeys(exported.restart)
  return [
    isService && policy !== 'always' && 'Kubernetes restarts the container of a Deployment whatever its exit code.',
    details.length > 0 &&
      (isService || policy !== 'on-failure') &&
      `Kubernetes has no ${details.join(', ')}: it waits 10s before the first restart and doubles the delay up to 5m.`,
  ]
}

function userByName(exported: ExportedProcess, input: ExportInput): Instead | undefined {
  if (exported.user === null || numberOf(exported.user) !== undefined) return undefined
  return `Kubernetes takes the number of a user, not a name: the container runs as ${userOf(exported, input)}.`
}

function groupByName(exported: ExportedProcess, input: ExportInput): Instead | undefined {
  if (exported.group === null || numberOf(exported.group) !== undefined) return undefined
  return `Kubernetes takes the number of a group, not a name: the container runs with group ${groupOf(exported, input)}.`
}
