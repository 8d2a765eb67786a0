import { connectSupervisor } from '../../../control/client.ts'
import type { InstanceStateName, InstanceStatus, ProcessStatus, Why } from '../../../control/protocol.ts'
import { EXIT, UsageError } from '../../../core/errors.ts'
import { instancesIn } from '../../../core/selectors.ts'
import type { ContextOf } from '../../command.ts'
import { locateState } from '../../locate-state.ts'
import { renderWhy } from '../../output/render-why.ts'
import { requireRunning } from '../../require-supervisor.ts'
import { selectableProcesses, selectRunning } from '../../select-running.ts'
import type { FLAGS } from './flags.ts'

type Context = ContextOf<typeof FLAGS>

/** Explains the state of an instance, and what to do about it. */
export async function execute(context: Context): Promise<number> {
  const { options, io, paint } = context
  const answers = await explain(context)
  if (options.json) io.stdout.write(answers.map((why) => `${JSON.stringify(why)}\n`).join(''))
  else io.stdout.write(answers.map((why) => renderWhy(why, Date.now(), paint)).join('\n'))
  return EXIT.done
}

async function explain(context: Context): Promise<readonly Why[]> {
  const [selector] = context.operands
  if (selector === undefined) throw new UsageError('Name a process, or an instance of one.', 'See them: prodserver ps')
  const stateDir = locateState(context)
  const client = requireRunning(await connectSupervisor(stateDir), stateDir)
  const { processes } = await client.snapshot()
  const answers: Why[] = []
  for (const { instance } of toExplain(selector, processes)) answers.push(await client.why(instance))
  return answers
}

const WELL: ReadonlySet<InstanceStateName> = new Set(['running', 'done', 'stopped'])

/** Chooses the instances to explain: the unhealthy ones, or the first one if all are healthy. */
function toExplain(selector: string, processes: readonly ProcessStatus[]): readonly InstanceStatus[] {
  const known = selectableProcesses(processes.filter(({ instances }) => instances.length > 0))
  const names = new Set(instancesIn(selectRunning([selector], known), known))
  const chosen = processes.flatMap(({ instances }) => instances.filter(({ instance }) => names.has(instance)))
  const unwell = chosen.filter(({ state }) => !WELL.has(state))
  return unwell.length > 0 ? unwell : chosen.slice(0, 1)
}
