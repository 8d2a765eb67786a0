import { flagName, switchFlags } from '../args/grammar.ts'
import type { Backend, Command } from '../backends/backend.ts'
import { BACKENDS } from '../backends/index.ts'
import { addTo } from '../core/lists.ts'
import { quoteWord } from '../core/shell-words.ts'
import { plain, splitAtEquals, type Text } from './text.ts'

/** What a command line is, in the words of a declaration. */
export interface Recognized {
  readonly backend: string
  readonly app: string | undefined
  readonly args: Readonly<Record<string, ArgValue>>
  /** Options that have no place under a supervisor. */
  readonly leftOut: readonly string[]
}

export type ArgValue = Text | number | boolean | readonly (Text | number)[]

/** Programs that only start another one in the project's environment. */
const RUNNERS = /^(poetry|pipenv|uv|pdm|hatch|rye) run(?: -\S+)* /
/** Console scripts that are called otherwise than the module that they start. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'waitress-serve': 'waitress',
  'django-admin': 'django',
  rq: 'rq.cli',
}
/** What goes to the background cannot be supervised, and a pid file is for those who do not. */
const NOT_SUPERVISED = new Set(['daemon', 'daemonize', 'detach', 'pid', 'pidfile', 'pid-file', 'pid-path'])

/** A stand-in for the application, to see where a backend's command line has it. */
const APP = '\0app'

/**
 * The backend whose command line this is, found by turning every backend's own command line round; undefined where it is
 * none of them.
 */
export function recognize(words: readonly Text[]): Recognized | undefined {
  const script = packageScript(words.map(plain))
  if (script !== undefined) return { backend: 'npm-script', app: script, args: {}, leftOut: [] }
  const [module, ...rest] = withoutInterpreter(words)
  if (module === undefined) return undefined
  const name = plain(module)
  const candidates = BACKENDS.flatMap((backend) => matchBackend(backend, name, rest) ?? [])
  return candidates.toSorted((a, b) => b.fixed - a.fixed)[0]?.recognized
}

/** The script of package.json that is run: `npm start`, `npm run serve`, `pnpm serve`, `yarn run serve`. */
function packageScript([program = '', verb = '', ...rest]: readonly string[]): string | undefined {
  if (!/^(npm|pnpm|yarn|bun)$/.test(program)) return undefined
  const isRun = verb === 'run' || verb === 'run-script'
  const [script, ...others] = isRun ? rest : [verb, ...rest]
  // npm runs one script without "run"; the others run any.
  if (!isRun && program === 'npm' && verb !== 'start') return undefined
  return script !== undefined && /^[\w:.-]+$/.test(script) && others.length === 0 ? script : undefined
}

/** The module that is run, and its arguments: `/srv/.venv/bin/gunicorn`, `python -m gunicorn` and `gunicorn` are one. */
function withoutInterpreter(words: readonly Text[]): readonly Text[] {
  const runner = RUNNERS.exec(`${words.map(plain).join(' ')} `)
  const own = runner ? words.slice(runner[0].trim().split(' ').length) : words
  const [program, ...rest] = own
  if (program === undefined) return []
  const name = plain(program).replace(/^.*\//, '')
  if (name === 'manage.py') return ['django', ...rest]
  if (!/^python(\d(\.\d+)?)?$/.test(name)) return [SCRIPTS[name] ?? name, ...rest]
  const given = rest.slice(rest.findIndex((word) => !/^-[uOBEsSI]+$/.test(plain(word))))
  const [first, ...others] = given
  if (first === '-m') return others
  if (first === undefined) return []
  // A console script may be given to the interpreter as well; a script of the project's own is no module.
  const script = plain(first).replace(/^.*\//, '')
  if (script === 'manage.py') return ['django', ...others]
  return script.endsWith('.py') ? [] : [SCRIPTS[script] ?? script, ...others]
}

interface Match {
  readonly recognized: Recognized
  /** How many words of the command line only this backend has. */
  readonly fixed: number
}

function matchBackend(backend: Backend, module: string, words: readonly Text[]): Match | undefined {
  const template = backend.command({ app: [APP], options: [], extra: [], django: [] })
  const [start, tail] = splitTemplate(template)
  if (start !== module) return undefined
  // A management command of the project's own has options that nobody knows.
  if (backend.name === 'django-command' && words.length > 0) {
    const app = words.map((word) => quoteWord(plain(word))).join(' ')
    return { recognized: { backend: backend.name, app, args: {}, leftOut: [] }, fixed: 0 }
  }
  const given = readOptions(words, backend)
  const fixedWords = tail.filter((word) => word !== APP && !word.startsWith('-'))
  const fixedOptions = tail.flatMap((word) => splitAtEquals(word) ?? []) as readonly string[]
  const positionals = given.positionals.map(plain)
  if (!fixedWords.every((word, index) => positionals[index] === word)) return undefined
  const pairs = pairsOf(fixedOptions)
  if (!pairs.every(([name, value]) => given.values.get(name.replace(/^--/, ''))?.at(-1) === value)) return undefined
  for (const [name] of pairs) given.values.delete(name.replace(/^--/, ''))
  const appAt = tail.indexOf(APP)
  const appOption = appAt > 0 && /^-\w$/.test(tail[appAt - 1] ?? '') ? tail[appAt - 1]?.slice(1) : undefined
  const left = positionals.slice(fixedWords.length)
  const fromOption = appOption === undefined ? undefined : backend.options?.short?.[appOption]
  const app = fromOption === undefined ? takeApp(appAt, left, backend) : takeOption(given.values, fromOption)
  const [named] = Object.keys(backend.options?.positionals ?? {})
  if (named !== undefined && left.length > 0) given.values.set(named, left.splice(0))
  if (left.length > 0) return undefined
  const { args, leftOut } = splitArgs(given.values)
  return { recognized: { backend: backend.name, app, args, leftOut }, fixed: fixedWords.length + pairs.length }
}

/** Splits a backend's command line into the module or program that it starts and the arguments. */
function splitTemplate({ program, args }: Command): [start: string | undefined, args: readonly string[]] {
  if (program !== 'python') return [program, args]
  const [flag, module, ...others] = args
  return [flag === '-m' ? module : undefined, others]
}

/** What follows the options: one application, or all words that are left, where the backend takes several. */
function takeApp(at: number, left: string[], { app }: Backend): string | undefined {
  if (at < 0) return undefined
  return app === 'words' && left.length > 0 ? left.splice(0).map(quoteWord).join(' ') : left.shift()
}

const pairsOf = (flat: readonly string[]): readonly (readonly [string, string])[] =>
  flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []))

