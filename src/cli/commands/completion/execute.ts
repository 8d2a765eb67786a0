import { EXIT, UsageError } from '../../../core/errors.ts'
import { COMMANDS, type CommandContext, type CommandSpec } from '../index.ts'
import type { OptionSpec } from '../../options.ts'

/** Prints a completion script. Process names are asked of the project at the moment of completing. */
export async function execute({ options, io }: CommandContext): Promise<number> {
  const [shell] = options.positionals
  const render = shell === undefined ? undefined : SHELLS[shell]
  if (!render)
    throw new UsageError(
      shell === undefined ? 'Name a shell.' : `There is no completion for ${shell}.`,
      'Shells: bash, zsh, fish',
    )
  io.stdout.write(render())
  return EXIT.done
}

const SHELLS: Readonly<Record<string, () => string>> = { bash: renderBash, zsh: renderZsh, fish: renderFish }

const visible = ({ options }: CommandSpec): readonly OptionSpec[] => options.filter(({ hidden }) => !hidden)
const flags = (command: CommandSpec): string =>
  visible(command)
    .map(({ name }) => `--${name}`)
    .join(' ')
const commandNames = COMMANDS.map(({ name }) => name).join(' ')
const NAMES = 'prodserver list --names 2>/dev/null'
/** Commands that take process names. */
const takesNames = COMMANDS.filter(({ usage }) => usage.includes('NAME')).map(({ name }) => name)

function renderBash(): string {
  return `_prodserver() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} words
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commandNames} $(${NAMES})"
  else case $command in
${COMMANDS.map((command) => `    ${command.name}) words="${flags(command)}${takesNames.includes(command.name) ? ` $([[ $word == -* ]] || ${NAMES})` : ''}" ;;`).join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _prodserver prodserver
`
}

function renderZsh(): string {
  return `#compdef prodserver
_prodserver() {
  local -a choices
  if (( CURRENT == 2 )); then choices=(${commandNames} \${(f)"$(${NAMES})"})
  else
    case $words[2] in
${COMMANDS.map((command) => `      ${command.name}) choices=(${flags(command)}${takesNames.includes(command.name) ? ` \${(f)"$(${NAMES})"}` : ''}) ;;`).join('\n')}
    esac
  fi
  compadd -a choices
}
compdef _prodserver prodserver
`
}

function renderFish(): string {
  return [
    'complete -c prodserver -f',
    `complete -c prodserver -n __fish_use_subcommand -a '(${NAMES})'`,
    ...COMMANDS.map(
      ({ name, summary }) => `complete -c prodserver -n __fish_use_subcommand -a ${name} -d ${describe(summary)}`,
    ),
    ...COMMANDS.flatMap((command) =>
      visible(command).map(
        ({ name, summary }) =>
          `complete -c prodserver -n '__fish_seen_subcommand_from ${command.name}' -l ${name} -d ${describe(summary)}`,
      ),
    ),
    ...takesNames.map((name) => `complete -c prodserver -n '__fish_seen_subcommand_from ${name}' -a '(${NAMES})'`),
    '',
  ].join('\n')
}

const describe = (text: string): string => `'${text.replaceAll("'", "\\'")}'`
