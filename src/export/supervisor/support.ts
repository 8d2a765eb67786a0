import { runsToCompletion } from '../../core/completion.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import type { SettingsRow } from '../settings.ts'
import {
  hasDependencies,
  hasLimits,
  type Instead,
  isRelease,
  SHARED_ROWS,
  type SupportRecord,
  when,
} from '../support.ts'

/** Support of each key by a configuration file of Supervisor. */
export const SUPPORT: SupportRecord<SettingsRow> = {
  ...SHARED_ROWS,
  args: { expressedBy: '`command`' },
  env: { expressedBy: '`environment`, or `env` in `command`' },
  cwd: { expressedBy: '`directory`' },
  instances: { expressedBy: '`numprocs`', unsupported: fewerInstances },
  run: {
    expressedBy: '`autorestart=false`',
    unsupported: when(isRelease, 'Supervisor does not track releases: this process runs whenever supervisord starts.'),
  },
  dependsOn: {
    expressedBy: '`priority`',
    unsupported: when(
      hasDependencies,
      'Supervisor starts programs in this order, but does not wait until a dependency is ready.',
    ),
  },
  ready: { expressedBy: '`startsecs`', unsupported: unprobedStart },
  alive: { unsupported: 'Supervisor runs no probes: it restarts only a program that exits.' },
  restart: { expressedBy: '`autorestart`, `startretries`', unsupported: otherRestarts },
  stop: { expressedBy: '`stopsignal`, `stopwaitsecs`' },
  reload: { unsupported: noReload },
  memoryLimit: { unsupported: 'Supervisor does not watch memory: no instance is replaced.' },
  schedule: {
    expressedBy: '`autostart=false`',
    unsupported: ({ name, schedule }, input) =>
      schedule !== null && {
        message: 'Supervisor has no schedules, so cron must start this process.',
        hint: `From cron: supervisorctl start ${programPath(name, input)}`,
      },
  },
  user: {
    expressedBy: '`user`',
    unsupported: 'HOME, USER and LOGNAME stay those of supervisord, unless the environment of the process sets them.',
  },
  group: { unsupported: 'Supervisor cannot set a group: the program gets the groups of its user.' },
  umask: { expressedBy: '`umask`', settings: ({ umask }) => ({ umask }) },
  nice: { expressedBy: '`nice` in `command`' },
  limits: {
    unsupported: when(hasLimits, 'Supervisor sets no resource limits: a program inherits those of supervisord.'),
  },
  log: {
    expressedBy: '`stdout_logfile_maxbytes`, `stdout_logfile_backups`',
    unsupported: ({ from, log }) =>
      from.log !== undefined && log.compress && 'Supervisor does not compress rotated log files.',
  },
}

/** Instances of a program share no socket, so a second instance would find the address taken. */
export const instancesOf = ({ listen, instances, schedule }: ExportedProcess): number =>
  listen.length > 0 || schedule !== null ? 1 : instances

function fewerInstances(exported: ExportedProcess): Instead | undefined {
  if (instancesOf(exported) === exported.instances) return undefined
  if (exported.schedule !== null) return 'cron starts one program at a time, so one instance runs.'
  return 'Instances cannot share an address under Supervisor, so only one runs.'
}

function unprobedStart(exported: ExportedProcess): Instead | undefined {
  const { from, ready } = exported
  if (from.ready === undefined) return undefined
  const isDelay = ready.delayMs !== undefined && ready.log === undefined
  if (isDelay && !runsToCompletion(exported)) return undefined
  return 'Supervisor runs no probes: a program counts as running after 1s.'
}

function otherRestarts(exported: ExportedProcess): Instead | undefined {
  const { from, restart } = exported
  if (from.restart === undefined) return undefined
  if (runsToCompletion(exported)) return 'Supervisor does not restart a process that runs to completion.'
  if (restart.policy === 'never') return undefined
  return `Supervisor waits one second longer after each failed start, and gives up after ${restart.limit} in a row. An exit within the first second counts as a failed start, even with exit code 0.`
}

function noReload({ name, from, reload }: ExportedProcess, input: ExportInput): Instead | undefined {
  if (from.reload === undefined || reload === 'restart') return undefined
  if (reload === 'rolling')
    return 'Supervisor stops the old process before it starts the new one, and its address is closed meanwhile.'
  const hint = `supervisorctl signal HUP ${programPath(name, input)}`
  return { message: 'Supervisor sends no reload signal.', hint }
}

/** Name of a program for `supervisorctl`: the group, and the program in the group. */
const programPath = (process: string, { name }: ExportInput): string => `${name}:${name}-${process}`
