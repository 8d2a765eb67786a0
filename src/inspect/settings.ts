import { toSeconds } from '../core/durations.ts'
import { EXIT, ProdserverError } from '../core/errors.ts'
import type { Json } from '../core/types.ts'
import type { ConfigAnswer } from '../project/config-file.ts'
import { BEGUN, explainFailure, explainSilence, type Failure, type ReadRequest } from './explain-settings.ts'
import { settingsProbe } from './programs.ts'
import { type PythonRun, runPython } from '../project/run-python.ts'

/** What the project's settings say, as the Python side reports it, and its config file. */
export interface SettingsAnswer {
  /** The settings that exist, of those that prodserver reads. */
  readonly settings: Readonly<Record<string, Json>>
  /** The names of the declared processes in the order of the declaration, those of a config file last. */
  readonly order: readonly string[]
  readonly settingsModule: string
  readonly settingsFile: string | null
  readonly python: { readonly executable: string; readonly version: string; readonly prefix: string }
  /** The interpreter's import path while the settings were read. */
  readonly path: readonly string[]
  /** Whether the modules asked about can be imported. */
  readonly modules: Readonly<Record<string, boolean>>
  /** Where settings and the keys in them are written, as `FILE:LINE`, where that was asked. */
  readonly lines?: readonly (readonly [path: readonly string[], place: string])[]
  /** The paths of values that are texts which stand in the settings as they are, where that was asked. */
  readonly literals?: readonly (readonly string[])[]
  /** What an unusual `manage.py` put into the environment. */
  readonly exported: Readonly<Record<string, string>>
  /** What the config file exports, where the project has one. */
  readonly config?: ConfigAnswer
}

/** The answer where there are no settings: what a config file declares is all. */
export const NO_SETTINGS: SettingsAnswer = {
  settings: {},
  order: [],
  settingsModule: '',
  settingsFile: null,
  python: { executable: '', version: '', prefix: '' },
  path: [],
  modules: {},
  exported: {},
}

type Answered = SettingsAnswer | { readonly error: Failure }

/**
 * Reads the settings in the project's interpreter. Nothing is cached: the answer is what the settings say now.
 *
 * @throws {ProdserverError} `E003` to `E012`, with the user's own traceback in `details`.
 */
export async function readSettings(request: ReadRequest): Promise<SettingsAnswer> {
  const result = await runProbe(request)
  const line = result.answer.slice(BEGUN.length, result.answer.indexOf('\n') + 1)
  if (line.startsWith('{')) {
    const parsed = JSON.parse(line) as Answered
    if (!('error' in parsed)) return parsed
    throw new ProdserverError([explainFailure(parsed.error, request)], EXIT.failed)
  }
  throw new ProdserverError([explainSilence(result, request)], EXIT.failed)
}

function runProbe({ project, env, modules, lines = false, timeoutMs }: ReadRequest): Promise<PythonRun> {
  const question = {
    root: project.root,
    manage: project.manage ?? null,
    runManage: project.runManage,
    // What a manage.py that is run anyway sets is the answer, not what its text looks as if it did.
    settings: project.runManage && project.settings.reason === 'manage.py' ? null : (project.settings.module ?? null),
    pythonPath: project.pythonPath,
    modules,
    lines,
    timeoutSeconds: toSeconds(timeoutMs),
  }
  return runPython({
    python: project.python.path,
    args: [settingsProbe, JSON.stringify(question)],
    cwd: project.root,
    env,
    // The interpreter reports where it hangs by itself; this is for one that cannot even do that.
    timeoutMs: timeoutMs + 5000,
  })
}
