import { connectSupervisor } from '../../../control/client.ts'
import type { Snapshot } from '../../../control/protocol.ts'
import { select } from '../../../core/selectors.ts'
import { selectableProcesses } from '../../select.ts'
import { stateDirectory } from '../../../control/state-dir.ts'
import type { CommandContext } from '../index.ts'
import { splitSet } from '../../../config/set-text.ts'
import { requireRunning } from '../../require-supervisor.ts'
import { projectFromOptions, setsOf } from '../../read-project.ts'
import { applicationOf, followAction } from '../up/execute.ts'

/** Reads the declaration again and replaces what runs by it, and by the code that is there now. */
export async function execute(context: CommandContext): Promise<number> {
  const { io, options } = context
  const project = projectFromOptions(context)
  const stateDir = stateDirectory(io.env, project.root)
  const client = requireRunning(await connectSupervisor(stateDir), stateDir)
  const targets = options.positionals
  // An instance has no declaration of its own.
  if (targets.length > 0 && selectInstancesOnly(targets, await client.snapshot()))
    return followAction((signal) => client.action({ verb: 'reload', targets }, signal), context)
  const keeping = keepSets(context, await client.set())
  const application = await applicationOf(keeping, project, true)
  return followAction((signal) => client.apply(application, signal), context)
}

function selectInstancesOnly(targets: readonly string[], { processes }: Snapshot): boolean {
  const known = selectableProcesses(processes)
  const found = targets.map((target) => select([target], known))
  return found.every((one) => !('unknown' in one) && one.processes.length === 0)
}

/** What `up --set` gave holds until the next `up`, but for what is given anew. */
function keepSets(context: CommandContext, held: readonly string[]): CommandContext {
  const { io, options, errorPaint } = context
  const own = setsOf(context)
  const paths = new Set(own.map(pathOf))
  const kept = held.filter((text) => !paths.has(pathOf(text)))
  if (kept.length > 0 && options.values['quiet'] === undefined && options.values['json'] === undefined) {
    const line = `Kept until the next up: ${kept.map((text) => `--set ${pathOf(text)}`).join(', ')}`
    io.stderr.write(`${errorPaint('dim', line)}\n`)
  }
  return { ...context, options: { ...options, values: { ...options.values, set: [...kept, ...own] } } }
}

const pathOf = (text: string): string => splitSet(text)?.path ?? text
