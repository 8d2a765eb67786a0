import type { LogQuery, OperableEngine } from '../../../deploy/engine.ts'
import type { LogLine } from '../../../logs/lines.ts'
import type { LogsRequest } from './request.ts'
import type { LogStream } from '../../output/log-stream.ts'

export interface ClusterReading {
  readonly engine: OperableEngine
  readonly request: LogsRequest
  /** Pods by name, those of now. */
  readonly pods: () => Promise<readonly string[]>
  readonly printer: LogStream
  /** False when nobody reads any more. */
  readonly flush: () => boolean
}

/** How often it is asked whether there are new pods. */
const LOOK_MS = 2000

/** What pods printed, in the order of its time; with `--follow`, what they print, and those that come. */
export async function readCluster({ engine, request, pods, printer, flush }: ClusterReading): Promise<void> {
  const { query } = request
  const names = await pods()
  const all = await Promise.all(names.map((pod) => readPod(engine, pod, queryOf(request))))
  const past = all.flat().toSorted((a, b) => a.timeMs - b.timeMs)
  for (const line of past) if (isWanted(line, request) && !printer.line(line)) return
  if (!flush() || !request.follows) return
  const controller = new AbortController()
  const followed = new Map<string, Promise<void>>()
  const lastOf = new Map(past.map(({ instance, timeMs }) => [instance, timeMs]))
  const follow = async (pod: string): Promise<void> => {
    const since = lastOf.get(pod)
    for await (const text of engine.logs(pod, { follow: true, sinceMs: since }, controller.signal)) {
      const line = parseLine(pod, text)
      // The cluster counts in seconds where it is asked for what came since.
      if (line.timeMs <= (since ?? 0) || !isWanted(line, { ...request, query: { ...query, sinceMs: undefined } }))
        continue
      if (!printer.line(line) || !flush()) controller.abort()
    }
  }
  while (!controller.signal.aborted) {
    for (const pod of await pods())
      if (!followed.has(pod))
        followed.set(
          pod,
          // One whose container has not started, or that went meanwhile, is tried again at the next look.
          follow(pod).catch(() => void followed.delete(pod)),
        )
    await new Promise((next) => setTimeout(next, LOOK_MS))
  }
}

function queryOf({ query: { last, sinceMs, run } }: LogsRequest): LogQuery {
  return { last, sinceMs, previous: run !== undefined && run < -1 }
}

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
