import { instancesIn } from '../../../core/selectors.ts'
import type { Connection, LogQuery, OperableEngine } from '../../../deploy/engine.ts'
import type { LogLine } from '../../../logs/lines.ts'
import { connectCluster, deployedProcesses } from '../../cluster.ts'
import type { LogStream } from '../../output/log-stream.ts'
import { selectableProcesses, selectRunning } from '../../select-running.ts'
import type { LogsContext, LogsRequest } from './request.ts'

interface ClusterPrinting {
  readonly context: LogsContext
  readonly createPrinter: (names: readonly string[]) => LogStream
  /** False when the reader of the output has gone. */
  readonly flush: () => boolean
}

/** Prints what the pods of a cluster print. */
export async function printCluster(
  request: LogsRequest,
  { context, createPrinter, flush }: ClusterPrinting,
): Promise<void> {
  const cluster = connectCluster(context)
  const pods = (): Promise<readonly string[]> => selectPods(cluster, request.selectors)
  const printer = createPrinter(await pods())
  await readCluster({ engine: cluster.engine, request, pods, printer, flush })
}

async function selectPods(
  cluster: Connection<OperableEngine>,
  selectors: readonly string[],
): Promise<readonly string[]> {
  const known = selectableProcesses(await deployedProcesses(cluster))
  return instancesIn(selectRunning(selectors, known), known)
}

interface ClusterReading {
  readonly engine: OperableEngine
  readonly request: LogsRequest
  /** Names of the pods of this moment. */
  readonly pods: () => Promise<readonly string[]>
  readonly printer: LogStream
  readonly flush: () => boolean
}

/** Time between two looks for new pods. */
const LOOK_MS = 2000

/** Prints what pods printed, by time; then, with `--follow`, what they print, and new pods as well. */
async function readCluster({ engine, request, pods, printer, flush }: ClusterReading): Promise<void> {
  const names = await pods()
  const all = await Promise.all(names.map((pod) => readPod(engine, pod, queryOf(request))))
  const past = all.flat().toSorted((a, b) => a.timeMs - b.timeMs)
  for (const line of past) if (isWanted(line, request) && !printer.line(line)) return
  if (!flush() || !request.follows) return
  const controller = new AbortController()
  const { signal } = controller
  const lastOf = new Map(past.map(({ instance, timeMs }) => [instance, timeMs]))
  const print = (line: LogLine): void => {
    if (isNew(line, lastOf, request) && (!printer.line(line) || !flush())) controller.abort()
  }
  const followed = new Map<string, Promise<void>>()
  while (!signal.aborted) {
    for (const pod of await pods())
      if (!followed.has(pod))
        followed.set(
          pod,
          // A pod whose container has not started, or that went meanwhile, is tried again at the next look.
          followPod(engine, pod, { sinceMs: lastOf.get(pod), signal, print }).catch(() => void followed.delete(pod)),
        )
    await new Promise((next) => setTimeout(next, LOOK_MS))
  }
}

interface PodFollowing {
  readonly sinceMs: number | undefined
  readonly signal: AbortSignal
  readonly print: (line: LogLine) => void
}

async function followPod(engine: OperableEngine, pod: string, { sinceMs, signal, print }: PodFollowing): Promise<void> {
  for await (const text of engine.logs(pod, { follow: true, sinceMs }, signal)) print(parseLine(pod, text))
}

/** The cluster counts the time of a query in seconds, so it sends some lines again. */
function isNew(line: LogLine, lastOf: ReadonlyMap<string, number>, request: LogsRequest): boolean {
  if (line.timeMs <= (lastOf.get(line.instance) ?? 0)) return false
  return isWanted(line, { ...request, query: { ...request.query, sinceMs: undefined } })
}

const queryOf = ({ query: { last, sinceMs, run } }: LogsRequest): LogQuery => ({
  last,
  sinceMs,
  previous: run !== undefined && run < -1,
})

async function readPod(engine: OperableEngine, pod: string, query: LogQuery): Promise<LogLine[]> {
  const lines: LogLine[] = []
  try {
    for await (const text of engine.logs(pod, query)) lines.push(parseLine(pod, text))
  } catch (error) {
    // A container that has not started yet has printed nothing.
    if (!/waiting to start|ContainerCreating|not found/.test((error as Error).message)) throw error
  }
  return lines
}

/** `2026-01-31T12:30:00.123456789Z text`. */
function parseLine(pod: string, text: string): LogLine {
  const [, time, rest] = /^(\S+) ?([\s\S]*)$/.exec(text) ?? []
  const timeMs = Date.parse(time ?? '')
  const isTime = Number.isFinite(timeMs)
  return {
    timeMs: isTime ? timeMs : Date.now(),
    instance: pod,
    run: 0,
    line: Buffer.from(isTime ? (rest ?? '') : text),
    whole: true,
  }
}

function isWanted(line: LogLine, { query: { sinceMs, untilMs, matches } }: LogsRequest): boolean {
  if (sinceMs !== undefined && line.timeMs < sinceMs) return false
  if (untilMs !== undefined && line.timeMs > untilMs) return false
  return matches?.(line) ?? true
}
