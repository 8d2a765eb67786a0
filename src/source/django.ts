import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { EXIT, type Problem, ProdserverError } from '../errors.ts'
import type { Env, Json } from '../types.ts'
import type { Project } from './project.ts'

/** What the project's settings say, as the Python side reports it. */
export interface SettingsAnswer {
  /** The settings that exist, of those that prodserver reads. */
  readonly settings: Readonly<Record<string, Json>>
  /** The names of the declared processes in the order of the declaration. */
  readonly order: readonly string[]
  readonly settingsModule: string
  readonly settingsFile: string | null
  readonly python: { readonly executable: string; readonly version: string; readonly prefix: string }
  /** The interpreter's import path while the settings were read. */
  readonly path: readonly string[]
  /** Whether the modules asked about can be imported. */
  readonly modules: Readonly<Record<string, boolean>>
  /** What an unusual `manage.py` put into the environment. */
  readonly exported: Readonly<Record<string, string>>
}

interface Failure {
  readonly stage: 'manage' | 'settings' | 'unknown'
  readonly type: string
  readonly message: string
  readonly module: string | null
  readonly notFound: boolean
  readonly exit: boolean
  readonly frames: readonly { readonly file: string; readonly line: number }[]
  readonly text: string
}

export interface ReadRequest {
  readonly project: Project
  readonly env: Env
  /** Top-level modules whose presence matters to some backend. */
  readonly modules: readonly string[]
  /** How long importing the settings may take. */
  readonly timeoutMs: number
}

/** The Python file; in the package it lies beside the bundled code. */
export const PROBE: string = fileURLToPath(new URL('django_probe.py', import.meta.url))

/** Output of the settings is kept for error messages only, and this much of it. */
const KEPT_OUTPUT = 16_384

/**
 * Reads the settings in the project's interpreter. Nothing is cached: the answer is what the settings say now.
 *
 * @throws {ProdserverError} `E003` to `E012`, with the user's own traceback in `details`.
 */
export async function readSettings(request: ReadRequest): Promise<SettingsAnswer> {
  const { answer, output, ended } = await runProbe(request)
  const line = answer.slice(0, answer.indexOf('\n') + 1)
  if (line.startsWith('{')) {
    const parsed = JSON.parse(line) as SettingsAnswer | { error: Failure }
    if (!('error' in parsed)) return parsed
    throw new ProdserverError([explainFailure(parsed.error, request)], EXIT.failed)
  }
  throw new ProdserverError([explainSilence(answer, output, ended, request)], EXIT.failed)
}

interface ProbeResult {
  readonly answer: string
  readonly output: string
  readonly ended: { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly error?: Error }
}

