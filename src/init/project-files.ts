import { type Dirent, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Found } from './found.ts'
import { readCompose } from './files/compose.ts'
import { readEcosystem } from './files/pm2.ts'
import { readProcfile } from './files/procfile.ts'
import { readSupervisor } from './files/supervisor.ts'
import { readUnit } from './files/systemd.ts'
import type { Json } from '../core/types.ts'

/** A file of another tool, and what it starts; or why it could not be read. */
export type ReadFile =
  | { readonly file: string; readonly found: readonly Found[] }
  | { readonly file: string; readonly error: string }

/** In this order the first file that starts something wins: what runs on the machine is nearest to production. */
const KINDS = [
  {
    matches: /\.service$/,
    read: (text: string, file: string, path: string) => readUnit(text, file, basename(path, '.service')),
  },
  {
    matches: /(^|\/)[^/]*supervisor[^/]*(\.conf|\.ini)$|supervisor[^/]*\/([^/]+\/)?[^/]+\.(conf|ini)$/,
    read: readSupervisor,
  },
  { matches: /(^|\/)(ecosystem(\.\w+)?\.config\.(c|m)?js|ecosystem\.json|pm2\.json|process\.json)$/, read: readPm2 },
  { matches: /(^|\/)Procfile(\.\w+)?$/, read: readProcfile },
  { matches: /(^|\/)(docker-)?compose([.-]\w+)*\.ya?ml$/, read: readCompose },
] as const

/** What a JavaScript file exports. @throws where it does not come that far */
export type Evaluate = (path: string) => Promise<Json>

const SYSTEM_FOLDERS = ['/etc/systemd/system', '/etc/supervisor/conf.d', '/etc/supervisord.d']
const MAX_DEPTH = 3
const MAX_BYTES = 256 * 1024

/** Files of other tools in the project, and those of this machine that name the project's folder. */
export async function readOtherTools(
  root: string,
  evaluate: Evaluate,
  folders: readonly string[] = SYSTEM_FOLDERS,
): Promise<readonly ReadFile[]> {
  const own = filesBelow(root).map((file) => ({ path: join(root, file), shown: file }))
  const system = folders.flatMap((folder) =>
    filesBelow(folder, 0)
      .map((file) => join(folder, file))
      .filter((path) => namesProject(path, root))
      .map((path) => ({ path, shown: path })),
  )
  const results: ReadFile[] = []
  for (const { matches, read } of KINDS)
    for (const { path, shown } of [...system, ...own].filter((file) => matches.test(file.shown)))
      results.push(await readOne({ path, shown, read, evaluate }))
  return results.filter((result) => 'error' in result || result.found.length > 0)
}

/** One file that somebody names. Undefined where its name tells nothing. */
export async function readNamed(path: string, shown: string, evaluate: Evaluate): Promise<ReadFile | undefined> {
  const kind = KINDS.find(({ matches }) => matches.test(path))
  return kind && readOne({ path, shown, read: kind.read, evaluate })
}

interface Reading {
  readonly path: string
  readonly shown: string
  readonly read: (
    text: string,
    file: string,
    path: string,
    evaluate: Evaluate,
  ) => readonly Found[] | Promise<readonly Found[]>
  readonly evaluate: Evaluate
}

/** What an export has written follows from a declaration, and says nothing new. */
const EXPORTED = '# Written by `prodserver export'

async function readOne({ path, shown, read, evaluate }: Reading): Promise<ReadFile> {
  try {
    const text = readFileSync(path, 'utf8')
    return { file: shown, found: text.startsWith(EXPORTED) ? [] : await read(text, shown, path, evaluate) }
  } catch (error) {
    return { file: shown, error: (error as Error).message.split('\n')[0] ?? '' }
  }
}

async function readPm2(text: string, file: string, path: string, evaluate: Evaluate): Promise<readonly Found[]> {
  return readEcosystem(path.endsWith('.json') ? (JSON.parse(text) as Json) : await evaluate(path), file)
}

/** What no process of a project is described in. */
const isLeftOut = ({ name }: Dirent): boolean =>
  name.startsWith('.') || ['node_modules', 'venv', 'env', 'site-packages', '__pycache__'].includes(name)

function filesBelow(folder: string, depth = MAX_DEPTH, prefix = ''): readonly string[] {
  return entriesOf(join(folder, prefix)).flatMap((entry) => {
    const path = join(prefix, entry.name)
    if (entry.isDirectory()) return depth > 0 && !isLeftOut(entry) ? filesBelow(folder, depth - 1, path) : []
    return entry.isFile() ? [path] : []
  })
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => a.name.localeCompare(b.name))
  } catch {
    // A folder that is not there, or not for us to read, has nothing to say.
    return []
  }
}

function namesProject(path: string, root: string): boolean {
  try {
    const text = readFileSync(path, 'utf8').slice(0, MAX_BYTES)
    return [root, realpathSync(root)].some((folder) => new RegExp(`${escape(folder)}(?![\\w.-])`).test(text))
  } catch {
    return false
  }
}

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Empty where this user may not read it. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** `mysite.celery.app`: the application that a file below the project makes, and whether something is scheduled on it. */
export function findCelery(
  root: string,
  settingsFile: string | null,
): { app: string; hasSchedule: boolean } | undefined {
  const files = filesBelow(root, 2).filter((file) => file.endsWith('.py'))
  const texts = files.map((file) => ({ file, text: textOf(join(root, file)) }))
  const named = texts.flatMap(({ file, text }) => {
    const variable = /^(\w+)\s*(?::[^=\n]+)?=\s*(?:celery\.)?Celery\(/m.exec(text)?.[1]
    return variable === undefined ? [] : [{ file, variable }]
  })
  const [first] = named.toSorted(
    (a, b) => Number(!a.file.endsWith('celery.py')) - Number(!b.file.endsWith('celery.py')),
  )
  if (!first) return undefined
  const module = first.file.replace(/(\/__init__)?\.py$/, '').replaceAll('/', '.')
  const settings = settingsFile !== null && existsSync(settingsFile) ? readFileSync(settingsFile, 'utf8') : ''
  const hasSchedule = [settings, ...texts.map(({ text }) => text)].some((text) =>
    /beat_schedule|BEAT_SCHEDULE|django_celery_beat|add_periodic_task/.test(text),
  )
  return { app: `${module}.${first.variable}`, hasSchedule }
}
