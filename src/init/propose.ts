import { findBackend } from '../backends/index.ts'
import { defined } from '../core/defined.ts'
import { guard } from '../core/secret.ts'
import type { Json } from '../core/types.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { Found } from './found.ts'
import { type ArgValue, type Recognized, recognize } from './recognize.ts'
import { readCommandLine, type Step } from './shell.ts'
import { plain, type Text } from './text.ts'

/** One process as it could be declared, and what it follows from. */
export interface Proposal {
  readonly name: string
  /** A file and line, or what is installed, as a comment says it. */
  readonly from: string
  readonly backend: string
  readonly app: string | undefined
  readonly args: Readonly<Record<string, ArgValue>>
  readonly env: Readonly<Record<string, Text>>
  /** Other keys, in the spelling of settings and in their usual order. */
  readonly keys: Readonly<Record<string, Json>>
  /** What a reader has to know, or to do, a sentence each. */
  readonly notes: readonly string[]
}

/** What is known of the project beside the files of other tools. */
export interface ProjectView {
  readonly root: string
  /** Without Django there is nothing to migrate, and no server for it to propose. */
  readonly hasDjango: boolean
  /** Whether these Python modules can be imported. */
  readonly modules: Readonly<Record<string, boolean>>
  readonly installedApps: readonly string[]
  /** `mysite.wsgi:application`, where there is one. */
  readonly wsgi: string | undefined
  readonly asgi: string | undefined
  /** Import path of the Celery application, and whether the project has a schedule for it. */
  readonly celery: { readonly app: string; readonly hasSchedule: boolean } | undefined
  readonly hasStaticRoot: boolean
  /** Of `package.json` in the project's folder. */
  readonly hasStartScript: boolean
}

interface Proposals {
  readonly processes: readonly Proposal[]
  /** What was found and is not proposed, with the reason. */
  readonly skipped: readonly { readonly from: string; readonly reason: string }[]
}

/** A declaration from what other tools start, completed by what the project has. */
export function propose(found: readonly Found[], view: ProjectView): Proposals {
  const results = found.flatMap((process) => translate(process, view))
  const processes: Proposal[] = []
  const skipped = results.flatMap((result) => ('reason' in result ? [result] : []))
  for (const result of results) {
    if ('reason' in result) continue
    const same = processes.find((other) => isSame(other, result))
    if (same) skipped.push({ from: result.from, reason: `it is ${JSON.stringify(same.name)} of ${same.from}` })
    else processes.push({ ...result, name: uniqueName(result.name, processes) })
  }
  for (const one of fromPackages(view, processes)) processes.push({ ...one, name: uniqueName(one.name, processes) })
  return { processes: processes.toSorted((a, b) => rank(a) - rank(b)), skipped }
}

/** What runs before the others comes first; the first that stays is the default of `run`, so web servers are next. */
const RANKS = { web: 1, worker: 2, scheduler: 3, task: 4 } as const
const rank = ({ backend, keys }: Proposal): number =>
  keys['RUN'] === 'release' ? 0 : RANKS[findBackend(backend)?.kind ?? 'worker']

/** Two files often start the same process, each in its own way. */
function isSame(a: Proposal, b: Proposal): boolean {
  if (a.backend !== b.backend) return a.name === b.name && rank(a) === rank(b)
  if (a.backend === 'django-command' || a.backend === 'command') return a.app === b.app
  return a.app === b.app && JSON.stringify(a.args['queues']) === JSON.stringify(b.args['queues'])
}

function uniqueName(name: string, others: readonly Proposal[]): string {
  const usable = name.replaceAll(/[^\p{L}\p{N}._ -]+/gu, '-').replace(/^[^\p{L}\p{N}]+/u, '') || 'process'
  const isTaken = (candidate: string): boolean => others.some((other) => other.name === candidate)
  if (!isTaken(usable)) return usable
  for (let number = 2; ; number++) if (!isTaken(`${usable}-${number}`)) return `${usable}-${number}`
}

type Translated = Proposal | { readonly from: string; readonly reason: string }

