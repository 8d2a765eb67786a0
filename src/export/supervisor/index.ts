import { runsToCompletion } from '../../core/completion.ts'
import { toWholeSeconds } from '../../core/durations.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { wrap } from '../shell.ts'
import type { ExportedFile, Target } from '../target.ts'
import { check } from './check.ts'
import { fitsEnvironment, quoteCommand, quoteVariable, value } from './quote.ts'
import { ranks } from './ranks.ts'
import { instancesOf, ownSettings, type Setting, SUPPORT } from './support.ts'

/** One file with a program for each process, and a group that holds the programs. */
export const supervisor: Target = {
  name: 'supervisor',
  title: 'Supervisor',
  runsIn: 'machine',
  envFromExample: '/etc/shop.env',
  options: ['user', 'env-from'],
  support: SUPPORT,
  check,
  render,
  next,
}

function render(input: ExportInput): readonly ExportedFile[] {
  const { name, processes } = input
  const order = ranks(processes)
  const programs = processes.map((exported) => renderProgram(exported, order.get(exported.name) ?? 0, input))
  const names = processes.map((exported) => programName(exported, input)).join(',')
  const text = [...programs, section(`group:${name}`, [['programs', names]])].join('\n')
  return [{ path: `${name}.conf`, text }]
}

function next(folder: string, { name }: ExportInput): readonly string[] {
  return [
    `sudo cp ${quoteWord(`${folder}/${name}.conf`)} /etc/supervisor/conf.d/`,
    'sudo supervisorctl reread',
    'sudo supervisorctl update',
  ]
}

const programName = ({ name }: ExportedProcess, input: ExportInput): string => `${input.name}-${name}`

const section = (name: string, settings: readonly Setting[]): string =>
  `[${name}]\n${settings.map(([key, text]) => `${key}=${text}\n`).join('')}`

function renderProgram(exported: ExportedProcess, rank: number, input: ExportInput): string {
  const { argv, nice, cwd } = exported
  const { simple, hard } = variables(exported)
  const settings: Setting[] = [['command', quoteCommand(wrap(argv, { envFrom: input.envFrom, env: hard, nice }))]]
  settings.push(...counts(exported), ['directory', value(cwd)])
  if (simple.length > 0) settings.push(['environment', simple.join(',')])
  const user = exported.user ?? input.user
  if (user !== undefined) settings.push(['user', value(user)])
  settings.push(
    ...ownSettings(exported),
    ['priority', String(100 + 10 * rank)],
    ...starting(exported),
    ...stopping(exported),
    ...logging(exported, input),
  )
  return section(`program:${programName(exported, input)}`, settings)
}

function counts(exported: ExportedProcess): readonly Setting[] {
  const instances = instancesOf(exported)
  if (instances === 1) return []
  return [
    ['process_name', '%(program_name)s-%(process_num)d'],
    ['numprocs', String(instances)],
    ['numprocs_start', '1'],
  ]
}

const RESTART = { always: 'true', 'on-failure': 'unexpected', never: 'false' } as const

function starting(exported: ExportedProcess): readonly Setting[] {
  const { restart, ready, schedule } = exported
  const ends = runsToCompletion(exported)
  // Supervisor restarts a program that ends within these seconds, whatever `autorestart` says.
  const startSeconds = ends || restart.policy === 'never' ? 0 : toWholeSeconds(ready.delayMs ?? 1000)
  return [
    ['autostart', schedule === null ? 'true' : 'false'],
    ['autorestart', ends ? 'false' : RESTART[restart.policy]],
    ['startsecs', String(startSeconds)],
    ['startretries', String(restart.limit)],
    ['exitcodes', '0'],
  ]
}

const stopping = ({ stop }: ExportedProcess): readonly Setting[] => [
  ['stopsignal', stop.signal],
  ['stopwaitsecs', String(toWholeSeconds(stop.timeoutMs))],
  // Supervisor signals the main process alone: sent to the group, the signal kills tasks that Celery is running.
  ['stopasgroup', 'false'],
  ['killasgroup', 'true'],
]

function logging(exported: ExportedProcess, input: ExportInput): readonly Setting[] {
  const { log } = exported
  const number = instancesOf(exported) > 1 ? '-%(process_num)d' : ''
  return [
    ['redirect_stderr', 'true'],
    ['stdout_logfile', `/var/log/supervisor/${programName(exported, input)}${number}.log`],
    ['stdout_logfile_maxbytes', String(log.maxSizeBytes)],
    ['stdout_logfile_backups', String(log.keep)],
  ]
}

/** Splits the variables into those that `environment=` can hold, and those that `env` must set or remove. */
function variables({ env }: ExportedProcess) {
  const entries = Object.entries(env)
  return {
    simple: entries.flatMap(([name, text]) => (isSimple(text) ? [quoteVariable(name, text)] : [])),
    hard: Object.fromEntries(entries.filter(([, text]) => !isSimple(text))),
  }
}

const isSimple = (text: string | null): text is string => text !== null && fitsEnvironment(text)
