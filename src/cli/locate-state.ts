import { isAbsolute } from 'node:path'
import { stateDirectory } from '../control/state-dir.ts'
import { type ProjectContext, projectFromOptions } from './locate-project.ts'

/**
 * The state directory of the project that the command is about. Starts nothing.
 *
 * @throws {ProdserverError} `E001` to `E004` when there is no project, and its folder decides.
 */
export function locateState(context: ProjectContext): string {
  const { env } = context.io
  const named = env['PRODSERVER_STATE_DIR'] || env['STATE_DIRECTORY']
  // A user who names the directory need not be in the project.
  if (named && isAbsolute(named)) return stateDirectory(env, '/')
  return stateDirectory(env, projectFromOptions(context).root)
}
