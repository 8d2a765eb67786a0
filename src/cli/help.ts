import { EXIT, EXIT_MEANINGS } from '../core/errors.ts'
import type { Choices, CommandSpec } from './command.ts'
import type { OptionSpec } from './option-spec.ts'
import type { Paint } from './output/print.ts'

export function renderHelp(commands: readonly CommandSpec[], paint: Paint, version: string): string {
  const width = Math.max(...commands.map(({ name, usage }) => name.length + usage.length)) + 1
  const codes = (['done', 'failed', 'usage', 'refused'] as const).map(
    (key) => `${EXIT[key]} ${EXIT_MEANINGS[key].replace(/[:.].*$/s, '').toLowerCase()}`,
  )
  return [
    `${paint('bold', 'prodserver')} ${version}: a Django project's production processes, declared once.`,
    '',
    `Usage: prodserver COMMAND [OPTIONS]     or: prodserver NAME`,
    '',
    ...commands.map(({ name, usage, summary }) => {
      const gap = ' '.repeat(width - name.length - usage.length)
      return `  ${paint('cyan', name)} ${usage}${gap} ${summary}`
    }),
    '',
    `prodserver COMMAND --help shows its options and examples; prodserver --version the version.`,
    `Exit codes: ${codes.join(', ')}; after ${paint('cyan', 'run')}, the program's own.`,
    '',
  ].join('\n')
}

/** Renders the help of one command, with the values of its first operand if the command has a list of them. */
export async function renderCommandHelp(command: CommandSpec, paint: Paint): Promise<string> {
  const rows = Object.entries(command.options).flatMap(([name, option]) =>
    option.hidden ? [] : [[alignShort(option, spellOption(name, option)), option.summary] as const],
  )
  const width = Math.max(...rows.map(([name]) => name.length))
  const examples = Math.max(...command.examples.map(([example]) => example.length))
  return [
    usageLine(command),
    '',
    `${command.summary}.`,
    '',
    ...rows.map(([name, summary]) => `  ${paint('cyan', name.padEnd(width))}  ${summary}`),
    '',
    ...(await renderChoices(command.choices, paint)),
    'Examples:',
    ...command.examples.map(([example, meaning]) => `  ${example.padEnd(examples)}  ${paint('dim', meaning)}`),
    '',
  ].join('\n')
}

async function renderChoices(choices: Choices | undefined, paint: Paint): Promise<readonly string[]> {
  if (!choices) return []
  const rows = await choices.load()
  const width = Math.max(...rows.map(([value]) => value.length))
  const lines = rows.map(([value, meaning]) => `  ${paint('cyan', value.padEnd(width))}  ${meaning}`)
  return [`${choices.title}:`, ...lines, '']
}

/** Aligns the long form below options that have a short one. */
const alignShort = ({ short }: OptionSpec, text: string): string => (short === undefined ? `    ${text}` : text)

const usageLine = ({ name, usage }: CommandSpec): string => `Usage: prodserver ${name} [OPTIONS] ${usage}`.trimEnd()

/** An option as it is typed: `-o, --out FOLDER`. */
export function spellOption(name: string, option: OptionSpec): string {
  const short = option.short === undefined ? '' : `-${option.short}, `
  return option.kind === 'flag' ? `${short}--${name}` : `${short}--${name} ${option.value}`
}
