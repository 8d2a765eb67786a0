import type { Declaration } from '../config/declarations.ts'
import { toSettingsKey } from '../core/notation.ts'
import { EXIT, ProdserverError } from '../core/errors.ts'
import { runPython } from '../project/run-python.ts'
import type { Env, Json } from '../core/types.ts'
import { projectProbe } from '../inspect/programs.ts'
import { quoteWord } from '../core/shell-words.ts'
import type { DeploymentAnswer, DeploymentQuestion } from './checks/deploy.ts'
import type { OptionAnswer, OptionQuestion } from './checks/options.ts'

export interface PythonError {
  readonly type: string
  readonly message: string
  readonly module: string | null
  readonly import: boolean
  /** The import path that may have been meant, where only the last part of it does not exist. */
  readonly near: string | null
  /** The user's own traceback. */
  readonly text: string
}

export interface PythonClass {
  /** Import paths of the class and its bases, itself first. */
  readonly mro: readonly string[]
  /** The class among them that has `start_server`. */
  readonly starter: string | null
  /** What `prep_server_args` returns, where `start_server` is a built-in backend's. */
  readonly args?: readonly string[]
}

export interface PythonAnswer {
  /** Absent when `django.setup()` was not asked for. */
  readonly ready?: { readonly error?: PythonError }
  readonly classes: Readonly<Record<string, PythonClass | { readonly error: PythonError }>>
  /** With the type of what was found, where that is not an application. */
  readonly apps: Readonly<Record<string, { readonly type?: string } | { readonly error: PythonError }>>
  /** What the running project tells of itself; absent when it was not asked for, or Django cannot be set up. */
  readonly deploy?: DeploymentAnswer | { readonly error: PythonError }
  /** What programs make of the options of processes. */
  readonly options: Readonly<Record<string, OptionAnswer | { readonly error: PythonError }>>
  /** What memory a process needs; null where it could not be measured. Absent when it was not asked for. */
  readonly memory?: Readonly<Record<string, MemoryAnswer | null>>
}

/** What a process is to load while it is measured. */
export interface MemoryQuestion {
  readonly modules: readonly string[]
  /** How its program is found; see option_check.py. */
  readonly parser: string | null
  readonly app: readonly [path: string, kind: 'celery' | 'wsgi' | 'asgi'] | null
}

/** In bytes; see memory_check.py. */
export interface MemoryAnswer {
  /** Of a process that has loaded the application by itself. */
  readonly alone: number
  /** Of a copy of one, beyond what it shares with it. */
  readonly forked: number
}

/** The key of a declaration, and the key within where it is a part, as settings spell them; without a value it goes. */
export type PythonOverride = readonly [path: readonly string[], value?: Json]

export const overridesForPython = ({ overrides }: Declaration): readonly PythonOverride[] =>
  overrides.map(({ key, inner, value }) => {
    const path = [toSettingsKey(key), ...(inner === undefined ? [] : [inner])]
    return value === undefined ? [path] : [path, value]
  })

export interface PythonQuestion {
  readonly python: string
  readonly root: string
  readonly env: Env
  /** Folders put first on the import path. */
  readonly path: readonly string[]
  /** Processes whose backend is a Python class, each with what is to be changed in its declaration. */
  readonly classes: Readonly<Record<string, readonly PythonOverride[]>>
  /** Applications by their import paths. */
  readonly apps: Readonly<Record<string, 'celery' | 'wsgi' | 'asgi'>>
  /** Look at the running project. Null for not at all. */
  readonly deploy: DeploymentQuestion | null
  /** Options by the process whose they are. */
  readonly options: Readonly<Record<string, OptionQuestion>>
  /** What to measure, by the process whose memory it is. Null for nothing. */
  readonly memory: Readonly<Record<string, MemoryQuestion>> | null
  readonly timeoutMs: number
}

/**
 * Asks the project's interpreter what only an import can tell. It takes as long as `django.setup()` does, so it is
 * asked only where the declaration makes it necessary.
 *
 * @throws {ProdserverError} `E011` when it gives no answer.
 */
export async function askPython(question: PythonQuestion): Promise<PythonAnswer> {
  const { classes, apps, options, deploy, memory, path } = question
  const isSetUp =
    Object.keys(classes).length > 0 ||
    deploy !== null ||
    Object.values(options).some(({ parser }) => parser.startsWith('django '))
  // Not an argument: options may be longer than a command line.
  const input = JSON.stringify({ classes, apps, options, deploy, memory, path, setup: isSetUp })
  const { answer, output, ended } = await runPython({
    python: question.python,
    args: [projectProbe, 'inspect'],
    input,
    cwd: question.root,
    env: question.env,
    timeoutMs: question.timeoutMs,
  })
  if (answer.endsWith('\n')) return JSON.parse(answer) as PythonAnswer
  const details = output.trimEnd().split('\n').slice(-12).join('\n')
  const how = ended.killed
    ? `did not finish in ${question.timeoutMs / 1000} s`
    : `ended ${ended.signal ? `by ${ended.signal}` : `with exit code ${ended.code}`}`
  throw new ProdserverError(
    [
      {
        id: 'E011',
        place: question.python,
        message: `The interpreter ${how} while it imported ${[...new Set([...Object.keys(classes), ...Object.keys(apps), ...Object.keys(options)])].join(', ') || 'the project'}.`,
        hint: `Try it: ${quoteWord(question.python)} manage.py check`,
        details: details || undefined,
      },
    ],
    EXIT.failed,
  )
}
