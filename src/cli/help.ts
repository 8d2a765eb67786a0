import { EXIT, EXIT_MEANINGS } from '../core/errors.ts'
import { COMMANDS, type CommandSpec } from './commands/index.ts'
import type { OptionSpec } from './options.ts'
import type { Paint } from './output/print.ts'

export function renderHelp(paint: Paint, version: string): string {
  const width = Math.max(...COMMANDS.map(({ name, usage }) => name.length + usage.length)) + 1
  return [
    `${paint('bold', 'prodserver')} ${version}: a Django project's production processes, declared once.`,
    '',
    `Usage: prodserver COMMAND [OPTIONS]     or: prodserver NAME`,
    '',
    ...COMMANDS.map(
      ({ name, usage, summary }) =>
        `  ${paint('cyan', name)} ${usage}${' '.repeat(width - name.length - usage.length)} ${summary}`,
    ),
    '',
    `prodserver COMMAND --help shows its options and examples; prodserver --version the version.`,
    `Exit codes: ${(['done', 'failed', 'usage', 'refused'] as const).map((key) => `${EXIT[key]} ${EXIT_MEANINGS[key].replace(/[:.].*$/s, '').toLowerCase()}`).join(', ')}; after ${paint('cyan', 'run')}, the program's own.`,
    '',
  ].join('\n')
}

export function renderCommandHelp(command: CommandSpec, paint: Paint): string {
  const rows = command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => [spelling(option), option.summary] as const)
  const width = Math.max(...rows.map(([name]) => name.length))
  const examples = Math.max(...command.examples.map(([example]) => example.length))
  return [
    usageLine(command),
    '',
    `${command.summary}.`,
    '',
    ...rows.map(([name, summary]) => `  ${paint('cyan', name.padEnd(width))}  ${summary}`),
    '',
    'Examples:',
    ...command.examples.map(([example, meaning]) => `  ${example.padEnd(examples)}  ${paint('dim', meaning)}`),
    '',
  ].join('\n')
}

export const usageLine = ({ name, usage }: CommandSpec): string =>
  `Usage: prodserver ${name} [OPTIONS]${usage ? ` ${usage}` : ''}`

const spelling = ({ name, short, value }: OptionSpec): string =>
  `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`
