import { type Reference, splitAtEquals, type Text, textOf } from './text.ts'

/** One program of a command line, with what the shell would have done before starting it. */
export interface Step {
  readonly words: readonly Text[]
  readonly env: Readonly<Record<string, Text>>
  readonly cwd: string | undefined
}

const TOKEN =
  /(?<space>[ \t]+)|(?<and>\s*(?:&&|;|\n)\s*)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|\\(?<escaped>[\s\S])|(?<reference>\$\{?[A-Za-z_]\w*(?::?-[^}]*)?\}?)|(?<plain>[^\s'"\\$&;|<>()`*?]+)/y

/**
 * The programs of a command line such as `cd app && exec gunicorn --bind 0.0.0.0:$PORT mysite.wsgi`.
 *
 * Undefined where it has what no declaration can say: a pipe, a redirection, a sub-shell, a pattern of file names.
 */
export function readCommandLine(line: string): readonly Step[] | undefined {
  const commands = splitCommands(line.replaceAll(/\\\n/g, ' ').trim())
  if (!commands) return undefined
  const steps: Step[] = []
  let cwd: string | undefined
  for (const words of commands) {
    const [program, argument] = words
    if (program === 'cd' && typeof argument === 'string') cwd = cwd === undefined ? argument : `${cwd}/${argument}`
    else if (!isPreparation(program)) steps.push(readStep(words, cwd))
  }
  return steps
}

/** What makes a shell ready for the program; the interpreter is found without it. */
const isPreparation = (program: Text | undefined): boolean =>
  program === undefined || program === 'source' || program === '.' || program === 'set'

function readStep(words: readonly Text[], cwd: string | undefined): Step {
  const env: Record<string, Text> = {}
  const rest = [...words]
  for (let word = rest[0]; word !== undefined; word = rest[0]) {
    const assignment = splitAtEquals(word)
    if (assignment && /^[A-Za-z_]\w*$/.test(assignment[0])) env[assignment[0]] = assignment[1]
    else if (word !== 'exec' && word !== 'env' && word !== 'nohup' && word !== 'export') break
    rest.shift()
  }
  return { words: rest, env, cwd }
}

function splitCommands(line: string): readonly (readonly Text[])[] | undefined {
  const commands: Text[][] = [[]]
  let parts: (string | Reference)[] | undefined
  const endWord = (): void => {
    if (parts) commands.at(-1)?.push(textOf(parts))
    parts = undefined
  }
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < line.length) {
    const groups = TOKEN.exec(line)?.groups
    if (!groups) return undefined
    const { space, and, single, double, escaped, reference, plain } = groups
    if (space !== undefined || and !== undefined) endWord()
    if (and !== undefined) commands.push([])
    if (single !== undefined) (parts ??= []).push(single)
    if (double !== undefined) (parts ??= []).push(...readDouble(double))
    if (escaped !== undefined) (parts ??= []).push(escaped)
    if (reference !== undefined) (parts ??= []).push(readReference(reference))
    if (plain !== undefined) (parts ??= []).push(plain)
  }
  endWord()
  return commands.filter((words) => words.length > 0)
}

function readReference(text: string): Reference {
  const [, variable = '', fallback] = /^\$\{?(\w+)(?::?-([^}]*))?\}?$/.exec(text) ?? []
  return { variable, fallback }
}

const readDouble = (text: string): readonly (string | Reference)[] =>
  text
    .split(/(\\[\s\S]|\$\{?[A-Za-z_]\w*(?::?-[^}]*)?\}?)/)
    .filter((part) => part !== '')
    .map((part) => {
      if (part.startsWith('$') && part.length > 1) return readReference(part)
      return part.startsWith('\\') ? part.replace(/^\\(["\\$`])$/, '$1') : part
    })
