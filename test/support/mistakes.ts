import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Problem } from '../../src/core/errors.ts'
import { BARE_PYTHON, PYTHON } from './environment.ts'
import { createProject, type ProjectFiles } from './project.ts'
import { type Finished, startProdserver } from './running.ts'

/** A broken project, the command that meets the mistake, and what a person must be shown then. */
export interface Mistake extends ProjectFiles {
  /** The command; default `run web`. `check --json` is asked as well, with the same options. */
  readonly args?: readonly string[]
  /** What `check --json` is asked about; default nothing, which is everything. */
  readonly names?: readonly string[]
  /** Options of both commands. */
  readonly options?: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The folder to start in, below the project. */
  readonly cwd?: string
  readonly code: number
  /** The exit code of `check`, where that is another. */
  readonly checkCode?: number
  /** All that is shown, with `<project>` and the like in the place of this machine's paths. */
  readonly shows: string
}

/** Asserts what the mistake shows, that `--json` says the same, and that nothing but questions was started. */
export async function assertExplained(t: TestContext, mistake: Mistake): Promise<void> {
  const { args = ['run', 'web'], names = [], options = [], code, checkCode = code, shows } = mistake
  const root = createProject(t, mistake)
  const recorder = recordInterpreters(t)
  const cwd = join(root, mistake.cwd ?? '.')
  mkdirSync(cwd, { recursive: true })
  const given = fillEnv(mistake.env, root) ?? {}
  const path = [recorder.env['PYTHONPATH'], given['PYTHONPATH']].filter(Boolean).join(delimiter)
  const env = { ...given, PYTHONPATH: path }
  const call = async (line: readonly string[]): Promise<Finished> => {
    const running = startProdserver(t, fill([...line, ...options], root), { cwd, env })
    // A server that was started after all would go on until then.
    const { code } = await running.ended(30_000)
    return { code, stdout: running.stdout(), stderr: running.stderr() }
  }
  const [told, json] = await Promise.all([call(args), call(['check', ...names, '--json'])])
  // `check` answers with the problems; elsewhere they are what kept the answer from being given.
  const [answer, conversation] = args[0] === 'check' ? [told.stderr, told.stdout] : [told.stdout, told.stderr]
  assert.equal(hideMachine(conversation, root), shows)
  assert.equal(answer, '')
  assert.equal(told.code, code)
  assert.equal(`${renderJson(json.stdout, root)}${countLine(shows)}`, shows)
  assert.equal(json.stderr, '')
  assert.equal(json.code, checkCode)
  for (const line of recorder.started())
    assert.match(line, /django_probe\.py|python_backend\.py', 'inspect'|uwsgi', '--(version|help)'/)
}

/** The list that `--json` printed, as a person would have been shown it: the format is written down twice on purpose. */
function renderJson(lines: string, root: string): string {
  const problems = lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Problem)
  return hideMachine(
    problems
      .map(({ id, place, message, hint, details }) =>
        [`${id}  ${place}`, ...indent(message), ...indent(details), ...(hint ? [`      → ${hint}`] : []), ''].join(
          '\n',
        ),
      )
      .join('\n'),
    root,
  )
}

const indent = (text: string | undefined): string[] => (text ? text.split('\n').map((line) => `      ${line}`) : [])

/** `check` closes with how many there are, and where. */
const countLine = (shows: string): string => /\n\d+ (?:errors?|warnings?)[^\n]*\n$/.exec(shows)?.[0] ?? ''

/** The text without what differs between machines and versions of Python. */
export function hideMachine(text: string, root: string): string {
  const paths = [
    [root, '<project>'],
    [realpathSync(root), '<project>'],
    [PYTHON, '<python>'],
    [BARE_PYTHON, '<bare python>'],
  ] as const
  return (
    hideVersions(paths.reduce((shown, [path, name]) => shown.replaceAll(path, name), text))
      // Where it is written is a matter of its own.
      .replace(/^([EW]\d{3} {2}\S+) {2}\S+:\d+$/gm, '$1')
  )
}

/** The text without what differs between versions of Python and of programs. */
export function hideVersions(text: string): string {
  return (
    text
      // Where in the line it was, which Python 3.11 began to show.
      .replace(/^ *[~^]+ *\n/gm, '')
      .replace(/0x[0-9a-f]+/g, '0x…')
      .replace(/\b\d+\.\d+[\w.]*(?= (?:has no|does not|takes))/g, '<version>')
  )
}

const fill = (words: readonly string[], root: string): string[] =>
  words.map((word) => word.replaceAll('<project>', root).replaceAll('<python>', PYTHON))

const fillEnv = (env: Mistake['env'], root: string): Mistake['env'] =>
  Object.fromEntries(
    Object.entries(env ?? {}).map(([name, value]) => [name, value === undefined ? undefined : fill([value], root)[0]]),
  )

interface Recorder {
  /** To be part of the environment of the program under test. */
  readonly env: Readonly<Record<string, string>>
  /** The command line of every interpreter that was started since. */
  readonly started: () => readonly string[]
}

/** Has every Python interpreter write down its command line before it does anything else. */
export function recordInterpreters(t: TestContext): Recorder {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-record-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const record = join(folder, 'started')
  writeFileSync(
    join(folder, 'sitecustomize.py'),
    `import sys\n\nwith open(${JSON.stringify(record)}, "a") as record:\n    record.write(repr(sys.orig_argv) + "\\n")\n`,
  )
  return {
    env: { PYTHONPATH: folder },
    started: () => (existsSync(record) ? readFileSync(record, 'utf8').split('\n').filter(Boolean) : []),
  }
}
