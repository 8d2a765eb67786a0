import { EXIT, ProdserverError, UsageError } from '../core/errors.ts'
import type { Command, CommandContext } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import type { Io } from './io.ts'
import { COMMON_OPTIONS, DJANGO_OPTIONS, PLAN_OPTIONS } from './option-sets.ts'
import type { OptionSpecs } from './option-spec.ts'
import { parseLine } from './options.ts'
import { createPaint, type Paint, renderProblems } from './output/print.ts'
import { VERSION } from './version.ts'

/** Runs one command line and returns its exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const allowsColour = !argv.includes('--no-color')
  const paint = createPaint(io.stdout, io.env, allowsColour)
  const errorPaint = createPaint(io.stderr, io.env, allowsColour)
  const chosen = chooseCommand(argv)
  if (chosen === 'help' || wantsHelp(chosen)) {
    io.stdout.write(await renderHelpFor(chosen, paint))
    return EXIT.done
  }
  const { command } = chosen
  let shown: ErrorLook = { json: false, traceback: false }
  try {
    const { options, operands, passedOn } = parseLine(chosen.argv, command)
    shown = { json: options['json'] === true, traceback: options['traceback'] === true }
    const extra = operands[command.maxOperands ?? operands.length]
    if (extra !== undefined) throw new UsageError(`Unexpected argument ${extra}.`)
    const { execute } = await command.load()
    const context: CommandContext = { options, operands, passedOn, io, paint, errorPaint, commands: COMMANDS }
    return await execute(context)
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(renderUsageError(error, command))
      return EXIT.usage
    }
    if (error instanceof ProdserverError) {
      printProblems(error, shown, io, errorPaint)
      return error.exitCode
    }
    io.stderr.write(
      `prodserver: this is a bug in prodserver ${VERSION}; please report it with these lines.\n${error instanceof Error ? error.stack : String(error)}\n`,
    )
    return EXIT.bug
  }
}

interface ErrorLook {
  readonly json: boolean
  readonly traceback: boolean
}

function printProblems(error: ProdserverError, { json, traceback }: ErrorLook, io: Io, paint: Paint): void {
  if (json) for (const problem of error.problems) io.stdout.write(`${JSON.stringify(problem)}\n`)
  else io.stderr.write(renderProblems(error.problems, paint))
  if (traceback) io.stderr.write(`${error.stack}\n`)
}

function renderUsageError({ message, hint }: UsageError, { name, usage }: Command): string {
  const advice = hint ? ` ${hint}` : ''
  const line = `Usage: prodserver ${name} [OPTIONS] ${usage}`.trimEnd()
  return `prodserver: ${message}${advice}\n${line}\nOptions and examples: prodserver ${name} --help\n`
}

interface Chosen {
  readonly command: Command
  readonly argv: readonly string[]
}

async function renderHelpFor(chosen: Chosen | 'help', paint: Paint): Promise<string> {
  const { renderCommandHelp, renderHelp } = await import('./help.ts')
  return chosen === 'help' ? renderHelp(COMMANDS, paint, VERSION) : renderCommandHelp(chosen.command, paint)
}

/** `prodserver COMMAND ...`, `prodserver NAME ...` for `run`, and the original's `--list`. */
function chooseCommand(argv: readonly string[]): Chosen | 'help' {
  const at = firstOperand(argv)
  const word = at === undefined ? undefined : argv[at]
  const named = COMMANDS.find(({ name }) => name === word)
  if (named) return { command: named, argv: argv.toSpliced(at as number, 1) }
  if (word === 'help') {
    const topic = COMMANDS.find(({ name }) => argv.includes(name))
    return topic ? { command: topic, argv: ['--help'] } : 'help'
  }
  if (argv.includes('--list') && word === undefined)
    return { command: find('list'), argv: argv.filter((token) => token !== '--list') }
  if (word === undefined && (argv.length === 0 || argv.includes('--help') || argv.includes('-h'))) return 'help'
  return { command: find('run'), argv }
}

const find = (name: string): Command => COMMANDS.find((command) => command.name === name) as Command

/** The position of the first word that is neither an option nor an option's value. */
function firstOperand(argv: readonly string[]): number | undefined {
  const specs: OptionSpecs = { ...PLAN_OPTIONS, ...DJANGO_OPTIONS, ...COMMON_OPTIONS }
  const withValue = new Set(
    Object.entries(specs)
      .filter(([, { kind }]) => kind !== 'flag')
      .flatMap(([name, { short }]) => (short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`])),
  )
  for (let index = 0; index < argv.length; index++) {
    const token = argv[index] as string
    if (!token.startsWith('-')) return index
    if (withValue.has(token)) index++
  }
  return undefined
}

/** `--help` behind a process name is an argument for the program: `prodserver run web --help` asks the server. */
function wantsHelp({ command, argv }: Chosen): boolean {
  const end = command.passOn ? firstOperand(argv) : undefined
  return argv.slice(0, end).some((token) => token === '--help' || token === '-h')
}
