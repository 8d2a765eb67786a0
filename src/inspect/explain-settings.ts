import { existsSync } from 'node:fs'
import { join, sep } from 'node:path'
import { printDuration } from '../core/durations.ts'
import type { Problem } from '../core/errors.ts'
import type { Env } from '../core/types.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { DjangoProject, Project } from '../project/project.ts'
import { settingsProbe } from './programs.ts'
import type { PythonRun } from '../project/run-python.ts'

/** What went wrong while the settings were read, as a problem with the user's own lines. */

export interface ReadRequest {
  readonly project: DjangoProject
  readonly env: Env
  /** Top-level modules whose presence matters to some backend. */
  readonly modules: readonly string[]
  /** Tell where settings are written as well. Default false: it takes a few milliseconds. */
  readonly lines?: boolean
  /** How long importing the settings may take. */
  readonly timeoutMs: number
}

/** The first byte of the answer: the interpreter runs, and whatever happens from now on is not its fault. */
export const BEGUN = '#'

/** What the Python side reports; `unknown` is a `manage.py` that set no settings module, and has nothing but the stage. */
export type Failure = Raised | { readonly stage: 'unknown' }

interface Raised {
  readonly stage: 'manage' | 'settings'
  /** The settings module that was to be imported, where that was known by then. */
  readonly settings: string | null
  readonly type: string
  readonly message: string
  readonly module: string | null
  readonly notFound: boolean
  readonly exit: boolean
  readonly frames: readonly { readonly file: string; readonly line: number }[]
  readonly text: string
}

/** Explains an exception, or an end of the process, during the import of the settings. */
export function explainFailure(failure: Failure, { project }: ReadRequest): Problem {
  if (failure.stage === 'unknown') {
    const message = 'manage.py was run, and did not set DJANGO_SETTINGS_MODULE.'
    return { id: 'E003', place: project.manage ?? project.root, message, hint: 'Name it: --settings mysite.settings' }
  }
  const module = failure.settings ?? project.settings.module ?? 'the settings'
  const place = placeOf(failure.frames.toReversed(), project) ?? module
  const details = failure.text.trimEnd()
  const missing = failure.notFound ? failure.module : null
  if (missing === 'django') return explainNoDjango(project)
  if (missing !== null && isPartOf(missing, module)) return explainNoSettings(missing, module, project)
  if (failure.exit && failure.stage === 'settings') {
    const message = `The settings end the process: sys.exit(${firstLine(failure.message)}).`
    const hint = 'Raise an exception that says what is missing instead: every server and worker imports the settings'
    return { id: 'E009', place, message, hint, details }
  }
  if (missing !== null) return explainMissing(missing, place, details, project)
  const raised = [failure.type, firstLine(failure.message)].filter(Boolean).join(': ')
  if (failure.stage === 'manage') {
    const message = `manage.py raises ${raised} before it reaches Django.`
    const hint = `It fails in the same way: ${quoteWord(project.python.path)} manage.py check`
    return { id: 'E012', place, message, hint, details }
  }
  return { id: 'E007', place, message: `The settings raise ${raised}`, hint: importAlone(project, module), details }
}

/** A part of the path of the settings module does not exist. */
function explainNoSettings(missing: string, module: string, { root, settings }: DjangoProject): Problem {
  const dotted = module.replace(/\.py$/, '').replaceAll('/', '.')
  const folder = join(root, ...missing.split('.').slice(0, -1))
  const message = `The settings module ${module} cannot be found: there is no module ${missing} in ${root}.`
  const hint =
    dotted === module
      ? `It was named by ${settings.reason}. Look: ls ${quoteWord(folder)}`
      : `A settings module is written with dots: ${dotted}`
  return { id: 'E006', place: settings.reason, message, hint }
}

/** An interpreter without Django is hardly the one that was meant. */
export const explainNoDjango = ({ python: { path, reason, install } }: Project): Problem => ({
  id: 'E005',
  place: path,
  message: `Django is not installed in this interpreter (chosen by ${reason}).`,
  hint: `${install} django, or choose another: --python path/to/python`,
})

