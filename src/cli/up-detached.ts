import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { ActionLine } from '../control/protocol.ts'
import { splitLines } from '../control/streams.ts'
import { EXIT, ProdserverError } from '../errors.ts'
import { prepareStateFolder } from '../supervise/state-folder.ts'
import type { Application } from '../supervise/spec.ts'
import { followAction } from './commands/up.ts'
import type { CommandContext } from './commands.ts'
import { VERSION } from './version.ts'
import type { DetachedOptions } from '../supervise/detached.ts'

export interface DetachedRequest {
  readonly context: CommandContext
  readonly stateDir: string
  readonly application: Application
  readonly exitOn: DetachedOptions['exitOn']
}

/** Starts a supervisor that stays when we end, and shows what it does until all is ready. */
export async function startDetached({ context, stateDir, application, exitOn }: DetachedRequest): Promise<number> {
  prepareStateFolder(stateDir)
  const log = openSync(join(stateDir, 'supervisor.log'), 'a', 0o600)
  const { program, args } = detachedProgram()
  const child = spawn(process.execPath, [program, ...args], {
    detached: true,
    stdio: ['pipe', log, log, 'pipe'],
    cwd: '/',
    env: context.io.env,
  })
  closeSync(log)
  const options: DetachedOptions = {
    stateDir,
    application,
    exitOn,
    version: VERSION,
    python: application.project.python.path,
  }
  child.stdin?.end(JSON.stringify(options))
  child.unref()
  const code = await followAction((signal) => received(child.stdio[3] as Readable, stateDir, signal), context)
  const { json, quiet, 'no-wait': noWait } = context.options.values
  if (code === EXIT.done && !json && !quiet && !noWait)
    context.io.stdout.write(
      'Running in the background. Look: prodserver ps, prodserver logs -f. Stop: prodserver down\n',
    )
  return code
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
function detachedProgram(): { program: string; args: readonly string[] } {
  const program = typeof PRODSERVER_SUPERVISOR === 'string' ? PRODSERVER_SUPERVISOR : '../supervise/detached.ts'
  return { program: join(import.meta.dirname, program), args: [] }
}

/** Where it lies once it is built. */
declare const PRODSERVER_SUPERVISOR: string | undefined
