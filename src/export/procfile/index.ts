import { runsToCompletion } from '../../core/completion.ts'
import type { Problem } from '../../core/errors.ts'
import { quoteWord } from '../../core/shell-words.ts'
import type { ExportedProcess, ExportInput } from '../input.ts'
import { refuse, refuseVariable } from '../problems.ts'
import { checkProgram, wrap } from '../shell.ts'
import type { ExportedFile, Target } from '../target.ts'
import { setVariables } from '../variables.ts'
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
    .filter(({ listen, instances }) => listen.length === 0 && instances > 1)
    .map(({ name, instances }) => `${name}=${instances}`)
  const count = counts.length > 0 ? ` -c ${counts.join(',')}` : ''
  return [...commands, `${start}${count} ${services.map(({ name }) => name).join(' ')}`]
}

/** Returns the variables that are the same for every process, and that honcho and foreman read alike. */
function commonVariables(processes: readonly ExportedProcess[]): ReadonlyMap<string, string> {
  const [first, ...others] = processes
  const isCommon = ([name, text]: readonly [string, string]): boolean =>
    fitsEnvironment(text) && others.every(({ env }) => env[name] === text)
  return new Map(first && setVariables(first).filter(isCommon))
}

function commandOf(exported: ExportedProcess, common: ReadonlyMap<string, string>): string {
  const { argv, nice, cwd } = exported
  const env = Object.fromEntries(Object.entries(exported.env).filter(([name]) => !common.has(name)))
  const { before, command } = quoteLine(wrap(argv, { env, nice }))
  const folder = quoteLine([cwd])
  return `${folder.before}${before}${commandsBefore(exported)}cd ${folder.command} && exec ${command}`
}

/** The longest argument of a program, in bytes. The shell gets the line as one argument. */
const MAX_BYTES = 128 * 1024 - 1

function* check({ processes, envFrom }: ExportInput): Generator<Problem> {
  const common = commonVariables(processes)
  for (const file of envFrom) if (/[,\s]/.test(file)) yield refuseFile(file)
  for (const exported of processes) {
    if (!/^[\w-]+$/.test(exported.name))
      yield refuse(exported, 'name', 'A Procfile allows only letters, digits, "-" and "_" in the name of a process.')
    const bytes = new TextEncoder().encode(commandOf(exported, common)).length
    if (bytes > MAX_BYTES)
      yield refuse(exported, 'args', `The line has ${bytes} bytes, and a shell takes at most ${MAX_BYTES}.`)
    yield* checkProgram(exported)
    for (const variable of Object.keys(exported.env))
      if (!/^[a-z_]\w*$/i.test(variable))
        yield refuseVariable(exported, variable, 'A shell cannot set a variable with this name.')
  }
}

const refuseFile = (file: string): Problem => ({
  id: 'E802',
  place: `--env-from ${file}`,
  message: 'honcho and foreman split the name of a file at commas and spaces.',
  hint: 'Rename the file',
})
