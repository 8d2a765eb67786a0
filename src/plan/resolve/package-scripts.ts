import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { compact } from '../../core/lists.ts'
import { isDictionary, nearest } from '../../core/values.ts'
import { quoteWord, splitWords } from '../../core/shell-words.ts'
import { findPackage, foldersUp, type Manifest, readManifest } from './node-packages.ts'

/** What a script of a `package.json` runs in the end, without npm, and mostly without a shell. */
interface PackageScript {
  /** `node` first, where Node itself runs what follows, in one process. */
  readonly words: readonly string[]
  /** What its package manager would have added to the environment, but for `PATH`. */
  readonly env: Readonly<Record<string, string>>
  /** What the script itself sets. */
  readonly assigned: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

interface ScriptFault {
  readonly message: string
  readonly hint: string
}

/** Finds what the script of that name runs in a folder with a `package.json`. */
export function resolveScript(name: string, folder: string): PackageScript | ScriptFault {
  const manifest = readManifest(folder)
  if (!manifest) {
    const message = `there is no package.json in ${folder} that can be read`
    return { message, hint: 'Name the folder that has it in CWD, relative to the project' }
  }
  const scripts = scriptsOf(manifest)
  const text = expand(name, scripts, runsPre(manifest))
  if (text === undefined) {
    const known = Object.keys(scripts)
    const near = nearest(name, known)
    const others = known.length > 0 ? `Its scripts: ${known.join(', ')}` : 'It has no scripts'
    const message = `${join(folder, 'package.json')} has no script ${JSON.stringify(name)}`
    return { message, hint: near === undefined ? others : `Did you mean ${JSON.stringify(near)}?` }
  }
  const { words, assigned, notes } = hasPlugAndPlay(folder) ? throughYarn(name) : commandOf(text, name, folder)
  return {
    words,
    env: environmentOf(name, manifest),
    assigned,
    notes: compact([
      ...notes,
      scripts[`post${name}`] !== undefined && `the script post${name} is not run: what is supervised does not end`,
    ]),
  }
}

/** The folders of programs that packages bring, the nearest first. */
const binFolders = (folder: string): readonly string[] =>
  foldersUp(folder)
    .map((above) => join(above, 'node_modules', '.bin'))
    .filter(existsSync)

function scriptsOf({ folder, values }: Manifest): Readonly<Record<string, string>> {
  const given = isDictionary(values['scripts']) ? Object.entries(values['scripts']) : []
  const scripts = Object.fromEntries(given.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  // As npm has it.
  return existsSync(join(folder, 'server.js')) ? { start: 'node server.js', ...scripts } : scripts
}

/** Yarn of version 2 and later runs no script before another. */
const runsPre = ({ folder, values }: Manifest): boolean =>
  !/^yarn@[2-9]/.test(typeof values['packageManager'] === 'string' ? values['packageManager'] : '') &&
  !existsSync(join(folder, '.yarnrc.yml'))

const DEPTH = 10

/** The text of a script with what comes before it, and without package managers that only run another one. */
function expand(
  name: string,
  scripts: Readonly<Record<string, string>>,
  withPre: boolean,
  depth = 0,
): string | undefined {
  const own = Object.hasOwn(scripts, name) ? scripts[name] : undefined
  if (own === undefined || depth > DEPTH) return undefined
  const other = scriptIn(own)
  const inner = other && expand(other.name, scripts, withPre, depth + 1)
  const text = other && inner !== undefined ? [inner, ...other.args.map(quoteWord)].join(' ') : own
  const pre = withPre ? scripts[`pre${name}`] : undefined
  return pre === undefined ? text : `${pre} && ${text}`
}

/** `npm run build:site -- --fast`, `pnpm serve`, `yarn start`: another script of the same package, and its arguments. */
function scriptIn(text: string): { readonly name: string; readonly args: readonly string[] } | undefined {
  const words = needsShell(text) ? [] : (splitWords(text) ?? [])
  const [manager = '', verb = '', ...rest] = words
  if (!/^(npm|pnpm|yarn)$/.test(manager)) return undefined
  const isRun = /^(run|run-script)$/.test(verb)
  if (!isRun && manager === 'npm' && !/^(start|stop|restart|test)$/.test(verb)) return undefined
  const [name = '', ...args] = isRun ? rest : [verb, ...rest]
  if (name === '' || name.startsWith('-')) return undefined
  const isMarked = args[0] === '--'
  // What comes without that is npm's own.
  if (manager === 'npm' && args.length > 0 && !isMarked) return undefined
  return { name, args: isMarked ? args.slice(1) : args }
}

/** The text without what single quotes and backslashes protect. */
const exposed = (text: string): string => text.replace(/\\[\s\S]|'[^']*'/g, '')

/** Whether there is more in it than words. */
function needsShell(text: string): boolean {
  const open = exposed(text)
  return /[$`]/.test(open) || /[|&;<>(){}*?[\]~#!\n]/.test(open.replace(/"[^"]*"/g, ''))
}

/** Where there is no node_modules, only Yarn knows where packages are. */
const hasPlugAndPlay = (folder: string): boolean =>
  foldersUp(folder).some((above) => existsSync(join(above, '.pnp.cjs')))

const throughYarn = (name: string): Command => ({
  words: ['yarn', 'run', name],
  assigned: {},
  notes: staysBeside('yarn'),
})

type Command = Pick<PackageScript, 'words' | 'assigned' | 'notes'>

function commandOf(text: string, name: string, folder: string): Command {
  const words = needsShell(text) ? undefined : splitWords(text)
  const at = words?.findIndex((word) => !ASSIGNMENT.test(word)) ?? -1
  if (!words || at < 0 || BUILT_IN.has(words[at] as string)) return throughShell(text, name)
  const assigned = Object.fromEntries(
    words.slice(0, at).map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  )
  const [first = '', ...rest] = words.slice(at)
  // Of a package that is installed, npx does nothing but to start its program.
  const [program = '', ...args] = first === 'npx' && !rest[0]?.startsWith('-') ? rest : [first, ...rest]
  return { words: [...programWords(program, folder), ...args], assigned, notes: staysBeside(program) }
}

const ASSIGNMENT = /^[A-Za-z_]\w*=/
/** Commands of a shell that can be a whole script, or its last command. Others only change what follows them. */
const BUILT_IN = new Set('cd . source exec exit export set unset eval trap wait true false :'.split(' '))

function staysBeside(program: string): readonly string[] {
  if (!/^(npm|pnpm|yarn|bun)$/.test(program)) return []
  return [`${program} stays as the parent of what it starts, and what reaches that of a signal is up to ${program}`]
}

const KEYWORD = /(^|[\s;&|])(if|then|elif|else|fi|for|while|until|do|done|case|esac|function)([\s;]|$)/

/** Programs that listen in their own process: they can be given open sockets. Others may start another Node. */
const IN_PROCESS = new Set(['next', 'vite', 'serve', 'http-server', 'react-router-serve', 'remix-serve'])

/** How a program is started: by Node, where it is a script in one process, else by its path or its name. */
function programWords(program: string, folder: string): readonly string[] {
  if (program === 'node') return ['node']
  const script = findBin(program, folder)
  return script !== undefined && IN_PROCESS.has(program) ? ['node', script] : [pathOfBin(program, folder) ?? program]
}

/** The script of Node that a package brings as a program of that name. */
export function findBin(program: string, folder: string): string | undefined {
  const path = pathOfBin(program, folder)
  if (path === undefined) return undefined
  // npm makes links; pnpm writes scripts of a shell, and says in the package itself what they start.
  const real = realpathSync(path)
  if (isOfNode(real)) return real
  const manifest = findPackage(program, folder)
  const bin = manifest?.values['bin']
  const own = isDictionary(bin) ? bin[program] : bin
  return manifest && typeof own === 'string' ? realpathSync(join(manifest.folder, own)) : undefined
}

const pathOfBin = (program: string, folder: string): string | undefined =>
  program.includes(sep)
    ? undefined
    : binFolders(folder)
        .map((bin) => join(bin, program))
        .find(existsSync)

const isOfNode = (path: string): boolean => /^#!.*\bnode\b/.test(readFileSync(path, 'latin1').slice(0, 100))

/** A shell that becomes the last command of the text, where that is one command: it would keep signals for itself. */
function throughShell(text: string, name: string): Command {
  const become = becomesLast(text)
  const words = ['/bin/sh', '-c', `${become ?? text} "$@"`, name]
  const note = 'the script needs a shell that stays as its parent: a stop ends what it started by KILL'
  return { words, assigned: {}, notes: become === undefined ? [note] : [] }
}

/** The text with `exec` before its last command; undefined where a shell must stay. */
function becomesLast(text: string): string | undefined {
  // Quoted parts keep their length, and nothing that could be mistaken.
  const open = text.replace(/\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*"/g, (part) => 'x'.repeat(part.length))
  if (/[(){}\n#]|(?<!\|)\|(?!\|)|(?<![&>])&(?![&>\d])/.test(open) || KEYWORD.test(open)) return undefined
  const at = Math.max(open.lastIndexOf('&&') + 2, open.lastIndexOf('||') + 2, open.lastIndexOf(';') + 1, 0)
  const start = /&&|\|\||;/.test(open) ? at : 0
  const [, space = '', last = ''] = /^(\s*)([\s\S]*)$/.exec(text.slice(start)) ?? []
  const first = last.split(/\s/)[0] ?? ''
  if (first === '' || BUILT_IN.has(first)) return undefined
  return `${text.slice(0, start)}${space}exec ${ASSIGNMENT.test(first) ? 'env ' : ''}${last}`
}

function environmentOf(name: string, { folder, values }: Manifest): Readonly<Record<string, string>> {
  const text = (key: string): string => (typeof values[key] === 'string' ? values[key] : '')
  return {
    npm_lifecycle_event: name,
    npm_package_json: join(folder, 'package.json'),
    npm_package_name: text('name'),
    npm_package_version: text('version'),
  }
}

/** `PATH` with the programs of packages first, and the Node that runs us before any other. */
export const pathWith = (folder: string, node: string, path: string | undefined): string =>
  compact([...binFolders(folder), dirname(node), path || undefined]).join(':')
