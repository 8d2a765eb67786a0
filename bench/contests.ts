/** What is measured against what. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contest } from './compare.ts'
import type { Environments } from './environments.ts'
import { writeLargerProject } from './larger-project.ts'
import { BIN, measuredEnv, ROOT } from './machine.ts'
import { type Command, freePort, timeToAnswer, timeToEnd } from './measure.ts'

/** A Django project whose processes are called after their servers, and listen on `PORT`. */
interface Project {
  readonly title: string
  readonly root: string
  readonly settings: string
}

const SERVERS = ['gunicorn', 'uvicorn', 'waitress']

/** Everything that is measured, in the order of the report. Projects are made below `folder`. */
export function listContests(environments: Environments, folder: string): readonly (() => Promise<Contest>)[] {
  const { full, small, originals } = environments
  const example = copyExample(folder)
  const larger = generateLarger(folder)
  const exampleAlone = { ...example, title: `${example.title} without Celery` }
  const bare = [
    { project: example, python: full },
    { project: exampleAlone, python: small },
    { project: larger, python: full },
  ]
  return [
    ...bare.flatMap(({ project, python }) => SERVERS.map((server) => () => againstBare(project, python, server))),
    ...originals.flatMap(({ version, python }) =>
      [exampleAlone, larger].flatMap((project) =>
        (['prodserver run', 'manage.py prodserver'] as const).map(
          (way) => () => againstOriginal({ project, python, version, way, goal: project === larger ? 1 : undefined }),
        ),
      ),
    ),
    () => versionAgainstNode(),
    ...[example, exampleAlone, larger].map(
      (project) => () => listAgainstImport(project, project === exampleAlone ? small : full),
    ),
    () => checkAgainst('quick', writeTen(folder, full), full),
    () => checkAgainst('thorough', writeTen(folder, full), full),
  ]
}

/** A copy, so that nothing is written into the repository, with all three servers declared at once. */
function copyExample(folder: string): Project {
  const root = join(folder, 'example')
  cpSync(join(ROOT, 'example'), root, { recursive: true, filter: (path) => !/[/\\](var|__pycache__)$/.test(path) })
  writeFileSync(
    join(root, 'mysite', 'measured.py'),
    'from .settings import *\nfrom .settings import WEB_SERVERS\n\nPRODUCTION_PROCESSES = WEB_SERVERS\n',
  )
  return { title: 'example', root, settings: 'mysite.measured' }
}

function generateLarger(folder: string): Project {
  const root = join(folder, 'larger')
  mkdirSync(root)
  writeLargerProject(root)
  return { title: '30 apps', root, settings: 'shop.settings' }
}

async function againstBare(project: Project, python: string, server: string): Promise<Contest> {
  const port = await freePort()
  const env = environmentOf(project, python, port)
  const bare = plannedCommand(project, env, server)
  return {
    group: 'first answer of `prodserver run`, against the bare command of the server',
    what: `${project.title}, ${server}`,
    goal: 1.1,
    ours: () => timeToAnswer(prodserver(['run', server], project, env), port),
    theirs: () => timeToAnswer(bare, port),
  }
}

interface OriginalContest {
  readonly project: Project
  readonly python: string
  readonly version: string
  readonly way: 'prodserver run' | 'manage.py prodserver'
  readonly goal: number | undefined
}

/** The original and ours run in one environment, the original's: all that differs is what is typed. */
async function againstOriginal({ project, python, version, way, goal }: OriginalContest): Promise<Contest> {
  const port = await freePort()
  const env = environmentOf(project, python, port)
  const manage: Command = { argv: [python, 'manage.py', 'prodserver', 'gunicorn'], cwd: project.root, env }
  const ours: Record<OriginalContest['way'], Command> = {
    'prodserver run': prodserver(['run', 'gunicorn'], project, env),
    'manage.py prodserver': { ...manage, env: { ...env, PYTHONPATH: join(ROOT, 'python') } },
  }
  return {
    group: "first answer of gunicorn, against the original's `manage.py prodserver`",
    what: `${project.title}, \`${way}\`, ${version}`,
    ...(goal !== undefined && { goal }),
    ours: () => timeToAnswer(ours[way], port),
    theirs: () => timeToAnswer(manage, port),
  }
}

async function versionAgainstNode(): Promise<Contest> {
  const shared = { cwd: ROOT, env: measuredEnv() }
  return {
    group: 'the command line',
    what: '`prodserver --version`, against `node -e 0`',
    goal: 1.3,
    ours: () => timeToEnd({ argv: [process.execPath, BIN, '--version'], ...shared }),
    theirs: () => timeToEnd({ argv: [process.execPath, '-e', '0'], ...shared }),
  }
}

