import { toWholeSeconds } from '../../core/durations.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { ranks } from '../order.ts'
import { completes, wrap } from '../shell.ts'
import type { Exported, ExportedProcess, ExportInput, Target } from '../target.ts'
import { findProblems, instancesOf } from './problems.ts'
import { fitsEnvironment, quoteCommand, quoteVariable, value } from './quote.ts'

/** One file with a program for each process, and a group that holds them. */
export const supervisor: Target = {
  name: 'supervisor',
  title: 'Supervisor',
  runsIn: 'machine',
  envFromExample: '/etc/shop.env',
  options: ['user', 'env-from'],
  render,
}

function render(input: ExportInput): Exported {
  const { name, processes } = input
  const order = ranks(processes)
  const programs = processes.map((exported) => renderProgram(exported, order.get(exported.name) ?? 0, input))
  const names = processes.map((exported) => programName(exported, input)).join(',')
  const text = [...programs, section(`group:${name}`, [['programs', names]])].join('\n')
  return {
    files: [{ path: `${name}.conf`, text }],
    problems: findProblems(input),
    next: (folder) => [
      `sudo cp ${quoteWord(`${folder}/${name}.conf`)} /etc/supervisor/conf.d/`,
      'sudo supervisorctl reread',
      'sudo supervisorctl update',
    ],
  }
}

const programName = ({ name }: ExportedProcess, input: ExportInput): string => `${input.name}-${name}`

const RESTART = { always: 'true', 'on-failure': 'unexpected', never: 'false' } as const

type Setting = readonly [key: string, value: string]

const section = (name: string, settings: readonly Setting[]): string =>
  `[${name}]\n${settings.map(([key, text]) => `${key}=${text}\n`).join('')}`

function renderProgram(exported: ExportedProcess, rank: number, input: ExportInput): string {
  const { argv, nice, cwd, umask, restart, stop, log, schedule, ready } = exported
  const program = programName(exported, input)
  const { simple, hard } = variables(exported)
  const instances = instancesOf(exported)
  const user = exported.user ?? input.user
  const ends = completes(exported)
  return section(`program:${program}`, [
    ['command', quoteCommand(wrap(argv, { envFrom: input.envFrom, env: hard, nice }))],
    ...(instances > 1
      ? ([
          ['process_name', '%(program_name)s-%(process_num)d'],
          ['numprocs', String(instances)],
          ['numprocs_start', '1'],
        ] as const)
      : []),
    ['directory', value(cwd)],
    ...(simple.length > 0 ? [['environment', simple.join(',')] as const] : []),
    ...(user === undefined ? [] : [['user', value(user)] as const]),
    ...(umask === null ? [] : [['umask', umask] as const]),
    ['priority', String(100 + 10 * rank)],
    ['autostart', schedule === null ? 'true' : 'false'],
    ['autorestart', ends ? 'false' : RESTART[restart.policy]],
    // What ends before is started again, whatever else is said of it.
    ['startsecs', ends || restart.policy === 'never' ? '0' : String(toWholeSeconds(ready.delayMs ?? 1000))],
    ['startretries', String(restart.limit)],
    ['exitcodes', '0'],
    ['stopsignal', stop.signal],
    ['stopwaitsecs', String(toWholeSeconds(stop.timeoutMs))],
    // The signal goes to the main process alone: sent to all of them, it kills tasks that Celery is running.
    ['stopasgroup', 'false'],
    ['killasgroup', 'true'],
    ['redirect_stderr', 'true'],
    ['stdout_logfile', `/var/log/supervisor/${program}${instances > 1 ? '-%(process_num)d' : ''}.log`],
    ['stdout_logfile_maxbytes', String(log.maxSizeBytes)],
    ['stdout_logfile_backups', String(log.keep)],
  ])
}

/** Those that `environment=` can hold, and those that a program before it must set or remove. */
function variables({ env }: ExportedProcess) {
  const entries = Object.entries(env)
  return {
    simple: entries.flatMap(([name, text]) => (isSimple(text) ? [quoteVariable(name, text)] : [])),
    hard: Object.fromEntries(entries.filter(([, text]) => !isSimple(text))),
  }
}

const isSimple = (text: string | null): text is string => text !== null && fitsEnvironment(text)
