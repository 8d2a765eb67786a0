import { EXIT, ProdserverError, UsageError } from '../core/errors.ts'
import { COMMANDS, type CommandContext, type CommandSpec } from './commands/index.ts'
import type { Io } from './io.ts'
import { COMMON_OPTIONS, DJANGO_OPTIONS, parseOptions, type ParsedOptions, PLAN_OPTIONS } from './options.ts'
import { createPaint, renderProblems } from './output/print.ts'
import { VERSION } from './version.ts'

/** Runs one command line and returns its exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const colour = !argv.includes('--no-color')
  const paint = createPaint(io.stdout, io.env, colour)
  const errorPaint = createPaint(io.stderr, io.env, colour)
  let command: CommandSpec | undefined
  let options: ParsedOptions | undefined
  try {
    const chosen = chooseCommand(argv)
    if (chosen === 'help') {
      const { renderHelp } = await import('./help.ts')
      io.stdout.write(renderHelp(paint, VERSION))
      return EXIT.done
    }
    command = chosen.command
    if (wantsHelp(chosen)) {
      const { renderCommandHelp } = await import('./help.ts')
      io.stdout.write(renderCommandHelp(command, paint))
      return EXIT.done
    }
    options = parseOptions(chosen.argv, command)
    if (command.maxArguments !== undefined && options.positionals.length > command.maxArguments) {
      throw new UsageError(`Unexpected argument ${options.positionals[command.maxArguments]}.`)
    }
    const { execute } = await command.load()
    const context: CommandContext = { options, io, paint, errorPaint, commandNames: COMMANDS.map(({ name }) => name) }
    return await execute(context)
  } catch (error) {
    if (error instanceof UsageError) {
      const usage = command
        ? `Usage: prodserver ${command.name} [OPTIONS] ${command.usage}`.trimEnd()
        : 'Usage: prodserver COMMAND [OPTIONS]'
      const help = `Options and examples: prodserver ${command ? `${command.name} ` : ''}--help`
      io.stderr.write(`prodserver: ${error.message}${error.hint ? ` ${error.hint}` : ''}\n${usage}\n${help}\n`)
      return EXIT.usage
    }
    if (error instanceof ProdserverError) {
      if (options?.values['json']) for (const problem of error.problems) io.stdout.write(`${JSON.stringify(problem)}\n`)
      else io.stderr.write(renderProblems(error.problems, errorPaint))
      if (options?.values['traceback']) io.stderr.write(`${error.stack}\n`)
      return error.exitCode
    }
    io.stderr.write(
      `prodserver: this is a bug in prodserver ${VERSION}; please report it with these lines.\n${error instanceof Error ? error.stack : String(error)}\n`,
    )
    return EXIT.bug
  }
}

interface Chosen {
  readonly command: CommandSpec
  readonly argv: readonly string[]
}

/** `prodserver COMMAND ...`, `prodserver NAME ...` for `run`, and the original's `--list`. */
function chooseCommand(argv: readonly string[]): Chosen | 'help' {
  const at = firstArgument(argv)
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

const find = (name: string): CommandSpec => COMMANDS.find((command) => command.name === name) as CommandSpec

/** The position of the first word that is neither an option nor an option's value. */
function firstArgument(argv: readonly string[]): number | undefined {
  const withValue = new Set(
    [...PLAN_OPTIONS, ...DJANGO_OPTIONS, ...COMMON_OPTIONS]
      .filter(({ value }) => value !== undefined)
      .flatMap(({ name, short }) => [`--${name}`, ...(short ? [`-${short}`] : [])]),
  )
  for (let index = 0; index < argv.length; index++) {
    const token = argv[index] as string
    if (!token.startsWith('-')) return index
    if (withValue.has(token)) index++
  }
  return undefined
}

/** `--help` is ours only where it is not an argument for the program: `prodserver run web --help` asks the server. */
function wantsHelp({ command, argv }: Chosen): boolean {
  const end = command.passOn ? firstArgument(argv) : undefined
  return argv.slice(0, end).some((token) => token === '--help' || token === '-h')
}
