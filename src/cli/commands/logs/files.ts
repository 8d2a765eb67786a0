import type { ProcessEvent } from '../../../control/protocol.ts'
import { createEventReader, eventsSince, followEvents } from '../../../logs/event-log.ts'
import { followLogs } from '../../../logs/follow.ts'
import { linesIn, type LogChunk, type LogLine } from '../../../logs/lines.ts'
import { openLogSet } from '../../../logs/log-set.ts'
import { readSet } from '../../../logs/read-log.ts'
import type { LogStream } from '../../output/log-stream.ts'
import { isInLogs } from '../../output/render-event.ts'
import type { LogsRequest } from './request.ts'

interface FileReading {
  readonly stateDir: string
  readonly request: LogsRequest
  readonly wants: (instance: string) => boolean
  readonly printer: LogStream
  /** False when the reader of the output has gone. */
  readonly flush: () => boolean
}

/** Prints what is in the log files. */
export async function readFiles({ stateDir, request, wants, printer, flush }: FileReading): Promise<void> {
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

/** Prints what is in the log files, then what is added to them. */
export async function followFiles({ stateDir, request, wants, printer, flush }: FileReading): Promise<void> {
  const controller = new AbortController()
  const { signal } = controller
  const follower = followLogs({ stateDir, wants, signal, isPassedOn: true })
  const reader = createEventReader(stateDir)
  const past = reader.read()
  const wantsEvent = createEventFilter(request, wants)
  const print = createChunkPrinter(request, printer)
  const endWithReader = (): void => {
    if (!flush()) controller.abort()
  }
  const endRun = ({ type, instance, invocation }: ProcessEvent): void => {
    if (type === 'exited' && instance !== null && invocation !== null && wants(instance))
      follower.endRun(instance, invocation)
  }
  const followLines = async (): Promise<void> => {
    for await (const chunks of follower) {
      print(chunks)
      endWithReader()
    }
  }
  const followEnds = async (): Promise<void> => {
    for await (const events of followEvents(stateDir, reader, signal)) {
      for (const event of events) {
        endRun(event)
        // Print the last lines of an instance before its end.
        if (event.instance !== null) for (const chunks of follower.drain(event.instance)) print(chunks)
        if (wantsEvent(event)) printer.event(event)
      }
      endWithReader()
    }
  }
  try {
    const lines = readSet(stateDir, follower.set, request.query, follower.ends)
    printPast(lines, request, printer, (fromMs) =>
      past.filter((event) => Date.parse(event.time) >= fromMs && wantsEvent(event)),
    )
    past.forEach(endRun)
    endWithReader()
    await Promise.all([followLines(), followEnds()])
  } finally {
    follower.close()
    reader.close()
  }
}

function createChunkPrinter(request: LogsRequest, printer: LogStream): (chunks: readonly LogChunk[]) => void {
  const wantsLine = createLineFilter(request)
  return (chunks) => {
    for (const chunk of chunks)
      if (!wantsLine) printer.chunk(chunk)
      else for (const line of linesIn(chunk)) if (wantsLine(line)) printer.line(line)
  }
}

/** Prints lines and events by their time: events from the first line on, and only between lines that people read. */
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
    (run === undefined || run < 0 || event.invocation === run)
}

/** Makes a filter for new lines; undefined for all. A negative number means the newest invocation, to which they belong. */
function createLineFilter({ query: { run, matches } }: LogsRequest): ((line: LogLine) => boolean) | undefined {
  if ((run === undefined || run < 0) && !matches) return undefined
  return (line) => (run === undefined || run < 0 || line.run === run) && (matches?.(line) ?? true)
}
