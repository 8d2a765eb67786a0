import type { Project } from '../../../project/project.ts'
import { blankProject, createHost } from '../../../supervisor/host.ts'
import { KeeperBusyError } from '../../../supervisor/shim/client.ts'
import { shimProgram } from '../../../supervisor/shim/programs.ts'
import type { CommandContext } from '../index.ts'
import { createProgress } from '../../output/progress.ts'
import { alreadyRunning } from '../up/detached.ts'
import { VERSION } from '../../version.ts'

/**
 * Takes over what a supervisor that was killed has left, and stops it: each in the way that was declared when it was
 * started, since nothing is read for this.
 */
export async function downAlone(context: CommandContext, { root, python }: Project, stateDir: string): Promise<number> {
  const project = blankProject(root, python.path)
  const keeper = { python: python.path, program: shimProgram, env: context.io.env }
  const options = {
    stateDir,
    version: VERSION,
    keeper,
    project,
    pid: process.pid,
    exitOn: 'never',
    endWhenIdle: false,
  } as const
  const host = await createHost(options).catch((error: unknown) => {
    throw error instanceof KeeperBusyError ? alreadyRunning(stateDir) : error
  })
  host.subscribe(createProgress(context).event)
  const applied = host.apply({ project, specs: [], only: null, release: '', reload: false }).catch(() => {})
  if (context.options.values['force'] !== undefined) {
    // What is taken over is known by then.
    await new Promise((settle) => setImmediate(settle))
    host.stop()
  } else await applied
  host.stop()
  return host.ended
}
