import type { Problem } from '../../core/errors.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { canBeWrapped, completes, wrap } from '../shell.ts'
import { type Exported, type ExportedProcess, type ExportInput, loss, refusal, type Target } from '../target.ts'
import { fitsEnvironment, quoteLine, quoteVariable } from './quote.ts'

/** A line for each process, and a file with the variables that all of them have. */
export const procfile: Target = {
  name: 'procfile',
  title: 'Procfile',
  runsIn: 'machine',
  envFromExample: '/etc/shop.env',
  options: ['env-from'],
  render,
}

/** The most that one argument may have, and the line is one of the shell's. */
const MAX_BYTES = 128 * 1024 - 1

function render(input: ExportInput): Exported {
  const { processes, envFrom } = input
  const common = commonVariables(processes)
  const commands = processes.map((exported) => ({ exported, command: commandOf(exported, common) }))
  const lines = commands.map(({ exported, command }) => `${exported.name}: ${command}\n`)
  return {
    files: [
      { path: 'Procfile', text: lines.join('') },
      { path: 'Procfile.env', text: [...common].map(([name, text]) => quoteVariable(name, text)).join('') },
    ],
    problems: [
      ...envFrom.filter((file) => /[,\s]/.test(file)).map(refuseFile),
      ...commands.flatMap(({ exported, command }) => [...refused(exported, command), ...lost(exported)]),
    ],
    next: (folder) => nextCommands(folder, input),
  }
}

/** What ends by itself goes first, each alone: when one of several ends, honcho and foreman stop all of them. */
function nextCommands(folder: string, { processes, envFrom }: ExportInput): readonly string[] {
  const files = ['Procfile.env'].map((file) => `${folder}/${file}`)
  const options = `-f ${quoteWord(`${folder}/Procfile`)} -e ${quoteWord([...files, ...envFrom].join(','))}`
  const first = processes.filter((exported) => exported.run !== 'always' && exported.schedule === null)
  const services = processes.filter((exported) => !completes(exported))
  const many = services.filter((exported) => instancesOf(exported) > 1)
  const counts = many.map((exported) => `${exported.name}=${instancesOf(exported)}`).join(',')
  return [
    ...first.map(({ name }) => `honcho ${options} start ${name}`),
    ...(services.length === 0
      ? []
      : [`honcho ${options} start${counts && ` -c ${counts}`} ${services.map(({ name }) => name).join(' ')}`]),
  ]
}

const instancesOf = ({ listen, instances }: ExportedProcess): number => (listen.length > 0 ? 1 : instances)

/** Those that every process has alike, and that honcho and foreman read alike. */
function commonVariables(processes: readonly ExportedProcess[]): ReadonlyMap<string, string> {
  const [first, ...others] = processes
  return new Map(
    Object.entries(first?.env ?? {}).filter(
      (entry): entry is [string, string] =>
        entry[1] !== null && fitsEnvironment(entry[1]) && others.every(({ env }) => env[entry[0]] === entry[1]),
    ),
  )
}

function commandOf(exported: ExportedProcess, common: ReadonlyMap<string, string>): string {
  const { argv, nice, umask, cwd } = exported
  const env = Object.fromEntries(Object.entries(exported.env).filter(([name]) => !common.has(name)))
  const words = wrap(argv, { envFrom: [], env, nice })
  const { before, command } = quoteLine(words)
  const folder = quoteLine([cwd])
  return `${folder.before}${before}${umask === null ? '' : `umask ${umask} && `}cd ${folder.command} && exec ${command}`
}

function refuseFile(file: string): Problem {
  return {
    id: 'E802',
    place: `--env-from ${file}`,
    message: 'honcho and foreman take a list of files, and this name would be several.',
    hint: 'Give it a name without commas and spaces',
  }
}

function refused(exported: ExportedProcess, command: string): readonly Problem[] {
  const { name, env, argv } = exported
  const bytes = new TextEncoder().encode(command).length
  return [
    ...(/^[\w-]+$/.test(name)
      ? []
      : [refusal(exported, '', 'A line of a Procfile has a name of letters, digits, "-" and "_".')]),
    ...(bytes > MAX_BYTES
      ? [refusal(exported, '["ARGS"]', `The line has ${bytes} bytes, and a shell is given at most ${MAX_BYTES}.`)]
      : []),
    ...(canBeWrapped(argv) ? [] : [refusal(exported, '["APP"]', 'The path of a program with "=" cannot follow env.')]),
    ...Object.keys(env)
      .filter((variable) => !/^[a-z_]\w*$/i.test(variable))
      .map((variable) =>
        refusal(exported, `["ENV"][${JSON.stringify(variable)}]`, 'A shell has no variable of such a name.'),
      ),
  ]
}

function lost(exported: ExportedProcess): readonly Problem[] {
  const { name, alive, dependsOn, from, listen, instances, schedule, run } = exported
  const found: readonly (readonly [is: boolean, key: keyof ExportedProcess['from'], message: string])[] = [
    [!!from.ready, 'ready', 'Nobody is asked: it counts as ready when it is started.'],
    [alive !== null, 'alive', 'Nobody is asked whether it works.'],
    [!!from.restart, 'restart', 'Nothing is started again: when one process ends, all of them are stopped.'],
    [!!from.stop, 'stop', 'TERM stops it, and KILL after 5 seconds; foreman start -t 300 gives it longer.'],
    [!!from.reload, 'reload', 'Nothing is replaced while it runs: stop all of them, and start them again.'],
    [Object.keys(dependsOn).length > 0, 'dependsOn', 'All of them start at once.'],
    [
      instances > 1,
      'instances',
      listen.length > 0
        ? 'Its instances cannot share an address: one runs.'
        : `The file has no word for it: start -c ${name}=${instances}, or with foreman start -m ${name}=${instances}.`,
    ],
    [run !== 'always', 'run', `When it ends, all that runs beside it is stopped: start it alone, before the others.`],
    [schedule !== null, 'schedule', `There are no schedules: let cron start the line, honcho start ${name}.`],
    [exported.user !== null, 'user', 'It runs as whoever starts honcho or foreman.'],
    [exported.group !== null, 'group', 'It runs in the group of whoever starts honcho or foreman.'],
    [Object.keys(exported.limits).length > 0, 'limits', 'The limits are those of whoever starts honcho or foreman.'],
    [exported.memoryLimitBytes !== null, 'memoryLimit', 'Nobody looks at memory: nothing is replaced.'],
    [!!from.log, 'log', 'What is printed goes to the terminal, and is not kept.'],
  ]
  return found.filter(([is]) => is).map(([, key, message]) => loss(exported, key, message))
}
