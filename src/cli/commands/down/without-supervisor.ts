import type { Project } from '../../../project/project.ts'
import { blankProject, createHost } from '../../../supervisor/host.ts'
import { ShimBusyError } from '../../../supervisor/shim/client.ts'
import type { CommandContext } from '../../command.ts'
import { createProgress } from '../../output/progress.ts'
import { alreadyRunning } from '../../require-supervisor.ts'
import { VERSION } from '../../version.ts'

type Context = CommandContext<{ readonly json: boolean; readonly quiet: boolean; readonly force: boolean }>

/**
 * Adopts what a killed supervisor has left, and stops it. Nothing is read for this: each process is stopped as it was
 * declared when it started.
 */
export async function downWithoutSupervisor(
  context: Context,
  { root, python }: Project,
  stateDir: string,
): Promise<number> {
  const project = blankProject(root, python.path)
  const shim = { python: python.path, env: context.io.env }
  const options = {
    stateDir,
    version: VERSION,
    shim,
    project,
    pid: process.pid,
    exitOn: 'never',
    endWhenIdle: false,
  } as const
  const host = await createHost(options).catch((error: unknown) => {
    throw error instanceof ShimBusyError ? alreadyRunning(stateDir) : error
  })
  host.subscribe(createProgress(context).event)
  const applied = host.apply({ project, specs: [], only: null, release: '', reload: false }).catch(() => {})
  if (context.options.force) {
    // By the next turn of the event loop the host knows what it adopted.
    await new Promise((settle) => setImmediate(settle))
    host.stop()
  } else await applied
  host.stop()
  return host.ended
}
