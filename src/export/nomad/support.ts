import { unknownUlimits } from '../containers/ulimits.ts'
import { changedRestartKeys } from '../../core/defaults.ts'
import { runsToCompletion } from '../../core/completion.ts'
import { printGoDuration } from '../../core/durations.ts'
import { toMebibytes } from '../../core/sizes.ts'
import { probeKind } from '../containers/probes.ts'
import { portsOf } from '../containers/ports.ts'
import { isGroupWithoutUser, removesVariable } from '../containers/container.ts'
import type { ExportedProcess } from '../input.ts'
import type { PlannedProbe } from '../../plan/plan.ts'
import {
  declaresReloadSignal,
  type Differences,
  type Instead,
  isRelease,
  SHARED_ROWS,
  type SupportRecord,
  when,
} from '../support.ts'
import { probeCheck } from './service.ts'

/** The longest kill timeout that a client of Nomad allows by default. */
const MAX_KILL_MS = 30_000

/** Support of each key by a job of Nomad with the Docker task driver. */
export const SUPPORT: SupportRecord = {
  ...SHARED_ROWS,
  args: { expressedBy: '`command`, `args`' },
  env: {
    expressedBy: '`env`',
    unsupported: when(removesVariable, 'Nomad cannot remove a variable: the container keeps the value from the image.'),
  },
  cwd: { expressedBy: '`work_dir`' },
  instances: { expressedBy: '`count`' },
  run: {
    expressedBy: 'a batch job',
    unsupported: when(isRelease, 'Nomad does not track releases: this process runs whenever its job is registered.'),
  },
  dependsOn: {
    unsupported: ({ dependsOn }) =>
      Object.keys(dependsOn).map((name) => ({
        message: `Nomad does not wait for ${JSON.stringify(name)}: this process must tolerate restarts until then.`,
        hint: 'Run the jobs that complete first, as the commands after the export do',
      })),
  },
  ready: { expressedBy: '`check`', unsupported: otherReadinessProbe },
  alive: { expressedBy: '`check_restart`', unsupported: otherLivenessProbe },
  restart: { expressedBy: '`restart`, `reschedule`', unsupported: otherRestarts },
  stop: {
    expressedBy: '`kill_signal`, `kill_timeout`',
    unsupported: ({ stop }) =>
      stop.timeoutMs > MAX_KILL_MS && {
        message: 'A client of Nomad allows a stop timeout of 30s, unless its configuration allows more.',
        hint: `Set max_kill_timeout to ${printGoDuration(stop.timeoutMs)} on the clients`,
      },
  },
  reload: {
    expressedBy: '`update`',
    unsupported: when(declaresReloadSignal, 'Nomad sends no reload signal: it replaces the tasks.'),
  },
  memoryLimit: {
    expressedBy: '`memory`',
    unsupported: 'The kernel kills a task above this limit at once, without a graceful stop.',
  },
  schedule: { expressedBy: '`periodic`' },
  user: { expressedBy: '`user`' },
  group: {
    expressedBy: '`user`',
    unsupported: when(isGroupWithoutUser, {
      message: 'Nomad sets a group only together with a user, so the image decides both.',
      hint: 'Declare a user as well',
    }),
  },
  umask: { unsupported: 'Nomad cannot set a file mode mask: the process keeps that of the image.' },
  nice: { unsupported: 'Nomad cannot set a scheduling priority: the process keeps the default.' },
  limits: { expressedBy: '`ulimit`', unsupported: unknownUlimits },
  log: { expressedBy: '`logs`', unsupported: otherLogs },
}

/** Whether a check of the service runs the probe. Nomad checks only what has a port. */
const isChecked = (exported: ExportedProcess, probe: PlannedProbe): boolean =>
  portsOf(exported).length > 0 && probeCheck(probe, true) !== undefined

function otherReadinessProbe(exported: ExportedProcess): Instead | undefined {
  const { from, ready } = exported
  if (runsToCompletion(exported) || from.ready === undefined) return undefined
  if (isChecked(exported, ready)) return ready.http === undefined ? undefined : STRICTER_STATUS
  if (ready.delayMs !== undefined) return undefined
  const meanwhile = portsOf(exported).length > 0 ? 'as soon as its port is open' : 'when it has run for 10s'
  return `Nomad cannot run this ${probeKind(ready)} probe: the task counts as healthy ${meanwhile}.`
}

const STRICTER_STATUS: Instead = {
  message: 'Nomad counts a status of 400 or above as a failure, and sends "Host: localhost".',
  hint: 'Add localhost to ALLOWED_HOSTS',
}

function otherLivenessProbe(exported: ExportedProcess): Instead | undefined {
  const { alive } = exported
  if (runsToCompletion(exported) || alive === null || isChecked(exported, alive)) return undefined
  return `Nomad cannot run this ${probeKind(alive)} probe: the task runs unchecked after its start.`
}

function otherRestarts(exported: ExportedProcess): Differences {
  const { policy } = exported.restart
  const isService = !runsToCompletion(exported)
  const changed = changedRestartKeys(exported.restart)
  const hasDetails = changed.some((key) => key !== 'max_delay')
  return [
    isService && policy === 'on-failure' && 'Nomad restarts a service whatever its exit code.',
    changed.includes('max_delay') && 'Nomad has no max_delay: it waits the same time before each restart.',
    hasDetails &&
      !isService &&
      policy !== 'on-failure' &&
      'Nomad runs this process once: only the policy on-failure runs it again.',
    hasDetails && isService && policy === 'never' && 'Nomad does not restart this process, so no delay applies.',
  ]
}

function otherLogs({ from, log }: ExportedProcess): Differences {
  if (from.log === undefined) return []
  const size = toMebibytes(log.maxSizeBytes)
  return [
    log.compress && 'Nomad does not compress log files.',
    log.maxSizeBytes !== size * 1024 ** 2 && `Nomad counts the size of log files in MB: it rotates them at ${size} MB.`,
  ]
}
