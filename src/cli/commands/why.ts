import { connectSupervisor } from '../../control/client.ts'
import type { InstanceStateName } from '../../control/protocol.ts'
import { EXIT, UsageError } from '../../core/errors.ts'
import { requireRunning } from '../left-running.ts'
import type { CommandContext } from '../commands.ts'
import { locateState } from '../locate-state.ts'
import { psRows } from '../render-ps.ts'
import { renderWhy } from '../render-why.ts'
import { selectInstances } from '../select-instances.ts'

/** Why an instance is in the state that it is in, and what to do about it. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint } = context
  const [name] = options.positionals
  if (name === undefined) throw new UsageError('Name a process, or an instance of one.', 'See them: prodserver ps')
  const stateDir = locateState(context)
  const client = requireRunning(await connectSupervisor(stateDir), stateDir)
  const known = psRows(await client.snapshot()).map(({ owner: { process, kind }, status }) => ({
    process,
    kind,
    instance: status.instance,
    state: status.state,
  }))
  const chosen = selectInstances([name], known)
  // Of several, those that are well need no reason; where all are, the first tells for all.
  const unwell = chosen.filter(({ state }) => !WELL.has(state))
  const asked = chosen.length === 1 ? chosen : unwell.length > 0 ? unwell : chosen.slice(0, 1)
  const answers = []
  for (const { instance } of asked) answers.push(await client.why(instance))
  const text = options.values['json']
    ? answers.map((why) => `${JSON.stringify(why)}\n`).join('')
    : answers.map((why) => renderWhy(why, Date.now(), paint)).join('\n')
  io.stdout.write(text)
  return EXIT.done
}

const WELL: ReadonlySet<InstanceStateName> = new Set(['running', 'done', 'stopped'])
