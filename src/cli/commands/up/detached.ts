import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { ActionLine } from '../../../control/protocol.ts'
import { splitLines } from '../../../control/streams.ts'
import { EXIT, ProdserverError } from '../../../core/errors.ts'
import type { Project } from '../../../project/project.ts'
import { prepareStateFolder } from '../../../supervisor/state/state-folder.ts'
import type { Application } from '../../../supervisor/spec.ts'
import { followAction, instanceNames } from './execute.ts'
import type { CommandContext } from '../index.ts'
import { VERSION } from '../../version.ts'
import type { DetachedOptions } from '../../../supervisor/detached.ts'

export interface DetachedRequest {
  readonly context: CommandContext
  readonly project: Project
  readonly stateDir: string
  readonly exitOn: DetachedOptions['exitOn']
  /** @throws {ProdserverError} where it cannot be run. */
  readonly application: () => Promise<Application>
}

/** Starts a supervisor that stays when we end, and shows what it does until all is ready. */
export async function startDetached(request: DetachedRequest): Promise<number> {
  const { context, stateDir } = request
  prepareStateFolder(stateDir)
  // It gets ready while the settings are being read.
  const supervisor = startSupervisor(request)
  let names: readonly string[] = []
  try {
    const application = await request.application()
    names = instanceNames(application)
    supervisor.stdin?.end(JSON.stringify(application))
  } catch (error) {
    supervisor.stdin?.end()
    if (supervisor.exitCode === null && supervisor.signalCode === null) await once(supervisor, 'exit')
    throw error
  }
  supervisor.unref()
  const answers = supervisor.stdio[3] as Readable
  const code = await followAction((signal) => received(answers, stateDir, signal), context, names)
  const { json, quiet, 'no-wait': noWait } = context.options.values
  if (code === EXIT.done && !json && !quiet && !noWait)
    context.io.stdout.write(
      'Running in the background. Look: prodserver ps, prodserver logs -f. Stop: prodserver down\n',
    )
  return code
}

/**
 * It waits nearly all of its time, for as long as the machine runs: code that is compiled to run faster would only take
 * memory, and so would room for what it throws away. With a hundred processes that is 10 MiB of 60.
 */
const SMALL = ['--jitless', '--max-semi-space-size=1']

function startSupervisor({ context, project, stateDir, exitOn }: DetachedRequest): ChildProcess {
  const { root, python } = project
  const options: DetachedOptions = { stateDir, exitOn, version: VERSION, root, python: python.path }
  const log = openSync(join(stateDir, 'supervisor.log'), 'a', 0o600)
  try {
    const supervisor = spawn(process.execPath, [...SMALL, detachedProgram(), JSON.stringify(options)], {
      detached: true,
      stdio: ['pipe', log, log, 'pipe'],
      cwd: '/',
      env: context.io.env,
    })
    // It may end before it has heard what to run: what it has to say says why.
    supervisor.stdin?.on('error', () => {})
    return supervisor
  } finally {
    closeSync(log)
  }
}

async function* received(answers: Readable, stateDir: string, signal: AbortSignal): AsyncGenerator<ActionLine> {
  signal.addEventListener('abort', () => answers.destroy())
  let isOver = false
  for await (const line of splitLines(answers)) {
    const answer = JSON.parse(line) as ActionLine | { readonly busy: true }
    if ('busy' in answer) throw alreadyRunning(stateDir)
    isOver ||= 'result' in answer
    yield answer
  }
  if (isOver) return
  const message = 'The supervisor ended before all was started.'
  throw new ProdserverError(
    [{ id: 'E602', place: stateDir, message, hint: `Look: tail ${join(stateDir, 'supervisor.log')}` }],
    EXIT.failed,
  )
}

export function alreadyRunning(stateDir: string): ProdserverError {
  const message = 'Another `prodserver up` was first, and supervises this project.'
  return new ProdserverError([{ id: 'E604', place: stateDir, message, hint: 'Look: prodserver ps' }], EXIT.refused)
}

/** The supervisor alone: what it does not need of this program would stay in its memory for good. */
const detachedProgram = (): string =>
  join(
    import.meta.dirname,
    typeof PRODSERVER_SUPERVISOR === 'string' ? PRODSERVER_SUPERVISOR : '../../../supervisor/detached.ts',
  )

/** Where it lies once it is built. */
declare const PRODSERVER_SUPERVISOR: string | undefined
