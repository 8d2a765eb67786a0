import { connectSupervisor } from '../../../control/client.ts'
import { EXIT, ProdserverError } from '../../../core/errors.ts'
import { type Candidate, createFilter, type Selectable } from '../../../core/selectors.ts'
import { listInstances, processOf } from '../../../logs/log-files.ts'
import { createBufferedWriter, type BufferedWriter } from '../../../logs/buffered-writer.ts'
import { locateState } from '../../locate-state.ts'
import { isOnCluster } from '../../on-cluster.ts'
import { createLogStream, type LogStream } from '../../output/log-stream.ts'
import { nameWidthOf } from '../../output/render-log.ts'
import { selectRunning } from '../../select-running.ts'
import { followFiles, readFiles } from './files.ts'
import { createRequest, type LogsContext, type LogsRequest } from './request.ts'

/** Prints the output of processes. It reads the log files, so no supervisor need run. */
export async function execute(context: LogsContext): Promise<number> {
  const { options, operands } = context
  const request = createRequest(options, operands)
  const writer = createBufferedWriter(1)
  const createPrinter = (names: readonly string[]): LogStream => printerFor(names, request, writer, context)
  if (isOnCluster(options)) {
    const { printCluster } = await import('./cluster.ts')
    await printCluster(request, { context, createPrinter, flush: writer.flush })
    return EXIT.done
  }
  const stateDir = locateState(context)
  const { names, wants } = await selectLogs(request, stateDir)
  const read = request.follows ? followFiles : readFiles
  await read({ stateDir, request, wants, printer: createPrinter(names), flush: writer.flush })
  return EXIT.done
}

function printerFor(
  names: readonly string[],
  request: LogsRequest,
  { write }: BufferedWriter,
  { io, options, paint }: LogsContext,
): LogStream {
  return createLogStream({
    write,
    json: request.json,
    raw: request.raw,
    isAlone: names.length === 1,
    look: {
      prefix: request.prefix,
      paint,
      utc: request.utc,
      nameWidth: nameWidthOf(names),
      isTerminal: io.stdout.isTerminal && !request.raw,
      isColoured: paint('bold', '') !== '' && !options['no-color'],
    },
    nowMs: Date.now(),
  })
}

interface SelectedLogs {
  /** Instances with a log. */
  readonly names: readonly string[]
  /** Selects instances that may still appear. */
  readonly wants: (instance: string) => boolean
}

/** @throws {ProdserverError} `E601` when there are no logs. */
async function selectLogs({ selectors, follows }: LogsRequest, stateDir: string): Promise<SelectedLogs> {
  const kinds = await readKinds(selectors, stateDir)
  const stored = listInstances(stateDir)
  const chosen = selectRunning(selectors, withProcesses(stored, kinds))
  const isSelected = createFilter(selectors)
  const wants = (instance: string): boolean => isSelected(candidateOf(instance, kinds))
  const names = stored.filter(wants)
  const hasChosen = chosen.processes.length > 0 || chosen.instances.length > 0
  if (names.length === 0 && !(follows && hasChosen)) throw noLogs(stateDir)
  return { names, wants }
}

type Kinds = ReadonlyMap<string, Candidate['kind']>

/** Reads the kinds of processes from the supervisor, for selectors like `@worker`: log files do not have them. */
async function readKinds(selectors: readonly string[], stateDir: string): Promise<Kinds> {
  if (!selectors.some((selector) => selector.startsWith('@'))) return new Map()
  const client = await connectSupervisor(stateDir)
  const snapshot = await client?.snapshot()
  return new Map(snapshot?.processes.map(({ process, kind }) => [process, kind]))
}

function candidateOf(instance: string, kinds: Kinds): Candidate {
  const process = processOf(instance)
  return { process, instance, kind: kinds.get(process) }
}

/** Processes with a log, and processes that run and have not printed anything yet. */
function withProcesses(stored: readonly string[], kinds: Kinds): readonly Selectable[] {
  const groups = Map.groupBy(stored, processOf)
  const processes = new Set([...groups.keys(), ...kinds.keys()])
  return [...processes].map((process) => ({
    process,
    kind: kinds.get(process),
    instances: groups.get(process) ?? [],
  }))
}

function noLogs(stateDir: string): ProdserverError {
  const message = 'There are no logs: nothing has been started here.'
  const hint = 'Start with: prodserver up -d'
  return new ProdserverError([{ id: 'E601', place: stateDir, message, hint }], EXIT.notRunning)
}