function translate(found: Found, view: ProjectView): readonly Translated[] {
  const { command, from } = found
  const steps: readonly Step[] | undefined =
    typeof command === 'string' ? readCommandLine(command) : [{ words: command, env: {}, cwd: undefined }]
  if (!steps) return [shellCommand(found, command as string)]
  const running = steps.filter(({ words }) => words.length > 0)
  if (running.length === 0) return [{ from, reason: 'it starts nothing' }]
  return running.map((step, index) => translateStep(step, { found, view, isLast: index === running.length - 1 }))
}

interface StepContext {
  readonly found: Found
  readonly view: ProjectView
  /** What comes before it in one command line ends, and prepares it. */
  readonly isLast: boolean
}

function translateStep({ words, env, cwd }: Step, { found, view, isLast }: StepContext): Translated {
  const { from } = found
  const recognized = recognize(words)
  const subCommand = recognized?.backend === 'django-command' ? recognized.app?.split(' ')[0] : undefined
  if (subCommand === 'runserver')
    return { from, reason: "it starts Django's development server, which is not for production" }
  if (/(^|\/)prodserver$/.test(plain(words[0] ?? '')) || subCommand === 'prodserver')
    return { from, reason: 'it starts prodserver' }
  if (!recognized && found.isForeign === true) return { from, reason: 'its image is not built from the project' }
  const isRelease = !isLast || subCommand === 'migrate' || subCommand === 'collectstatic'
  const secrets = Object.entries({ ...found.env, ...env }).filter(
    ([name, text]) => typeof guard(name, plain(text)) !== 'string',
  )
  const all = Object.entries({ ...found.env, ...env }).filter(([name]) => !secrets.some(([secret]) => secret === name))
  const folder = directory(cwd ?? found.cwd, view.root)
  const keys = isRelease ? { RUN: 'release' } : (found.keys ?? {})
  const notes = isLast ? (found.notes ?? []) : []
  const unreadable = recognized ? [] : notesOnVariables(words)
  return {
    name: isLast ? found.name : (subCommand ?? found.name),
    from,
    backend: recognized?.backend ?? 'command',
    app: recognized ? declaredApp(recognized, view) : words.map((word) => quoteWord(plain(word))).join(' '),
    args: recognized?.args ?? {},
    env: Object.fromEntries(all),
    keys: { ...envFileKey(found), ...folder, ...keys },
    notes: [
      ...notes,
      ...(recognized?.leftOut ?? []).map((name) => `${name} is left out: what is supervised stays in the foreground`),
      ...secrets.map(
        ([name]) => `${name} has a value there that may be a secret: set it in the environment, or an ENV_FILE`,
      ),
      ...unreadable,
    ],
  }
}

const envFileKey = ({ envFile = [] }: Found): { ENV_FILE?: string[] } =>
  envFile.length > 0 ? { ENV_FILE: [...envFile] } : {}

/** No shell is involved in starting a process, so nothing would put a value there. */
const notesOnVariables = (words: readonly Text[]): readonly string[] =>
  words.some((word) => typeof word !== 'string') ? ['Variables in a command are not replaced: write their values'] : []

function shellCommand({ name, from, cwd, keys }: Found, command: string): Proposal {
  return {
    name,
    from,
    backend: 'command',
    app: `sh -c ${quoteWord(command)}`,
    args: {},
    env: {},
    keys: { ...defined({ CWD: cwd }), ...keys },
    notes: ['It needs a shell. Without one, what prodserver knows of the program would be of use'],
  }
}

/** A folder is said where it is not the project's own. */
function directory(cwd: string | undefined, root: string): { readonly CWD?: string } {
  if (cwd === undefined || cwd === '' || cwd === '.' || cwd.replace(/\/$/, '') === root) return {}
  return { CWD: cwd.startsWith(`${root}/`) ? cwd.slice(root.length + 1) : cwd }
}

/** An application that the settings name is not named again. */
function declaredApp({ backend, app }: Recognized, view: ProjectView): string | undefined {
  if (app === undefined) return undefined
  const kind = findBackend(backend)?.app
  const own = kind === 'wsgi' || kind === 'asgi' ? view[kind] : undefined
  return app === own || `${app}:application` === own ? undefined : app
}