async function listAgainstImport(project: Project, python: string): Promise<Contest> {
  const env = environmentOf(project, python, await freePort())
  const bare: Command = { argv: [python, '-c', `import ${project.settings}`], cwd: project.root, env }
  return {
    group: 'the command line',
    what: `${project.title}, \`prodserver list\`, against importing the settings`,
    ours: () => timeToEnd(prodserver(['list'], project, env)),
    theirs: () => timeToEnd(bare),
  }
}

/** Ten processes of seven programs, on a project with thirty apps. */
function writeTen(folder: string, python: string): Project {
  const root = join(folder, 'larger')
  writeFileSync(
    join(root, 'shop', 'celery.py'),
    'from celery import Celery\n\napp = Celery("shop", broker="memory://")\n',
  )
  writeFileSync(
    join(root, 'shop', 'ten.py'),
    `from shop.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "django_tasks", "django_tasks_db", "django_q"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
CELERY = {"APP": "shop.celery.app", "ARGS": {"loglevel": "info"}}
PRODUCTION_PROCESSES = {
    "web": {"BACKEND": "gunicorn", "ARGS": {"bind": "127.0.0.1:8000", "workers": 4, "timeout": 60}},
    "api": {"BACKEND": "uvicorn", "ARGS": {"port": 8001, "workers": 2, "log-level": "info"}},
    "admin": {"BACKEND": "waitress", "ARGS": {"host": "127.0.0.1", "port": 8002, "threads": 8}},
    "media": {"BACKEND": "granian-wsgi", "ARGS": {"port": 8003, "workers": 2}},
    "worker": {"BACKEND": "celery-worker", **CELERY},
    "mail": {"BACKEND": "celery-worker", "APP": "shop.celery.app", "ARGS": {"queues": ["mail"], "concurrency": 2}},
    "beat": {"BACKEND": "celery-beat", **CELERY},
    "tasks": {"BACKEND": "django-tasks", "ARGS": {"interval": 1}},
    "cluster": {"BACKEND": "django-q2", "ARGS": {"verbosity": 1}},
    "migrate": {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"},
}
`,
  )
  // As in a project that has been run before.
  spawnSync(python, ['-m', 'compileall', '-q', root])
  return { title: '30 apps, 10 processes', root, settings: 'shop.ten' }
}

const CHECKS = {
  quick: { args: ['check', '--quick'], against: 'importing the settings', goal: 2 },
  thorough: { args: ['check'], against: 'one second', goal: 1 },
} as const

async function checkAgainst(kind: keyof typeof CHECKS, project: Project, python: string): Promise<Contest> {
  const { args, against, goal } = CHECKS[kind]
  const env = environmentOf(project, python, await freePort())
  const other: Readonly<Record<keyof typeof CHECKS, readonly string[]>> = {
    quick: [python, '-c', `import ${project.settings}`],
    thorough: ['sleep', '1'],
  }
  return {
    group: 'the command line',
    what: `${project.title}, \`prodserver ${args.join(' ')}\`, against ${against}`,
    goal,
    ours: () => timeToEnd(prodserver(args, project, env)),
    theirs: () => timeToEnd({ argv: other[kind], cwd: project.root, env }),
  }
}

const prodserver = (args: readonly string[], { root }: Project, env: Command['env']): Command => ({
  argv: [process.execPath, BIN, ...args],
  cwd: root,
  env,
})

const environmentOf = ({ root, settings }: Project, python: string, port: number): Record<string, string> =>
  measuredEnv({
    PORT: String(port),
    PRODSERVER_PYTHON: python,
    DJANGO_SETTINGS_MODULE: settings,
    DATA_DIR: join(root, 'var'),
  })

interface ShownProcess {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, { readonly value: string | null }>>
}

/** The server's own command, as `prodserver show` prints it. */
function plannedCommand(project: Project, env: Record<string, string>, server: string): Command {
  const { argv, cwd } = prodserver(['show', '--json', server], project, env)
  const shown = spawnSync(argv[0] as string, argv.slice(1), { cwd, env, encoding: 'utf8' })
  if (shown.status !== 0) throw new Error(`prodserver show ${server} failed.\n${shown.stdout}${shown.stderr}`)
  const [planned] = (JSON.parse(shown.stdout) as { processes: readonly ShownProcess[] }).processes
  if (!planned) throw new Error(`prodserver show ${server} shows nothing`)
  const variables = { ...env }
  for (const [name, { value }] of Object.entries(planned.env)) {
    if (value === null) delete variables[name]
    else variables[name] = value
  }
  return { argv: planned.argv, cwd: planned.cwd, env: variables }
}