function runProbe({ project, env, modules, timeoutMs }: ReadRequest): Promise<ProbeResult> {
  const question = {
    root: project.root,
    manage: project.manage ?? null,
    runManage: project.runManage,
    settings: project.settings.module ?? null,
    pythonPath: project.pythonPath,
    modules,
    timeoutSeconds: timeoutMs / 1000,
  }
  const child = spawn(project.python.path, [PROBE, JSON.stringify(question)], {
    cwd: project.root,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const answer = collect(child.stdio[3] as Readable, Number.POSITIVE_INFINITY)
  const outputs = [collect(child.stdout as Readable, KEPT_OUTPUT), collect(child.stderr as Readable, KEPT_OUTPUT)]
  // The interpreter reports where it hangs by itself; this ends one that cannot even do that.
  const killer = setTimeout(() => child.kill('SIGKILL'), timeoutMs + 5000)
  return new Promise((settle) => {
    const finish = (ended: ProbeResult['ended']): void => {
      clearTimeout(killer)
      const output = outputs.map((part) => part.text()).join('')
      // A background process that the settings started may keep the pipes open for ever.
      for (const stream of child.stdio) stream?.destroy()
      settle({ answer: answer.text(), output, ended })
    }
    child.once('error', (error) => finish({ code: null, signal: null, error }))
    child.once('exit', (code, signal) => {
      // The answer's last bytes may still be on their way, but not for longer than it takes to read what is there.
      if (answer.text().endsWith('\n')) finish({ code, signal })
      else {
        const late = setTimeout(() => finish({ code, signal }), 1000)
        child.once('close', () => finish({ code, signal }))
        answer.whenDone(() => {
          clearTimeout(late)
          finish({ code, signal })
        })
      }
    })
  })
}

interface Collected {
  text(): string
  /** Calls back once a whole line has arrived, or the stream has ended. */
  whenDone(callback: () => void): void
}

function collect(stream: Readable, limit: number): Collected {
  const chunks: Buffer[] = []
  let size = 0
  let callback: (() => void) | undefined
  stream.on('data', (chunk: Buffer) => {
    if (size < limit) chunks.push(chunk)
    size += chunk.length
    if (chunk.at(-1) === 10) callback?.()
  })
  stream.on('error', () => callback?.())
  stream.on('end', () => callback?.())
  return {
    text: () => Buffer.concat(chunks).toString('utf8'),
    whenDone: (done) => {
      callback = done
    },
  }
}

function explainFailure(failure: Failure, { project }: ReadRequest): Problem {
  const module = project.settings.module ?? 'the settings'
  const frame = failure.frames.at(-1)
  const place = frame ? `${frame.file}:${frame.line}` : module
  const details = failure.text?.trimEnd()
  if (failure.stage === 'unknown') {
    return {
      id: 'E003',
      place: project.manage ?? project.root,
      message: 'manage.py was run, and did not set DJANGO_SETTINGS_MODULE.',
      hint: 'Name it: --settings mysite.settings',
    }
  }
  if (failure.notFound && failure.module === 'django') {
    return {
      id: 'E005',
      place: project.python.path,
      message: `Django is not installed in this interpreter (chosen by ${project.python.reason}).`,
      hint: `${project.python.install} django, or choose another: --python path/to/python`,
    }
  }
  if (failure.notFound && failure.module !== null && isPartOf(failure.module, project.settings.module)) {
    const hint = `It was named by ${project.settings.reason}. Look: ls ${project.root}/${failure.module.split('.')[0]}*`
    return {
      id: 'E006',
      place: project.settings.reason,
      message: `The settings module ${module} cannot be found: there is no module ${failure.module} in ${project.root}.`,
      hint,
    }
  }
  if (failure.stage === 'manage') {
    return {
      id: 'E012',
      place,
      message: `manage.py raises ${failure.type} before it reaches Django.`,
      hint: 'It fails in the same way: python manage.py check',
      details,
    }
  }
  if (failure.exit) {
    return {
      id: 'E009',
      place,
      message: `The settings end the process: sys.exit(${failure.message}).`,
      hint: 'Settings are imported by every server and worker; raise an exception that says what is missing instead.',
      details,
    }
  }
  if (failure.notFound && failure.module !== null) {
    const name = failure.module.split('.')[0]
    return {
      id: 'E008',
      place,
      message: `The settings import ${failure.module}, which is not installed in this interpreter (chosen by ${project.python.reason}).`,
      hint: `If it is a package of that name: ${project.python.install} ${name}`,
      details,
    }
  }
  return {
    id: 'E007',
    place,
    message: `The settings raise ${failure.type}: ${firstLine(failure.message)}`,
    hint: `See it alone: ${project.python.path} -c "import ${module}"`,
    details,
  }
}

/** A missing `mysite` or `mysite.settings` is the module itself; a missing `mysite.secrets` is something it imports. */
function isPartOf(missing: string, settings: string | undefined): boolean {
  return settings !== undefined && (settings === missing || settings.startsWith(`${missing}.`))
}

function explainSilence(
  answer: string,
  output: string,
  ended: ProbeResult['ended'],
  { project, timeoutMs }: ReadRequest,
): Problem {
  const python = project.python.path
  const module = project.settings.module ?? 'the settings'
  if (ended.error) {
    return {
      id: 'E004',
      place: python,
      message: `This interpreter (chosen by ${project.python.reason}) cannot be started: ${ended.error.message}.`,
      hint: `Try it: ${python} --version`,
    }
  }
  if (answer.startsWith('Timeout') || ended.signal === 'SIGKILL') {
    const frames = [...answer.matchAll(/File "(.+)", line (\d+) in (.+)/g)].filter(
      ([, file]) => file !== PROBE && !file?.startsWith('<frozen') && !file?.endsWith('importlib/__init__.py'),
    )
    const [, file, line] = frames[0] ?? []
    const details = frames
      .map(([text]) => `  ${text}`)
      .toReversed()
      .join('\n')
    return {
      id: 'E010',
      place: file ? `${file}:${line}` : module,
      message: `The settings did not finish loading in ${timeoutMs / 1000} s.`,
      hint: 'Settings should not wait for the network. If they are only slow: PRODSERVER_SETTINGS_TIMEOUT=120',
      details: details || undefined,
    }
  }
  const how = ended.signal ? `by ${ended.signal}` : `with exit code ${ended.code}`
  if (ended.code !== null && ended.code < 126 && !output.includes('SyntaxError')) {
    return {
      id: 'E009',
      place: module,
      message: `The process that read the settings ended ${how} without an answer.`,
      hint: `See it alone: ${python} -c "import ${module}"`,
      details: tail(output),
    }
  }
  return {
    id: 'E011',
    place: python,
    message: `The interpreter ended ${how} while it read the settings.`,
    hint: `Try it: ${python} -c "import ${module}". prodserver needs Python 3.8 or newer.`,
    details: tail(output),
  }
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''

const tail = (text: string): string | undefined => text.trimEnd().split('\n').slice(-12).join('\n') || undefined
