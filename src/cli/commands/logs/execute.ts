import { connectSupervisor } from '../../../control/client.ts'
import type { ProcessEvent } from '../../../control/protocol.ts'
import { EXIT, ProdserverError } from '../../../core/errors.ts'
import { createEventReader, eventsSince, followEvents } from '../../../logs/event-log.ts'
import { followLogs } from '../../../logs/follow.ts'
import { linesIn, type LogChunk, type LogLine } from '../../../logs/lines.ts'
import { listInstances, processOf } from '../../../logs/log-files.ts'
import { openLogSet } from '../../../logs/log-set.ts'
import { readSet } from '../../../logs/read-log.ts'
import { createSink, type Sink } from '../../../logs/sink.ts'
import type { CommandContext } from '../index.ts'
import { locateState } from '../../locate-state.ts'
import { isOnCluster } from '../../on-cluster.ts'
import { type LogsRequest, parseLogs } from './request.ts'
import { isInLogs } from '../../output/render-event.ts'
import { nameWidthOf } from '../../output/render-log.ts'
import { createLogStream, type LogStream } from '../../output/log-stream.ts'
import { type Candidate, createFilter, instancesIn, type Selectable } from '../../../core/selectors.ts'
import { selectableProcesses, selectRunning } from '../../select.ts'

/** What the processes printed, and with `--follow` what they print. Read from the files: no supervisor need run. */
export async function execute(context: CommandContext): Promise<number> {
  const request = parseLogs(context.options, Date.now())
  if (isOnCluster(context)) return showDeployed(request, context)
  const stateDir = locateState(context)
  const kinds = await readKinds(request.selectors, stateDir)
  const stored = listInstances(stateDir)
  const chosen = selectRunning(request.selectors, withProcesses(stored, kinds))
  const isSelected = createFilter(request.selectors)
  const wants = (instance: string): boolean => isSelected(candidateOf(instance, kinds))
  const names = stored.filter(wants)
  const hasChosen = chosen.processes.length > 0 || chosen.instances.length > 0
  if (names.length === 0 && !(request.follows && hasChosen)) throw noLogs(stateDir)
  const sink = createSink(1)
  const printer = createPrinter(request, sink, names, context)
  const run = request.follows ? follow : read
  await run({ stateDir, request, wants, printer, flush: sink.flush })
  return EXIT.done
}

function createPrinter(
  request: LogsRequest,
  { write }: Sink,
  names: readonly string[],
  { io, options, paint }: CommandContext,
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
      isColoured: paint('bold', '') !== '' && options.values['no-color'] === undefined,
    },
    nowMs: Date.now(),
  })
}

/** What the pods of a cluster print. */
async function showDeployed(request: LogsRequest, context: CommandContext): Promise<number> {
  const [{ connectCluster, deployedProcesses }, { readCluster }] = await Promise.all([
    import('../../cluster.ts'),
    import('./cluster.ts'),
  ])
  const cluster = await connectCluster(context)
  const pods = async (): Promise<readonly string[]> => {
    const known = selectableProcesses(await deployedProcesses(cluster))
    return instancesIn(selectRunning(request.selectors, known), known)
  }
  const sink = createSink(1)
  const printer = createPrinter(request, sink, await pods(), context)
  await readCluster({ engine: cluster.engine, request, pods, printer, flush: sink.flush })
  return EXIT.done
}

interface Reading {
  readonly stateDir: string
  readonly request: LogsRequest
  readonly wants: (instance: string) => boolean
  readonly printer: LogStream
  readonly flush: () => boolean
}

async function read({ stateDir, request, wants, printer, flush }: Reading): Promise<void> {
  const set = openLogSet(stateDir, wants)
  try {
    const lines = readSet(stateDir, set, request.query)
    printPast(lines, request, printer, (fromMs) =>
      eventsSince(stateDir, fromMs).filter(createEventFilter(request, wants)),
    )
    flush()
  } finally {
    set.close()
  }
}

async function follow({ stateDir, request, wants, printer, flush }: Reading): Promise<void> {
  const controller = new AbortController()
  const { signal } = controller
  const follower = followLogs({ stateDir, wants, signal, isPassedOn: true })
  const reader = createEventReader(stateDir)
  // What happened before now is for the past; this only takes note of it.
  const past = reader.read()
  const wantsEvent = createEventFilter(request, wants)
  const wantsLine = createLineFilter(request)
  const print = (chunks: readonly LogChunk[]): void => {
    for (const chunk of chunks)
      if (!wantsLine) printer.chunk(chunk)
      else for (const line of linesIn(chunk)) if (wantsLine(line)) printer.line(line)
  }
  const end = (): void => {
    if (!flush()) controller.abort()
  }
  try {
    const lines = readSet(stateDir, follower.set, request.query, follower.ends)
    printPast(lines, request, printer, (fromMs) =>
      past.filter((event) => Date.parse(event.time) >= fromMs && wantsEvent(event)),
    )
    for (const event of past) if (event.type === 'exited') endRun(event)
    end()
    await Promise.all([followLines(), followEnds()])
  } finally {
    follower.close()
    reader.close()
  }

  async function followLines(): Promise<void> {
    for await (const chunks of follower) {
      print(chunks)
      end()
    }
  }

  async function followEnds(): Promise<void> {
    for await (const events of followEvents(stateDir, reader, signal)) {
      for (const event of events) {
        if (event.type === 'exited') endRun(event)
        // Its last words were written before its end was.
        if (event.instance !== null) for (const chunks of follower.drain(event.instance)) print(chunks)
        if (wantsEvent(event)) printer.event(event)
      }
      end()
    }
  }

  function endRun({ instance, run }: ProcessEvent): void {
    if (instance !== null && run !== null && wants(instance)) follower.endRun(instance, run)
  }
}

/** Lines and events by their time; events from the first line on, and only between lines that people read. */
function printPast(
  lines: Iterable<LogLine>,
  { query }: LogsRequest,
  printer: LogStream,
  eventsFrom: (fromMs: number) => readonly ProcessEvent[],
): void {
  let events: readonly ProcessEvent[] | undefined
  let next = 0
  const until = (timeMs: number): void => {
    for (const event of events?.slice(next) ?? []) {
      if (Date.parse(event.time) > timeMs) return
      printer.event(event)
      next++
    }
  }
  for (const line of lines) {
    events ??= eventsFrom(query.sinceMs ?? line.timeMs)
    until(line.timeMs)
    if (!printer.line(line)) return
  }
  until(query.untilMs ?? Number.POSITIVE_INFINITY)
}

function createEventFilter(
  { query: { run } }: LogsRequest,
  wants: (instance: string) => boolean,
): (event: ProcessEvent) => boolean {
  return (event) =>
    isInLogs(event) &&
    event.instance !== null &&
    wants(event.instance) &&
    (run === undefined || run < 0 || event.run === run)
}

/** For lines to come, which belong to the newest life: one that is counted from the end is that. Undefined for all. */
function createLineFilter({ query: { run, matches } }: LogsRequest): ((line: LogLine) => boolean) | undefined {
  if ((run === undefined || run < 0) && !matches) return undefined
  return (line) => (run === undefined || run < 0 || line.run === run) && (matches?.(line) ?? true)
}

type Kinds = ReadonlyMap<string, Candidate['kind']>

/** Files do not tell what a process is for; whoever asks for `@worker` needs a supervisor. */
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
  const hint = 'Start with: prodserver up -d'
  return new ProdserverError(
    [{ id: 'E601', place: stateDir, message: 'There are no logs: nothing has been started here.', hint }],
    EXIT.notRunning,
  )
}
