import { runsToCompletion } from '../../core/completion.ts'
import type { Problem } from '../../core/errors.ts'
import { quoteWord } from '../../core/shell-words.ts'
import { canBeWrapped, wrap } from '../shell.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { refusal } from '../problems.ts'
import type { ExportedFile, Target } from '../target.ts'
import { fitsEnvironment, quoteLine, quoteVariable } from './quote.ts'
import { commandsBefore, SUPPORT } from './support.ts'

/** A line for each process, and a file with the variables that all processes share. */
export const procfile: Target = {
  name: 'procfile',
  title: 'Procfile',
  runsIn: 'machine',
  envFromExample: '/etc/shop.env',
  options: ['env-from'],
  support: SUPPORT,
  check,
  render,
  next,
}

/** The most that one argument may have, and the line is one of the shell's. */
const MAX_BYTES = 128 * 1024 - 1

function render({ processes }: ExportInput): readonly ExportedFile[] {
  const common = commonVariables(processes)
  const lines = processes.map((exported) => `${exported.name}: ${commandOf(exported, common)}\n`)
  return [
    { path: 'Procfile', text: lines.join('') },
    { path: 'Procfile.env', text: [...common].map(([name, text]) => quoteVariable(name, text)).join('') },
  ]
}

/**
 * Starts the processes that run to completion first, one command each: when one of several processes ends, honcho and
 * foreman stop the others.
 */
function next(folder: string, { processes, envFrom }: ExportInput): readonly string[] {
  const variables = [`${folder}/Procfile.env`, ...envFrom].join(',')
  const start = `honcho -f ${quoteWord(`${folder}/Procfile`)} -e ${quoteWord(variables)} start`
  const first = processes.filter((exported) => exported.run !== 'always' && exported.schedule === null)
  const commands = first.map(({ name }) => `${start} ${name}`)
  const services = processes.filter((exported) => !runsToCompletion(exported))
  if (services.length === 0) return commands
  const counts = services
    .filter((exported) => instancesOf(exported) > 1)
    .map((exported) => `${exported.name}=${instancesOf(exported)}`)
  const count = counts.length > 0 ? ` -c ${counts.join(',')}` : ''
  return [...commands, `${start}${count} ${services.map(({ name }) => name).join(' ')}`]
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
  const { argv, nice, cwd } = exported
  const env = Object.fromEntries(Object.entries(exported.env).filter(([name]) => !common.has(name)))
  const words = wrap(argv, { envFrom: [], env, nice })
  const { before, command } = quoteLine(words)
  const folder = quoteLine([cwd])
  return `${folder.before}${before}${commandsBefore(exported)}cd ${folder.command} && exec ${command}`
}

function check({ processes, envFrom }: ExportInput): readonly Problem[] {
  const common = commonVariables(processes)
  return [
    ...envFrom.filter((file) => /[,\s]/.test(file)).map(refuseFile),
    ...processes.flatMap((exported) => [
      ...checkName(exported),
      ...checkLength(exported, commandOf(exported, common)),
      ...checkProgram(exported),
      ...checkVariables(exported),
    ]),
  ]
}

function refuseFile(file: string): Problem {
  return {
    id: 'E802',
    place: `--env-from ${file}`,
    message: 'honcho and foreman take a list of files, and this name would be several.',
    hint: 'Give it a name without commas and spaces',
  }
}

function checkName(exported: ExportedProcess): readonly Problem[] {
  if (/^[\w-]+$/.test(exported.name)) return []
  return [refusal(exported, '', 'A line of a Procfile has a name of letters, digits, "-" and "_".')]
}

function checkLength(exported: ExportedProcess, command: string): readonly Problem[] {
  const bytes = new TextEncoder().encode(command).length
  if (bytes <= MAX_BYTES) return []
  return [refusal(exported, '["ARGS"]', `The line has ${bytes} bytes, and a shell is given at most ${MAX_BYTES}.`)]
}

function checkProgram(exported: ExportedProcess): readonly Problem[] {
  if (canBeWrapped(exported.argv)) return []
  return [refusal(exported, '["APP"]', 'The path of a program with "=" cannot follow env.')]
}

const checkVariables = (exported: ExportedProcess): readonly Problem[] =>
  Object.keys(exported.env)
    .filter((variable) => !/^[a-z_]\w*$/i.test(variable))
    .map((variable) =>
      refusal(exported, `["ENV"][${JSON.stringify(variable)}]`, 'A shell has no variable of such a name.'),
    )
