import { connectSupervisor } from '../../../control/client.ts'
import type { InstanceStateName } from '../../../control/protocol.ts'
import { EXIT, UsageError } from '../../../core/errors.ts'
import { requireRunning } from '../../require-supervisor.ts'
import type { CommandContext } from '../index.ts'
import { locateState } from '../../locate-state.ts'
import { renderWhy } from '../../output/render-why.ts'
import { instancesIn } from '../../../core/selectors.ts'
import { selectableProcesses, selectRunning } from '../../select.ts'

/** Why an instance is in the state that it is in, and what to do about it. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint } = context
  const [name] = options.positionals
  if (name === undefined) throw new UsageError('Name a process, or an instance of one.', 'See them: prodserver ps')
  const stateDir = locateState(context)
  const client = requireRunning(await connectSupervisor(stateDir), stateDir)
  const processes = (await client.snapshot()).processes.filter(({ instances }) => instances.length > 0)
  const known = selectableProcesses(processes)
  const names = new Set(instancesIn(selectRunning([name], known), known))
  const chosen = processes.flatMap(({ instances }) => instances.filter(({ instance }) => names.has(instance)))
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
