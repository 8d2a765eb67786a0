import { unknownUlimits } from '../containers/ulimits.ts'
import { changedRestartKeys, DEFAULT_RESTART } from '../../core/defaults.ts'
import { runsToCompletion } from '../../core/completion.ts'
import { printGoDuration } from '../../core/durations.ts'
import { toMebibytes } from '../../core/sizes.ts'
import { probeKind } from '../containers/probes.ts'
import { portsOf } from '../containers/ports.ts'
import { removesVariable, userOf } from '../containers/container.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import type { PlannedProbe } from '../../plan/plan.ts'
import { type Instead, SHARED_ROWS, type SupportRecord } from '../support.ts'
import { probeCheck } from './service.ts'

/** Support of each key by a job of Nomad with the Docker task driver. */
export const SUPPORT: SupportRecord = {
  ...SHARED_ROWS,
  args: { expressedBy: '`command`, `args`' },
  env: {
    expressedBy: '`env`',
    unsupported: (exported) =>
      removesVariable(exported)
        ? 'Nomad cannot remove a variable: the container keeps the value from the image.'
        : undefined,
  },
  cwd: { expressedBy: '`work_dir`' },
  instances: { expressedBy: '`count`' },
  run: {
    expressedBy: 'a batch job',
    unsupported: ({ run }) =>
      run === 'release'
        ? 'Nomad does not track releases: this process runs whenever its job is registered.'
        : undefined,
  },
  dependsOn: { unsupported: ({ dependsOn }) => Object.keys(dependsOn).map(noDependency) },
  ready: { expressedBy: '`check`', unsupported: otherReadinessProbe },
  alive: { expressedBy: '`check_restart`', unsupported: otherLivenessProbe },
  restart: { expressedBy: '`restart`, `reschedule`', unsupported: otherRestarts },
  stop: { expressedBy: '`kill_signal`, `kill_timeout`', unsupported: longStop },
  reload: {
    expressedBy: '`update`',
    unsupported: ({ from, reload }) =>
      from.reload !== undefined && reload === 'signal'
        ? 'Nomad sends no reload signal: it replaces the tasks.'
        : undefined,
  },
  memoryLimit: {
    expressedBy: '`memory`',
    unsupported: 'The kernel kills a task above this limit at once, without a graceful stop.',
  },
  schedule: { expressedBy: '`periodic`' },
  user: { expressedBy: '`user`' },
  group: { expressedBy: '`user`', unsupported: groupWithoutUser },
  umask: { unsupported: 'Nomad cannot set a file mode mask: the process keeps that of the image.' },
  nice: { unsupported: 'Nomad cannot set a scheduling priority: the process keeps the default.' },
  limits: { expressedBy: '`ulimit`', unsupported: unknownUlimits },
  log: { expressedBy: '`logs`', unsupported: otherLogs },
}

const noDependency = (name: string): Instead => ({
  message: `Nomad does not wait for ${JSON.stringify(name)}: this process must tolerate restarts until then.`,
  hint: 'Run the jobs that complete first, as the commands after the export do',
})

/** Whether a check of the service runs the probe. Nomad checks only what has a port. */
const isChecked = (exported: ExportedProcess, probe: PlannedProbe): boolean =>
  portsOf(exported).length > 0 && probeCheck(probe, true) !== undefined

function otherReadinessProbe(exported: ExportedProcess): Instead | undefined {
  const { from, ready } = exported
  if (runsToCompletion(exported) || from.ready === undefined) return undefined
  if (isChecked(exported, ready)) {
    if (ready.http === undefined) return undefined
    return {
      message: 'Nomad counts a status of 400 or above as a failure, and sends "Host: localhost".',
      hint: 'Add localhost to ALLOWED_HOSTS',
    }
  }
  if (ready.delayMs !== undefined) return undefined
  const meanwhile = portsOf(exported).length > 0 ? 'as soon as its port is open' : 'when it has run for 10s'
  return `Nomad cannot run this ${probeKind(ready)} probe: the task counts as healthy ${meanwhile}.`
}

function otherLivenessProbe(exported: ExportedProcess): Instead | undefined {
  const { alive } = exported
  if (runsToCompletion(exported) || alive === null || isChecked(exported, alive)) return undefined
  return `Nomad cannot run this ${probeKind(alive)} probe: the task runs unchecked after its start.`
}

function otherRestarts(exported: ExportedProcess): readonly Instead[] {
  const { policy, maxDelayMs } = exported.restart
  const isService = !runsToCompletion(exported)
  const instead: Instead[] = []
  if (isService && policy === 'on-failure') instead.push('Nomad restarts a service whatever its exit code.')
  if (maxDelayMs !== DEFAULT_RESTART.maxDelayMs)
    instead.push('Nomad has no max_delay: it waits the same time before each restart.')
  if (!hasRestartDetails(exported)) return instead
  if (!isService && policy !== 'on-failure')
    instead.push('Nomad runs this process once: only the policy on-failure runs it again.')
  if (isService && policy === 'never') instead.push('Nomad does not restart this process, so no delay applies.')
  return instead
}

/** Tells whether a restart differs from the default in a key that Nomad knows. */
const hasRestartDetails = ({ restart }: ExportedProcess): boolean =>
  changedRestartKeys({ ...restart, maxDelayMs: DEFAULT_RESTART.maxDelayMs }).length > 0

/** The longest kill timeout that a client of Nomad allows by default. */
const MAX_KILL_MS = 30_000

function longStop({ stop }: ExportedProcess): Instead | undefined {
  if (stop.timeoutMs <= MAX_KILL_MS) return undefined
  return {
    message: 'A client of Nomad allows a stop timeout of 30s, unless its configuration allows more.',
    hint: `Set max_kill_timeout to ${printGoDuration(stop.timeoutMs)} on the clients`,
  }
}

function groupWithoutUser(exported: ExportedProcess, input: ExportInput): Instead | undefined {
  if (exported.group === null || userOf(exported, input) !== undefined) return undefined
  return {
    message: 'Nomad sets a group only together with a user, so the image decides both.',
    hint: 'Declare a user as well',
  }
}

function otherLogs({ from, log }: ExportedProcess): readonly Instead[] {
  if (from.log === undefined) return []
  const instead: Instead[] = []
  if (log.compress) instead.push('Nomad does not compress log files.')
  if (log.maxSizeBytes % 1024 ** 2 !== 0)
    instead.push(`Nomad counts the size of log files in MB: it rotates them at ${toMebibytes(log.maxSizeBytes)} MB.`)
  return instead
}