/** What the project has and nothing starts yet. */
function fromPackages(view: ProjectView, declared: readonly Proposal[]): readonly Proposal[] {
  const proposals: Proposal[] = []
  const isThere = (test: (proposal: Proposal) => boolean): boolean => declared.some(test)
  const isCommand =
    (command: string) =>
    (one: Proposal): boolean =>
      one.backend === 'django-command' && one.app?.split(' ')[0] === command
  const add = (name: string, backend: string, from: string, more: Partial<Proposal> = {}): void =>
    void proposals.push({ name, from, backend, app: undefined, args: {}, env: {}, keys: {}, notes: [], ...more })
  if (!view.hasDjango) return fromPackageJson(view, declared)
  if (!isThere(isCommand('migrate')))
    add('migrate', 'django-command', 'once for each release, before everything else', {
      app: 'migrate --noinput',
      keys: { RUN: 'release' },
    })
  if (view.hasStaticRoot && !isThere(isCommand('collectstatic')))
    add('collectstatic', 'django-command', 'STATIC_ROOT is set', {
      app: 'collectstatic --noinput',
      keys: { RUN: 'release' },
    })
  if (!isThere(({ backend }) => findBackend(backend)?.kind === 'web')) {
    const server = webServer(view)
    add('web', server.backend, server.from, { args: server.args, notes: server.notes })
  }
  const { celery, modules, installedApps } = view
  if (celery && modules['celery'] && !isThere(({ backend }) => backend === 'celery-worker'))
    add('worker', 'celery-worker', `${celery.app} is a Celery application`, {
      app: celery.app,
      args: { loglevel: 'info' },
    })
  if (celery?.hasSchedule && modules['celery'] && !isThere(({ backend }) => backend === 'celery-beat'))
    add('beat', 'celery-beat', 'Celery has scheduled jobs', { app: celery.app, args: { loglevel: 'info' } })
  for (const [app, backend] of TASK_APPS)
    if (
      installedApps.some((name) => name === app) &&
      findBackend(backend) &&
      !isThere((one) => one.backend === backend)
    )
      add('worker', backend, `${app} is in INSTALLED_APPS`)
  return proposals
}

/** A Node project is started by the script that is there for that. */
const fromPackageJson = ({ hasStartScript }: ProjectView, declared: readonly Proposal[]): readonly Proposal[] =>
  declared.length > 0 || !hasStartScript
    ? []
    : [
        {
          name: 'web',
          from: 'package.json has a script "start"',
          backend: 'npm-script',
          app: 'start',
          args: {},
          env: {},
          keys: {},
          notes: [],
        },
      ]

const TASK_APPS = [
  ['django_tasks_db', 'django-tasks'],
  ['django_tasks.backends.database', 'django-tasks'],
  ['django_q', 'django-q2'],
  ['django_dramatiq', 'django-dramatiq'],
  ['huey.contrib.djhuey', 'huey'],
  ['django_rq', 'django-rq'],
  ['procrastinate.contrib.django', 'procrastinate'],
] as const

/** Servers in the order in which they are taken where several are installed. */
const SERVERS = [
  ['gunicorn', 'wsgi'],
  ['uvicorn', 'asgi'],
  ['granian-wsgi', 'wsgi'],
  ['granian-asgi', 'asgi'],
  ['hypercorn', 'asgi'],
  ['waitress', 'wsgi'],
  ['daphne', 'asgi'],
] as const

function webServer(view: ProjectView): Pick<Proposal, 'backend' | 'from' | 'args' | 'notes'> {
  const found = SERVERS.find(([backend, kind]) => {
    const module = findBackend(backend)?.python?.module
    return module !== undefined && view.modules[module] === true && view[kind] !== undefined
  })
  const [backend] = found ?? SERVERS[0]
  const title = findBackend(backend)?.title ?? backend
  return {
    backend,
    from: found ? `${title} is installed` : 'no web server is installed',
    args: ARGS[backend] ?? { host: '127.0.0.1', port: 8000 },
    notes: found ? [] : [`Install it first: python -m pip install ${title}`],
  }
}

const ARGS: Readonly<Record<string, Readonly<Record<string, ArgValue>>>> = {
  gunicorn: { bind: '127.0.0.1:8000', workers: 2 },
  hypercorn: { bind: '127.0.0.1:8000' },
  daphne: { bind: '127.0.0.1', port: 8000 },
}
