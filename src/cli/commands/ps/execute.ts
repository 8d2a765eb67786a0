import { connectSupervisor } from '../../../control/client.ts'
import type { Snapshot } from '../../../control/protocol.ts'
import { EXIT } from '../../../core/errors.ts'
import type { CommandContext } from '../index.ts'
import { isOnCluster } from '../../on-cluster.ts'
import { leftRunning, nameLives } from '../../require-supervisor.ts'
import { locateState } from '../../locate-state.ts'
import { readProject } from '../../read-project.ts'
import { collapse, isAllReady, type PsRow, psRows, renderDeclared, renderPs } from '../../output/process-table.ts'
import { selectableProcesses, selectDeclared, selectRunning } from '../../select.ts'

/** What runs, and whether it is as it should be: the exit code is 0 when all that should run are ready. */
export async function execute(context: CommandContext): Promise<number> {
  const { options, io, paint } = context
  const all = isOnCluster(context) ? await deployed(context) : await supervised(context)
  if (!all) return listDeclared(context)
  const snapshot = choose(all, options.positionals)
  const rows = psRows(snapshot)
  if (options.values['json']) io.stdout.write(rows.map(toJson).join(''))
  else {
    const shown = options.values['summary'] ? collapse(rows) : rows
    io.stdout.write(renderPs(shown, Date.now(), paint, io.stdout.columns))
  }
  return isAllReady(snapshot) ? EXIT.done : EXIT.failed
}

type Processes = Pick<Snapshot, 'processes'>

/** Undefined where nothing runs. */
const supervised = async (context: CommandContext): Promise<Processes | undefined> =>
  (await connectSupervisor(locateState(context)))?.snapshot({ usage: true })

async function deployed(context: CommandContext): Promise<Processes> {
  const { connectCluster, deployedProcesses } = await import('../../cluster.ts')
  return { processes: await deployedProcesses(await connectCluster(context), true) }
}

function choose(snapshot: Processes, selectors: readonly string[]): Processes {
  const selection = selectRunning(selectors, selectableProcesses(snapshot.processes))
  const [whole, single] = [new Set(selection.processes), new Set(selection.instances)]
  const processes = snapshot.processes
    .map((owner) =>
      whole.has(owner.process)
        ? owner
        : { ...owner, instances: owner.instances.filter(({ instance }) => single.has(instance)) },
    )
    .filter(({ process, instances }) => whole.has(process) || instances.length > 0)
  return { ...snapshot, processes }
}

/** An instance, with what `list` says of its process. */
function toJson({ owner: { kind, title, wanted, run, listen, schedule }, status }: PsRow): string {
  return `${JSON.stringify({ ...status, kind, title, wanted, runs: run, listen, schedule })}\n`
}

async function listDeclared(context: CommandContext): Promise<number> {
  const { options, io, paint } = context
  const { answer } = await readProject(context)
  const names = selectDeclared(options.positionals, { answer, commandNames: context.commandNames }) ?? answer.order
  if (options.values['json'])
    for (const process of names) io.stdout.write(`${JSON.stringify({ process, instance: null, state: null })}\n`)
  else io.stdout.write(renderDeclared(names, paint))
  const left = leftRunning(locateState(context))
  io.stderr.write(
    left.length === 0
      ? 'Nothing is running. Start with: prodserver up -d\n'
      : `The supervisor is gone, and what it started goes on without it: ${nameLives(left)}.\nGo on with it: prodserver up -d. Stop it: prodserver down\n`,
  )
  return EXIT.notRunning
}
