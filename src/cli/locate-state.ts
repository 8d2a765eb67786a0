import { isAbsolute } from 'node:path'
import { stateDirectory } from '../control/state-dir.ts'
import type { CommandContext } from './commands/index.ts'
import { projectFromOptions } from './read-project.ts'

/**
 * The state directory of the project that the command is about. Starts nothing.
 *
 * @throws {ProdserverError} `E001` to `E004` where there is no project, and its folder decides.
 */
export function locateState(context: CommandContext): string {
  const { env } = context.io
  const named = env['PRODSERVER_STATE_DIR'] || env['STATE_DIRECTORY']
  // Whoever names it need not be in the project.
  if (named && isAbsolute(named)) return stateDirectory(env, '/')
  return stateDirectory(env, projectFromOptions(context).root)
}