function takeOption(values: Map<string, (Text | true | false)[]>, name: string): string | undefined {
  const value = values.get(name)?.at(-1)
  values.delete(name)
  return typeof value === 'boolean' || value === undefined ? undefined : plain(value)
}

interface Given {
  readonly positionals: readonly Text[]
  readonly values: Map<string, (Text | true | false)[]>
}

/** Options and positionals, as the program's own grammar tells them apart. */
function readOptions(words: readonly Text[], { options: grammar = {} }: Backend): Given {
  const positionals: Text[] = []
  const values = new Map<string, (Text | true | false)[]>()
  const add = (name: string, value: Text | true | false): void => addTo(values, name, value)
  const queue = [...words]
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const [, dashes, letter, attached] = /^(--?)([^=]?)([\s\S]*)$/.exec(plain(word)) ?? []
    if (dashes === undefined || plain(word) === '-') {
      positionals.push(word)
      continue
    }
    const split = splitAtEquals(word)
    const written =
      dashes === '--' ? (split?.[0] ?? plain(word)).slice(2) : (grammar.short?.[letter ?? ''] ?? letter ?? '')
    const name = flagName(written, grammar)
    const flags = switchFlags(name, grammar)
    const off = Object.entries(grammar.negatives ?? {}).find(([, flag]) => flag === name)?.[0]
    if (off !== undefined) add(off, false)
    else if (name.startsWith('no-') && grammar.pairs?.includes(name.slice(3))) add(name.slice(3), false)
    else if (flags) add(name, true)
    else if (dashes === '--' && split) add(name, split[1])
    else if (dashes === '-' && attached) add(name, attached.replace(/^=/, ''))
    else if (queue[0] === undefined || /^-./.test(plain(queue[0]))) add(name, true)
    else add(name, queue.shift() as Text)
  }
  return { positionals, values }
}

const isLeftOut = ([name]: readonly [string, unknown]): boolean => NOT_SUPERVISED.has(name)

function splitArgs(values: Given['values']): Pick<Recognized, 'args' | 'leftOut'> {
  const all = [...values].map(([name, given]) => [name, given.map(asNumber)] as const)
  const args = all
    .filter((entry) => !isLeftOut(entry))
    .map(([name, given]) => [name, given.length === 1 ? given[0] : given.filter((value) => typeof value !== 'boolean')])
  return {
    args: Object.fromEntries(args) as Record<string, ArgValue>,
    leftOut: all.filter(isLeftOut).map(([name]) => name),
  }
}

const asNumber = (value: Text | boolean): Text | boolean | number =>
  typeof value === 'string' && /^(0|[1-9]\d{0,14})$/.test(value) ? Number(value) : value