/** A module that the settings import, or a `manage.py` before them. */
function explainMissing(missing: string, place: string, details: string, { root, python }: Project): Problem {
  const [top = '', ...rest] = missing.split('.')
  const base = { id: 'E008', place, details } as const
  if (rest.length > 0 && existsSync(join(root, top))) {
    const message = `There is no module ${missing} in ${root}.`
    return {
      ...base,
      message,
      hint: `Create it, or look: ls ${quoteWord(join(root, ...missing.split('.').slice(0, -1)))}`,
    }
  }
  return {
    ...base,
    message: `${missing} is not installed in this interpreter (chosen by ${python.reason}).`,
    hint: `If it is a package of that name: ${python.install} ${top}`,
  }
}

const importAlone = ({ python }: Project, module: string): string =>
  `See it alone: ${quoteWord(python.path)} -c "import ${module}"`

/** A missing `mysite` or `mysite.settings` is the module itself; a missing `mysite.secrets` is something it imports. */
function isPartOf(missing: string, settings: string): boolean {
  return settings === missing || settings.startsWith(`${missing}.`)
}

interface Frame {
  readonly file: string
  readonly line: number | string
}

/** The line to look at: the innermost one of the project's own, else the innermost. Frames are innermost first. */
function placeOf(frames: readonly Frame[], { root }: Project): string | undefined {
  const isOwn = ({ file }: Frame): boolean =>
    file.startsWith(root + sep) && !/[/\\](site|dist)-packages[/\\]/.test(file)
  const frame = frames.find(isOwn) ?? frames[0]
  return frame && `${frame.file}:${frame.line}`
}

/** Explains why the interpreter ended without an answer. */
export function explainSilence(run: PythonRun, request: ReadRequest): Problem {
  const { answer, ended } = run
  const { project } = request
  if (ended.error) return explainNoStart(ended.error, project)
  if (answer.startsWith(`${BEGUN}Timeout`) || ended.killed) return explainTimeout(answer, request)
  const module = project.settings.module ?? 'the settings'
  const how = ended.signal ? `by ${ended.signal}` : `with exit code ${ended.code}`
  const details = tail(run.output)
  if (!answer.startsWith(BEGUN)) {
    const { path, reason } = project.python
    const message = `This interpreter (chosen by ${reason}) ended ${how} before it could be asked: it must be Python 3.8 or newer.`
    return { id: 'E011', place: path, message, hint: `Try it: ${quoteWord(path)} --version`, details }
  }
  const hint = importAlone(project, module)
  if (ended.signal) {
    const message = `The interpreter was ended ${how} while it read the settings.`
    return { id: 'E011', place: module, message, hint, details }
  }
  const message = `The process that read the settings ended ${how} without an answer.`
  return { id: 'E009', place: module, message, hint, details }
}

function explainNoStart(error: NodeJS.ErrnoException, { python: { path, reason } }: Project): Problem {
  const why = error.code === 'EACCES' ? 'it is not executable' : error.message
  const message = `This interpreter (chosen by ${reason}) cannot be started: ${why}.`
  return { id: 'E004', place: path, message, hint: `Look: ls -l ${quoteWord(path)}` }
}

/** Explains a timeout with the frames in which the settings hang. */
function explainTimeout(answer: string, { project, timeoutMs }: ReadRequest): Problem {
  const frames = [...answer.matchAll(/File "(.+)", line (\d+) in (.+)/g)]
    .map(([text, file = '', line = '']) => ({ text, file, line }))
    .filter(
      ({ file }) => file !== settingsProbe && !file.startsWith('<frozen') && !file.endsWith('importlib/__init__.py'),
    )
  const details = frames
    .map(({ text }) => `  ${text}`)
    .toReversed()
    .join('\n')
  return {
    id: 'E010',
    place: placeOf(frames, project) ?? project.settings.module ?? 'the settings',
    message: `The settings did not finish loading in ${printDuration(timeoutMs)}.`,
    hint: 'Settings should not wait for the network. If they are only slow: PRODSERVER_SETTINGS_TIMEOUT=120',
    details: details || undefined,
  }
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''

const tail = (text: string): string | undefined => text.trimEnd().split('\n').slice(-12).join('\n') || undefined
