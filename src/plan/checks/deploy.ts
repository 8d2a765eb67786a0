import { findBackend } from '../../backends/index.ts'
import type { Declaration } from '../../config/declarations.ts'
import type { Problem } from '../../core/errors.ts'
import { guard, isSecretName } from '../../core/secret.ts'
import type { SettingsAnswer } from '../../inspect/settings.ts'
import { AS_SETTINGS } from '../../core/notation.ts'
import type { Json } from '../../core/types.ts'
import { isDictionary } from '../../core/values.ts'
import type { CeleryAnswer, DeploymentAnswer, PythonFailure } from '../../inspect/answers.ts'
import { checkQueues, type Consumer } from './queues.ts'
import type { PlannedProcess } from '../plan.ts'

interface Deployment {
  readonly answer: SettingsAnswer
  readonly declarations: readonly Declaration[]
  readonly processes: readonly PlannedProcess[]
  readonly consumers: readonly Consumer[]
  /** How many processes an instance has at work. */
  readonly workers: ReadonlyMap<string, number>
}

/** What is wrong with a project that is about to serve. */
export function checkDeployment(
  found: DeploymentAnswer | PythonFailure | undefined,
  { answer, declarations, processes, consumers, workers }: Deployment,
): readonly Problem[] {
  if (!found) return []
  if ('error' in found) {
    const message = `The project was not looked at: ${found.error.type}: ${found.error.message.split('\n')[0]}`
    return [{ id: 'W701', place: answer.settingsModule, message, details: found.error.text.trimEnd() }]
  }
  const enabled = processes.filter(({ enabled }) => enabled)
  const serves = enabled.some(({ kind }) => kind === 'web')
  return [
    ...(found.debug ? [debug(answer)] : []),
    ...(serves && !found.debug && found.allowedHosts.length === 0 ? [noHosts()] : []),
    ...found.databases.flatMap((database) => checkDatabase(database, enabled, workers)),
    ...(serves && found.static ? checkStatic(found.static, enabled) : []),
    ...found.checks.map(fromDjango),
    ...checkCelery(found.celery, declarations, enabled),
    ...checkQueues(found.libraries, consumers),
    ...declarations
      .filter(({ enabled }) => enabled !== false)
      .flatMap((one) => [...developing(one), ...secrets(one, answer)]),
  ]
}

const debug = ({ settingsModule }: SettingsAnswer): Problem => ({
  id: 'E701',
  place: 'DEBUG',
  message: `DEBUG is on in ${settingsModule}: errors show the settings and the code to everybody, and memory grows.`,
  hint: 'Set DEBUG = False, or name the settings for production: --settings mysite.production',
})

const noHosts = (): Problem => ({
  id: 'E702',
  place: 'ALLOWED_HOSTS',
  message: 'ALLOWED_HOSTS is empty: every request is answered with 400.',
  hint: 'Set ALLOWED_HOSTS = ["example.com"]',
})

const runs = (processes: readonly PlannedProcess[], command: string): boolean =>
  processes.some(({ argv }) => argv.some((word) => String(word) === command))

function checkDatabase(
  { alias, vendor, error, unapplied }: DeploymentAnswer['databases'][number],
  processes: readonly PlannedProcess[],
  workers: Deployment['workers'],
): readonly Problem[] {
  const place = `DATABASES[${JSON.stringify(alias)}]`
  const copies = processes
    .filter(({ kind }) => kind !== 'task')
    .reduce((sum, { name, instances }) => sum + instances * (workers.get(name) ?? 1), 0)
  const shared: readonly Problem[] =
    vendor === 'sqlite' && copies > 1
      ? [
          {
            id: 'W702',
            place,
            message: `${copies} processes share a file of SQLite: one that writes keeps the others waiting, until "database is locked".`,
            hint: 'Use PostgreSQL, or set OPTIONS = {"transaction_mode": "IMMEDIATE", "timeout": 20}',
          },
        ]
      : []
  // The first migration makes the file.
  if (error !== null && vendor === 'sqlite' && runs(processes, 'migrate')) return shared
  if (error !== null) {
    const message = `The database cannot be reached: ${String(guard('', error))}`
    return [{ id: 'E703', place, message, hint: 'See it alone: python manage.py migrate --check' }, ...shared]
  }
  // What applies them at each release is declared.
  if (unapplied.length === 0 || runs(processes, 'migrate')) return shared
  const some = unapplied.slice(0, 3).join(', ')
  const message = `${unapplied.length} migrations are not applied: ${some}${unapplied.length > 3 ? ', …' : ''}.`
  const hint =
    'python manage.py migrate; or declare it: {"BACKEND": "django-command", "APP": "migrate", "RUN": "release"}'
  return [{ id: 'E705', place, message, hint }, ...shared]
}

function checkStatic(
  { root, isEmpty }: NonNullable<DeploymentAnswer['static']>,
  processes: readonly PlannedProcess[],
): readonly Problem[] {
  if (!isEmpty || runs(processes, 'collectstatic')) return []
  const message =
    root === null
      ? 'STATIC_ROOT is not set: there is no place for static files to be collected in.'
      : `No static files are collected: ${root} is empty, or not there.`
  const hint = root === null ? 'Set STATIC_ROOT = BASE_DIR / "static"' : 'python manage.py collectstatic --noinput'
  return [{ id: 'W703', place: 'STATIC_ROOT', message, hint }]
}

const fromDjango = ({ id, isError, message, hint }: DeploymentAnswer['checks'][number]): Problem => ({
  id: isError ? 'E706' : 'W704',
  place: id ?? 'manage.py check --deploy',
  message,
  ...(hint && { hint }),
})

