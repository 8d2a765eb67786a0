import { runsToCompletion } from '../../core/completion.ts'
import { toWholeSeconds } from '../../core/durations.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { renderSettings, type Settings, settingsOf } from '../settings.ts'
import { wrap } from '../shell.ts'
import type { ExportedFile, Target } from '../target.ts'
import { check } from './check.ts'
import { fitsEnvironment, quoteCommand, quoteVariable, value } from './quote.ts'
import { instancesOf, SUPPORT } from './support.ts'

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
  next: (folder, { name }) => [
    `sudo cp ${quoteWord(`${folder}/${name}.conf`)} /etc/supervisor/conf.d/`,
    'sudo supervisorctl reread',
    'sudo supervisorctl update',
  ],
}

function render(input: ExportInput): readonly ExportedFile[] {
  const { name, processes } = input
  const names = processes.map((exported) => `${name}-${exported.name}`)
  const ranks = ranksOf(processes)
  const programs = processes.map((exported, index) =>
    section(`program:${names[index]}`, programSettings(exported, ranks.get(exported.name) ?? 0, input)),
  )
  const group = section(`group:${name}`, { programs: names.join(',') })
  return [{ path: `${name}.conf`, text: [...programs, group].join('\n') }]
}

const section = (name: string, settings: Settings): string => `[${name}]\n${renderSettings(settings)}`

/** Numbers each process by its longest chain of dependencies: 0 for a process that depends on nothing. */
function ranksOf(processes: readonly ExportedProcess[]): ReadonlyMap<string, number> {
  const ranks = new Map(processes.map(({ name }) => [name, 0]))
  // Each round completes the ranks of one more link of every chain.
  for (const _ of processes)
    for (const { name, dependsOn } of processes)
      ranks.set(name, Math.max(-1, ...Object.keys(dependsOn).map((other) => ranks.get(other) ?? -1)) + 1)
  return ranks
}

const RESTART = { always: 'true', 'on-failure': 'unexpected', never: 'false' } as const

function programSettings(exported: ExportedProcess, rank: number, input: ExportInput): Settings {
  const { argv, nice, cwd, schedule, restart, stop, log } = exported
  const { simple, env } = splitVariables(exported)
  const user = exported.user ?? input.user
  const instances = instancesOf(exported)
  const number = instances > 1 ? '-%(process_num)d' : ''
  return {
    command: quoteCommand(wrap(argv, { envFrom: input.envFrom, env, nice })),
    ...counts(instances),
    directory: value(cwd),
    environment: simple.join(',') || undefined,
    user: user && value(user),
    ...settingsOf(SUPPORT, exported, input),
    priority: 100 + 10 * rank,
    autostart: String(schedule === null),
    autorestart: runsToCompletion(exported) ? 'false' : RESTART[restart.policy],
    startsecs: startSeconds(exported),
    startretries: restart.limit,
    exitcodes: 0,
    stopsignal: stop.signal,
    stopwaitsecs: toWholeSeconds(stop.timeoutMs),
    // Supervisor signals the main process alone: sent to the group, the signal kills tasks that Celery is running.
    stopasgroup: 'false',
    killasgroup: 'true',
    redirect_stderr: 'true',
    stdout_logfile: `/var/log/supervisor/${input.name}-${exported.name}${number}.log`,
    stdout_logfile_maxbytes: log.maxSizeBytes,
    stdout_logfile_backups: log.keep,
  }
}

function counts(instances: number): Settings {
  if (instances === 1) return {}
  return { process_name: '%(program_name)s-%(process_num)d', numprocs: instances, numprocs_start: 1 }
}

/** Supervisor restarts a program that ends within these seconds, whatever `autorestart` says. */
function startSeconds(exported: ExportedProcess): number {
  if (runsToCompletion(exported) || exported.restart.policy === 'never') return 0
  return toWholeSeconds(exported.ready.delayMs ?? 1000)
}

/** Splits the variables into those that `environment=` can hold, and those that `env` must set or remove. */
function splitVariables({ env }: ExportedProcess) {
  const entries = Object.entries(env)
  return {
    simple: entries.flatMap(([name, text]) => (isSimple(text) ? [quoteVariable(name, text)] : [])),
    env: Object.fromEntries(entries.filter(([, text]) => !isSimple(text))),
  }
}

const isSimple = (text: string | null): text is string => text !== null && fitsEnvironment(text)
