import { splitSet } from '../../../config/set-text.ts'
import { connectSupervisor } from '../../../control/client.ts'
import type { Snapshot } from '../../../control/protocol.ts'
import { stateDirectory } from '../../../control/state-dir.ts'
import { select } from '../../../core/selectors.ts'
import type { ContextOf } from '../../command.ts'
import { runAction } from '../../follow-action.ts'
import { printWarnings } from '../../output/print.ts'
import { planApplication } from '../../plan-application.ts'
import { projectFromOptions } from '../../locate-project.ts'
import { requireRunning } from '../../require-supervisor.ts'
import { selectableProcesses } from '../../select-running.ts'
import type { FLAGS } from './flags.ts'

type Context = ContextOf<typeof FLAGS>

/** Reads the declaration again and replaces what runs by it, and by the code that is there now. */
export async function execute(context: Context): Promise<number> {
  const { io, options, operands, errorPaint } = context
  const project = projectFromOptions(context)
  const stateDir = stateDirectory(io.env, project.root)
  const client = requireRunning(await connectSupervisor(stateDir), stateDir)
  // Only a process has a declaration, so single instances reload with the one that runs.
  if (operands.length > 0 && selectInstancesOnly(operands, await client.snapshot()))
    return runAction((signal) => client.action({ verb: 'reload', targets: operands }, signal), context)
  const kept = keptSets(await client.set(), options.set)
  if (kept.length > 0 && !options.quiet && !options.json) {
    const line = `Kept until the next up: ${kept.map((text) => `--set ${pathOf(text)}`).join(', ')}`
    io.stderr.write(`${errorPaint('dim', line)}\n`)
  }
  const keeping = { ...context, options: { ...options, set: [...kept, ...options.set] } }
  const { application, warnings } = await planApplication(keeping, project, true)
  printWarnings(warnings, context)
  return runAction((signal) => client.apply(application, signal), context)
}

function selectInstancesOnly(targets: readonly string[], { processes }: Snapshot): boolean {
  const known = selectableProcesses(processes)
  const found = targets.map((target) => select([target], known))
  return found.every((one) => !('unknown' in one) && one.processes.length === 0)
}

/** Selects the values of an earlier `up --set` that no new value replaces. They hold until the next `up`. */
function keptSets(held: readonly string[], given: readonly string[]): readonly string[] {
  const paths = new Set(given.map(pathOf))
  return held.filter((text) => !paths.has(pathOf(text)))
}

const pathOf = (text: string): string => splitSet(text)?.path ?? text
