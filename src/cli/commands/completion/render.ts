import type { CommandSpec } from '../../command.ts'

type Commands = readonly CommandSpec[]

/** Prints the names of the declared processes. */
const NAMES = 'prodserver list --names 2>/dev/null'

const namesOf = (commands: Commands): string => commands.map(({ name }) => name).join(' ')

/** Says whether a command takes process names. */
const takesNames = ({ usage }: CommandSpec): boolean => usage.includes('NAME')

const visibleOptions = ({ options }: CommandSpec): readonly (readonly [name: string, summary: string])[] =>
  Object.entries(options).flatMap(([name, { hidden, summary }]) => (hidden ? [] : [[name, summary] as const]))

const optionWords = (command: CommandSpec): string =>
  visibleOptions(command)
    .map(([name]) => `--${name}`)
    .join(' ')

export function renderBash(commands: Commands): string {
  const cases = commands.map((command) => {
    const names = takesNames(command) ? ` $([[ $word == -* ]] || ${NAMES})` : ''
    return `    ${command.name}) words="${optionWords(command)}${names}" ;;`
  })
  return `_prodserver() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} words
  if [ "$COMP_CWORD" -eq 1 ]; then words="${namesOf(commands)} $(${NAMES})"
  else case $command in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _prodserver prodserver
`
}

export function renderZsh(commands: Commands): string {
  const cases = commands.map((command) => {
    const names = takesNames(command) ? ` \${(f)"$(${NAMES})"}` : ''
    return `      ${command.name}) choices=(${optionWords(command)}${names}) ;;`
  })
  return `#compdef prodserver
_prodserver() {
  local -a choices
  if (( CURRENT == 2 )); then choices=(${namesOf(commands)} \${(f)"$(${NAMES})"})
  else
    case $words[2] in
${cases.join('\n')}
    esac
  fi
  compadd -a choices
}
compdef _prodserver prodserver
`
}

const after = (name: string): string => `complete -c prodserver -n '__fish_seen_subcommand_from ${name}'`

export function renderFish(commands: Commands): string {
  const first = 'complete -c prodserver -n __fish_use_subcommand -a'
  return [
    'complete -c prodserver -f',
    `${first} '(${NAMES})'`,
    ...commands.map(({ name, summary }) => `${first} ${name} -d ${quote(summary)}`),
    ...commands.flatMap((command) =>
      visibleOptions(command).map(([name, summary]) => `${after(command.name)} -l ${name} -d ${quote(summary)}`),
    ),
    ...commands.filter(takesNames).map(({ name }) => `${after(name)} -a '(${NAMES})'`),
    '',
  ].join('\n')
}

const quote = (text: string): string => `'${text.replaceAll("'", "\\'")}'`