/** Said once of each application, at the first process that it is of. */
function checkCelery(
  found: DeploymentAnswer['celery'],
  declarations: readonly Declaration[],
  processes: readonly PlannedProcess[],
): readonly Problem[] {
  const firsts = declarations.filter(
    ({ name, app }, index) => found[name] && declarations.findIndex((other) => other.app === app) === index,
  )
  return firsts.flatMap(({ name: process, app, placeOf }): Problem[] => {
    const { error, scheduled, routed, queues } = found[process] as CeleryAnswer
    const own = processes.filter(({ name }) => declarations.some((other) => other.name === name && other.app === app))
    const place = placeOf('app')
    const problems: Problem[] = []
    if (error !== null) {
      const hint = 'Start the broker, or correct where it is: CELERY_BROKER_URL'
      const message = `Its broker cannot be reached: ${String(guard('', error))}`
      problems.push({ id: 'E704', place, process, message, hint })
    }
    if (scheduled.length > 0 && !own.some(isBeat)) {
      const message = `${scheduled.join(', ')} ${scheduled.length === 1 ? 'is' : 'are'} scheduled, and nothing is declared that starts what is scheduled.`
      const hint = `Declare it: {"BACKEND": "celery-beat", "APP": ${JSON.stringify(app)}}`
      problems.push({ id: 'W707', place, process, message, hint })
    }
    const taken = new Set(own.filter(({ kind }) => kind === 'worker').flatMap((worker) => queuesOf(worker) ?? queues))
    for (const [task, queue] of Object.entries(routed)) {
      if (taken.has(queue)) continue
      const message = `${task} goes to the queue ${JSON.stringify(queue)}, and no worker takes from it.`
      const hint = `Add it to the "queues" of a worker; taken are: ${[...taken].join(', ')}`
      problems.push({ id: 'W708', place, process, message, hint })
    }
    return problems
  })
}

const isBeat = ({ kind, argv }: PlannedProcess): boolean =>
  kind === 'scheduler' || argv.some((word) => ['-B', '--beat'].includes(String(word)))

/** The queues that a worker is told to take from; undefined where it is not told. */
function queuesOf({ argv }: PlannedProcess): readonly string[] | undefined {
  const words = argv.map(String)
  const at = words.indexOf('-Q')
  const given = words.find((word) => word.startsWith('--queues='))?.slice('--queues='.length) ?? words[at + 1]
  return at >= 0 || words.some((word) => word.startsWith('--queues=')) ? given?.split(',') : undefined
}

/** Options that are for who writes the code. */
const FOR_DEVELOPING = new Set(['reload', 'spew', 'use-reloader', 'debug', 'autoreload'])

function developing(declaration: Declaration): readonly Problem[] {
  const { args, placeOf, name: process } = declaration
  const options = isDictionary(args) ? Object.entries(args as Record<string, Json>) : []
  const reloading = options
    .filter(([key, value]) => FOR_DEVELOPING.has(key.replaceAll('_', '-')) && value !== false && value !== null)
    .map(([key]): Problem => {
      const message = `${JSON.stringify(key)} is for development: it watches files, and ends what is running when one changes.`
      const hint = 'Leave it out; new code comes in with: prodserver reload'
      return { id: 'W705', place: placeOf('args', key), process, message, hint }
    })
  const talkative = options
    .filter(
      ([key, value]) => /^log[-_]?level$/.test(key) && typeof value === 'string' && /^(debug|trace)$/i.test(value),
    )
    .map(([key, value]): Problem => {
      const message = `The level ${JSON.stringify(value)} is for development: it fills the disk, and writes down what people send.`
      return { id: 'W705', place: placeOf('args', key), process, message, hint: 'Set it to "info"' }
    })
  return [...reloading, ...talkative, ...developmentServer(declaration)]
}

/** Django's own server, as a command of Django's or as one of the shell. */
function developmentServer({ backend, app, placeOf, name: process }: Declaration): readonly Problem[] {
  const command = ['django-command', 'command'].includes(findBackend(backend)?.name ?? '') ? app : undefined
  const server = /(?:^|\s)(runserver(?:_plus)?)(?:\s|$)/.exec(command ?? '')?.[1]
  if (server === undefined) return []
  const message = `${server} is for development: it is neither fast nor secure, and ends what is running when a file changes.`
  return [{ id: 'W705', place: placeOf('app'), process, message, hint: 'Declare a server: {"BACKEND": "gunicorn"}' }]
}

/** Secrets that stand in the settings file as they are, and so in its history. */
function secrets(
  { name, env, args, placeOf, spelling }: Declaration,
  { literals = [] }: SettingsAnswer,
): readonly Problem[] {
  const written = new Set(literals.map((path) => JSON.stringify(path)))
  const inside = (key: 'env' | 'args', values: unknown): readonly string[] =>
    isDictionary(values)
      ? Object.entries(values as Record<string, Json>)
          .filter(([of, value]) => typeof value === 'string' && isSecret(of, value))
          .map(([of]) => of)
          .filter((of) => written.has(JSON.stringify([spelling.processes, name, spelling.key(key), of])))
      : []
  const [file, environment] = spelling === AS_SETTINGS ? ['settings', 'os.environ'] : ['config file', 'process.env']
  const problem = (place: string, variable: string): Problem => ({
    id: 'W706',
    place,
    process: name,
    message: `${JSON.stringify(variable)} is written into the ${file}, and so into the history of the project.`,
    hint: `Take it from the environment: ${environment}[${JSON.stringify(variable.toUpperCase().replaceAll('-', '_'))}]`,
  })
  return [
    ...inside('env', env).map((of) => problem(placeOf('env', of), of)),
    ...inside('args', args).map((of) => problem(placeOf('args', of), of)),
  ]
}

const isSecret = (name: string, value: string): boolean =>
  value !== '' && (isSecretName(name) || typeof guard(name, value) !== 'string')
