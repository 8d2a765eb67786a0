import { runsToCompletion } from '../../core/completion.ts'
import { changedRestartKeys } from '../../core/defaults.ts'
import { isGroupWithoutUser, removesVariable } from '../containers/container.ts'
import { portsOf } from '../containers/ports.ts'
import { isRunnable, probeKind } from '../containers/probes.ts'
import { unknownUlimits } from '../containers/ulimits.ts'
import { whyNotAwaited } from '../dependencies.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { type Instead, isRelease, SHARED_ROWS, type SupportRecord, when } from '../support.ts'
import { isChecked } from './service.ts'
import { serviceName } from './values.ts'

/** Support of each key by a Compose file. */
export const SUPPORT: SupportRecord = {
  ...SHARED_ROWS,
  args: { expressedBy: '`command`' },
  env: {
    expressedBy: '`environment`',
    unsupported: when(
      removesVariable,
      'Compose cannot remove a variable: the container keeps the value from the image.',
    ),
  },
  cwd: { expressedBy: '`working_dir`' },
  instances: { expressedBy: '`deploy.replicas`', unsupported: unpublishedPort },
  run: {
    expressedBy: '`restart: "no"`',
    unsupported: when(isRelease, 'Compose does not track releases: this process runs at every docker compose up.'),
  },
  dependsOn: { expressedBy: '`depends_on`', unsupported: looserDependencies },
  ready: { expressedBy: '`healthcheck`', unsupported: unprobedStart },
  alive: { expressedBy: '`healthcheck`', unsupported: otherLivenessProbe },
  restart: { expressedBy: '`restart`', unsupported: otherRestarts },
  stop: { expressedBy: '`stop_signal`, `stop_grace_period`' },
  reload: { unsupported: 'Compose stops the old container before it starts the new one.' },
  memoryLimit: {
    expressedBy: '`mem_limit`',
    unsupported: 'The kernel kills a container above this limit at once, without a graceful stop.',
  },
  schedule: { expressedBy: '`profiles: [schedule]`', unsupported: noSchedule },
  user: { expressedBy: '`user`' },
  group: {
    expressedBy: '`user`',
    unsupported: when(isGroupWithoutUser, {
      message: 'Compose sets a group only together with a user, so the image decides both.',
      hint: 'Declare a user as well',
    }),
  },
  umask: { unsupported: 'Compose cannot set a file mode mask: the process keeps that of the image.' },
  nice: { unsupported: 'Compose cannot set a scheduling priority: the process keeps the default.' },
  limits: { expressedBy: '`ulimits`', unsupported: unknownUlimits },
  log: { expressedBy: '`logging`' },
}

function unpublishedPort(exported: ExportedProcess): Instead | undefined {
  const [port] = portsOf(exported)
  if (exported.instances === 1 || port === undefined) return undefined
  return {
    message: 'Compose cannot publish one port for several containers, so it publishes none.',
    hint: `Add a proxy to the same network: it reaches every instance at ${serviceName(exported)}:${port}`,
  }
}

function looserDependencies({ dependsOn }: ExportedProcess, { processes }: ExportInput): readonly Instead[] {
  return Object.entries(dependsOn).flatMap(([name, condition]) => {
    const why = whyNotAwaited(name, processes)
    if (why !== undefined) return [why]
    const other = processes.find((one) => one.name === name)
    if (!other || condition !== 'ready' || runsToCompletion(other) || isChecked(other)) return []
    const [kind, shown] = [probeKind(other.ready), JSON.stringify(name)]
    return [`Compose cannot run the ${kind} probe of ${shown}: this process waits only until ${shown} has started.`]
  })
}

function unprobedStart(exported: ExportedProcess): Instead | undefined {
  const { from, ready } = exported
  if (runsToCompletion(exported) || from.ready === undefined) return undefined
  if (isRunnable(ready) && isChecked(exported)) return undefined
  return `Compose cannot run a ${probeKind(ready)} probe: the service counts as ready as soon as it starts.`
}

function otherLivenessProbe(exported: ExportedProcess): Instead | undefined {
  const { ready, alive } = exported
  if (runsToCompletion(exported) || alive === null) return undefined
  if (!isRunnable(alive))
    return `Compose cannot run a ${probeKind(alive)} probe: the service runs unchecked after its start.`
  if (isRunnable(ready))
    return 'Compose runs one check per service, the readiness probe. A service that fails it becomes unhealthy and is not restarted.'
  return 'A service that fails this probe becomes unhealthy and is not restarted.'
}

function otherRestarts(exported: ExportedProcess): Instead | undefined {
  const details = changedRestartKeys(exported.restart)
  if (runsToCompletion(exported))
    return exported.restart.policy === 'on-failure' ? 'Compose runs this process once, even if it fails.' : undefined
  if (details.length === 0) return undefined
  return `Compose has no ${details.join(', ')}: Docker waits 100ms before the first restart and doubles the delay up to 1m.`
}

function noSchedule(exported: ExportedProcess): Instead | undefined {
  const { schedule } = exported
  if (schedule === null) return undefined
  return {
    message: 'Compose has no schedules, so cron must start this process.',
    hint: `From cron, at ${schedule.cron} (${schedule.tz}): docker compose run --rm ${serviceName(exported)}`,
  }
}
