import type { ExportedProcess } from '../input.ts'
import {
  hasDependencies,
  hasLimits,
  type Instead,
  SHARED_ROWS,
  type Support,
  type SupportRecord,
  when,
} from '../support.ts'

/** A row may write shell commands that run before the program. */
type Row = Support & { readonly before?: (exported: ExportedProcess) => string }

/** Support of each key by a Procfile, which honcho or foreman reads. */
export const SUPPORT: SupportRecord<Row> = {
  ...SHARED_ROWS,
  args: { expressedBy: 'the line of the process' },
  env: { expressedBy: '`Procfile.env`, or `env` before the command' },
  cwd: { expressedBy: '`cd`' },
  instances: { unsupported: fewerInstances },
  run: {
    unsupported: ({ run }) =>
      run !== 'always' && {
        message: 'honcho and foreman stop all processes as soon as this process ends.',
        hint: 'Start this process alone, before the others, as the commands after the export do',
      },
  },
  dependsOn: { unsupported: when(hasDependencies, 'honcho and foreman start all processes at once.') },
  ready: { unsupported: 'honcho and foreman run no probes: a process counts as ready when it starts.' },
  alive: { unsupported: 'honcho and foreman run no probes: the process runs unchecked after its start.' },
  restart: {
    unsupported: 'honcho and foreman do not restart a process: when a process ends, they stop all the others.',
  },
  stop: {
    unsupported: {
      message: 'honcho and foreman send TERM, and KILL after 5s.',
      hint: 'To wait longer: foreman start -t 300',
    },
  },
  reload: { unsupported: 'honcho and foreman cannot replace a running process: stop and start all processes.' },
  memoryLimit: { unsupported: 'honcho and foreman do not watch memory: no instance is replaced.' },
  schedule: {
    unsupported: ({ name, schedule }) =>
      schedule !== null && {
        message: 'A Procfile has no schedules, so cron must start this process.',
        hint: `From cron: honcho start ${name}`,
      },
  },
  user: { unsupported: 'honcho and foreman run every process as the user who starts them.' },
  group: { unsupported: 'honcho and foreman run every process in the group of the user who starts them.' },
  umask: { expressedBy: '`umask`', before: ({ umask }) => (umask === null ? '' : `umask ${umask} && `) },
  nice: { expressedBy: '`nice`' },
  limits: {
    unsupported: when(
      hasLimits,
      'honcho and foreman set no resource limits: a process inherits those of the user who starts them.',
    ),
  },
  log: { unsupported: 'honcho and foreman print all output to the terminal and write no log files.' },
}

function fewerInstances({ name, listen, instances }: ExportedProcess): Instead | undefined {
  if (instances === 1) return undefined
  if (listen.length > 0) return 'Instances cannot share an address here, so only one runs.'
  return {
    message: 'A Procfile has no instance counts, so one instance runs.',
    hint: `honcho start -c ${name}=${instances}, or foreman start -m ${name}=${instances}`,
  }
}

/** Returns the shell commands that run before the program of a process. */
export const commandsBefore = (exported: ExportedProcess): string =>
  Object.values(SUPPORT)
    .map(({ before }) => before?.(exported) ?? '')
    .join('')
