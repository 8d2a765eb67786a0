import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { ActionLine } from '../../../control/protocol.ts'
import { splitLines } from '../../../control/streams.ts'
import { EXIT, ProdserverError } from '../../../core/errors.ts'
import type { DetachedOptions } from '../../../supervisor/detached.ts'
import { prepareStateFolder } from '../../../supervisor/state/state-folder.ts'
import { runAction } from '../../follow-action.ts'
import { instanceNames } from '../../output/progress.ts'
import { alreadyRunning } from '../../require-supervisor.ts'
import { VERSION } from '../../version.ts'
import type { UpRequest } from './request.ts'

/** Starts a supervisor that stays when this process ends, and shows what it does until all is ready. */
export async function startDetached(request: UpRequest): Promise<number> {
  const { context, stateDir } = request
  const { io, options } = context
  prepareStateFolder(stateDir)
  // The supervisor loads while the settings are being read.
  const supervisor = startSupervisor(request)
  const names = await sendApplication(supervisor, request)
  supervisor.unref()
  const answers = supervisor.stdio[3] as Readable
  const code = await runAction((signal) => received(answers, stateDir, signal), context, names)
  if (code === EXIT.done && !options.json && !options.quiet && !options['no-wait'])
    io.stdout.write('Running in the background. Look: prodserver ps, prodserver logs -f. Stop: prodserver down\n')
  return code
}

/** Hands the declaration to the supervisor; returns the names of its instances. */
async function sendApplication(supervisor: ChildProcess, { readApplication }: UpRequest): Promise<readonly string[]> {
  try {
    const application = await readApplication()
    supervisor.stdin?.end(JSON.stringify(application))
    return instanceNames(application)
  } catch (error) {
    supervisor.stdin?.end()
    if (supervisor.exitCode === null && supervisor.signalCode === null) await once(supervisor, 'exit')
    throw error
  }
}

/**
 * Options of Node for a process that waits nearly all of its time, for as long as the machine runs: compiled code and room
 * for garbage would only take memory, 10 MiB of 60 with a hundred processes.
 */
const SMALL = ['--jitless', '--max-semi-space-size=1']

function startSupervisor({ context, project, stateDir }: UpRequest): ChildProcess {
  const { root, python } = project
  const exitOn = context.options['exit-on'] ?? 'never'
  const options: DetachedOptions = { stateDir, exitOn, version: VERSION, root, python: python.path }
  const log = openSync(join(stateDir, 'supervisor.log'), 'a', 0o600)
  try {
    const supervisor = spawn(process.execPath, [...SMALL, detachedProgram(), JSON.stringify(options)], {
      detached: true,
      stdio: ['pipe', log, log, 'pipe'],
      cwd: '/',
      env: context.io.env,
    })
    // A supervisor that ends before it has read its declaration says why on its other descriptors.
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

/** The file of the supervisor alone: the rest of this program would stay in its memory. */
const detachedProgram = (): string =>
  join(
    import.meta.dirname,
    typeof PRODSERVER_SUPERVISOR === 'string' ? PRODSERVER_SUPERVISOR : '../../../supervisor/detached.ts',
  )

/** Path of the built file. */
declare const PRODSERVER_SUPERVISOR: string | undefined
