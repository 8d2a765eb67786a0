import type { ActionRequest, Verb } from '../../control/protocol.ts'
import { connectSupervisor, requireSupervisor } from '../../control/client.ts'
import { stateDirectory } from '../../control/state-dir.ts'
import { EXIT, UsageError } from '../../errors.ts'
import type { CommandContext, Execute } from '../commands.ts'
import { projectFromOptions } from '../read-project.ts'
import { followAction } from './up.ts'

/** A command that asks the supervisor for something, and shows what it does. */
export const actionCommand =
  (verb: Verb): Execute =>
  async (context) => {
    const { io, options } = context
    const request = requestOf(verb, context)
    const stateDir = stateDirectory(io.env, projectFromOptions(context).root)
    const client = await connectSupervisor(stateDir)
    if (!client && verb === 'down') {
      if (!options.values['quiet']) io.stderr.write('Nothing is running.\n')
      return EXIT.done
    }
    return followAction((signal) => requireSupervisor(client, stateDir).action(request, signal), context)
  }

function requestOf(verb: Verb, { options }: CommandContext): ActionRequest {
  const { positionals, values } = options
  const force = values['force'] !== undefined
  if (verb !== 'scale') return { verb, targets: positionals, force }
  if (positionals.length === 0) throw new UsageError('Say how many: NAME=COUNT.')
  const counts = positionals.map((word) => {
    const [, name, count] = /^(.+?)=([+-]?\d+)$/.exec(word) ?? []
    if (name === undefined || count === undefined) throw new UsageError(`${word} is not NAME=COUNT.`)
    return [name, count] as const
  })
  return { verb, targets: [], counts: Object.fromEntries(counts) }
}
