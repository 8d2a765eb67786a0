import { connectSupervisor } from '../../control/client.ts'
import { stateDirectory } from '../../control/state-dir.ts'
import type { CommandContext } from '../commands.ts'
import { requireRunning } from '../left-running.ts'
import { projectFromOptions } from '../read-project.ts'
import { applicationOf, followAction } from './up.ts'

/** Reads the declaration again and replaces what runs by it, and by the code that is there now. */
export async function execute(context: CommandContext): Promise<number> {
  const { io, options } = context
  const project = projectFromOptions(context)
  const stateDir = stateDirectory(io.env, project.root)
  const client = requireRunning(await connectSupervisor(stateDir), stateDir)
  const targets = options.positionals
  // One instance has no declaration of its own.
  if (targets.length > 0 && targets.every((target) => /\.\d+$/.test(target)))
    return followAction((signal) => client.action({ verb: 'reload', targets }, signal), context)
  const application = await applicationOf(context, project, true)
  return followAction((signal) => client.apply(application, signal), context)
}
