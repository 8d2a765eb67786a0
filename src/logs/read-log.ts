import { type LogFile, type LogRange, openLog, type OpenLog, rangeOf } from './log-files.ts'
import { type LogSet, openLogSet } from './log-set.ts'
import { type LogLine, lineEndAfter, lineStartBefore, linesBackward, linesForward } from './lines.ts'
import { mergeSources, type Source } from './merge.ts'

/** Which lines. */
export interface LogQuery {
  /** Lines whose first byte arrived at this time or later, in milliseconds since the epoch. */
  readonly sinceMs?: number | undefined
  /** And not later than this. */
  readonly untilMs?: number | undefined
  /** Of one life only; -1 is the last one, -2 the one before it. */
  readonly run?: number | undefined
  /** The last so many of each instance. */
  readonly last?: number | undefined
  readonly matches?: ((line: LogLine) => boolean) | undefined
}

interface ReadRequest extends LogQuery {
  readonly stateDir: string
  /** Undefined for all. */
  readonly instances?: readonly string[] | undefined
}

/** Lines that were printed, of all wanted instances in the order of their arrival. */
export function* readLines(request: ReadRequest): Generator<LogLine, void, void> {
  const { instances } = request
  const set = openLogSet(request.stateDir, (instance) => instances?.includes(instance) ?? true)
  try {
    yield* readSet(request.stateDir, set, request)
  } finally {
    set.close()
  }
}

/**
 * Lines of files that are open already.
 *
 * @param ends where to stop in a file that is read on later; what follows the last newline before is left out.
 */
export function* readSet(
  stateDir: string,
  set: LogSet,
  query: LogQuery,
  ends?: ReadonlyMap<string, number>,
): Generator<LogLine, void, void> {
  const reader: Reader = {
    query,
    ends,
    open: (file) => set.current.get(file) ?? openLog(stateDir, file),
    close: (file, log) => {
      if (!set.current.has(file)) log.close()
    },
  }
  const chosen = filesByInstance(stateDir, set, query)
  if (query.last === undefined) {
    const sources = chosen.flatMap(({ files, run }) =>
      files.map(({ file, range }): Source<LogLine> => ({
        bound: range?.first.timeMs ?? Number.NEGATIVE_INFINITY,
        open: () => forward(reader, file, run),
      })),
    )
    return yield* mergeSources(sources, timeOf)
  }
  const tails = chosen.map(({ files, run }) => lastLines(reader, files, run, query.last as number))
  yield* mergeSources(
    tails.map((lines) => ({ bound: lines[0]?.timeMs ?? 0, open: () => lines.values() })),
    timeOf,
  )
}

const timeOf = ({ timeMs }: LogLine): number => timeMs

interface Reader {
  readonly query: LogQuery
  readonly ends: ReadonlyMap<string, number> | undefined
  readonly open: (file: LogFile) => OpenLog | undefined
  readonly close: (file: LogFile, log: OpenLog) => void
}

interface Ranged {
  readonly file: LogFile
  readonly range: LogRange | undefined
}

/** The files of each instance that may have lines that are asked for, and the number of the run that is. */
function filesByInstance(
  stateDir: string,
  set: LogSet,
  { sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY, run }: LogQuery,
): readonly { readonly files: readonly Ranged[]; readonly run: number | undefined }[] {
  const byInstance = [...Map.groupBy(set.files, ({ instance }) => instance).values()]
  return byInstance.map((files) => {
    const ranged = files.map((file) => ({ file, range: rangeInSet(stateDir, set, file) }))
    const last = Math.max(0, ...ranged.map(({ range }) => range?.last.run ?? 0))
    const number = run !== undefined && run < 0 ? last + 1 + run : run
    const isWanted = ({ range }: Ranged): boolean =>
      !range ||
      (range.last.timeMs >= sinceMs &&
        range.first.timeMs <= untilMs &&
        (number === undefined || (range.first.run <= number && range.last.run >= number)))
    return { files: ranged.filter(isWanted), run: number }
  })
}

function rangeInSet(stateDir: string, set: LogSet, file: LogFile): LogRange | undefined {
  const index = set.current.get(file)?.index
  if (!index) return rangeOf(stateDir, file)
  return index.count === 0 ? undefined : { first: index.at(0), last: index.at(index.count - 1) }
}

function* forward(reader: Reader, file: LogFile, run: number | undefined): Generator<LogLine, void, void> {
  const log = reader.open(file)
  if (!log) return
  try {
    const { untilMs = Number.POSITIVE_INFINITY } = reader.query
    const wants = createFilter(reader.query, run)
    const { from, to } = span(reader, log, run)
    for (const line of linesForward(log, { lineStart: from, scanned: from }, { to, rest: true })) {
      if (line.timeMs > untilMs) return
      if (wants(line)) yield line
    }
  } finally {
    reader.close(file, log)
  }
}

function lastLines(
  reader: Reader,
  files: readonly Ranged[],
  run: number | undefined,
  count: number,
): readonly LogLine[] {
  const sources = files.toReversed().map(({ file, range }): Source<LogLine> => ({
    bound: range ? -range.last.timeMs : Number.NEGATIVE_INFINITY,
    open: () => backward(reader, file, run),
  }))
  const lines: LogLine[] = []
  if (count <= 0) return lines
  for (const line of mergeSources(sources, ({ timeMs }) => -timeMs)) {
    lines.push(line)
    if (lines.length === count) break
  }
  return lines.toReversed()
}

function* backward(reader: Reader, file: LogFile, run: number | undefined): Generator<LogLine, void, void> {
  const log = reader.open(file)
  if (!log) return
  try {
    const { sinceMs = Number.NEGATIVE_INFINITY } = reader.query
    const wants = createFilter(reader.query, run)
    const { from, to } = span(reader, log, run)
    let left = to - from
    for (const line of linesBackward(log, to)) {
      if (line.timeMs < sinceMs || left <= 0) return
      left -= line.line.length + (line.whole ? 1 : 0)
      if (wants(line)) yield line
    }
  } finally {
    reader.close(file, log)
  }
}

/** Where in a file the lines are that are asked for: whole lines, at its edges a few more. */
function span(
  { query, ends }: Reader,
  log: OpenLog,
  run: number | undefined,
): { readonly from: number; readonly to: number } {
  const { file, bytes } = log
  const size = ends?.get(file.base) ?? bytes.size()
  // Marks come before what they speak of: those that are there by now speak of all of it.
  log.refresh()
  const { index } = log
  if (index.count === 0) return { from: 0, to: size }
  const { sinceMs, untilMs } = query
  const at = (mark: number): number => (mark < index.count ? Math.min(size, index.offset(mark)) : size)
  // Before the first mark, times and runs are as after it.
  const begin = (mark: number): number => (mark === 0 ? 0 : at(mark))
  const from = Math.max(
    sinceMs === undefined ? 0 : lineStartBefore(bytes, begin(index.findTime(sinceMs))),
    run === undefined ? 0 : begin(index.findRun(run)),
  )
  const to = Math.min(
    untilMs === undefined ? size : lineEndAfter(bytes, at(index.findTime(untilMs + 0.001)), size),
    run === undefined ? size : at(index.findRun(run + 1)),
  )
  return { from, to }
}

function createFilter(query: LogQuery, run: number | undefined): (line: LogLine) => boolean {
  const { sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY, matches } = query
  return (line) =>
    line.timeMs >= sinceMs &&
    line.timeMs <= untilMs &&
    (run === undefined || line.run === run) &&
    (matches?.(line) ?? true)
}
