import type { ProcessEvent } from '../../control/protocol.ts'
import { linesIn, type LogChunk, type LogLine } from '../../logs/lines.ts'
import type { BufferedWriter } from '../../logs/buffered-writer.ts'
import { displayWidth } from './print.ts'
import { renderEventInLog } from './render-event.ts'
import { type LogLook, logLineJson, renderPrefix, renderText } from './render-log.ts'
import { renderDate } from './render-time.ts'

/** Writes lines as they were asked for. What it returns is what `write` does: false when nobody reads any more. */
export interface LogStream {
  readonly line: (line: LogLine) => boolean
  readonly chunk: (chunk: LogChunk) => boolean
  readonly event: (event: ProcessEvent) => boolean
}

interface LogStreamOptions {
  readonly write: BufferedWriter['write']
  readonly json: boolean
  /** Exactly the bytes that were printed. */
  readonly raw: boolean
  /** Only one instance is shown: what it printed can be given back as one piece. */
  readonly isAlone: boolean
  readonly look: LogLook
  readonly nowMs: number
}

type LogMoment = Pick<LogLine, 'timeMs' | 'instance' | 'run'>

const NOTHING = Buffer.alloc(0)
const NEWLINE = 10

export function createLogStream({ write, json, raw, isAlone, look, nowMs }: LogStreamOptions): LogStream {
  let { nameWidth } = look
  let date = renderDate(nowMs, look.utc)
  /** What the line before was, and what stood before it: many lines come in the same moment. */
  let last: LogMoment | undefined
  let prefix = NOTHING
  /** A clock says nothing of the day. */
  const turnPage = (timeMs: number): void => {
    const day = renderDate(timeMs, look.utc)
    if (look.prefix === 'short' && day !== date) write(`${look.paint('dim', `-- ${day} --`)}\n`)
    date = day
  }
  const prefixOf = ({ timeMs, instance, run }: LogMoment): Buffer => {
    if (timeMs === last?.timeMs && instance === last.instance && run === last.run) return prefix
    last = { timeMs, instance, run }
    nameWidth = Math.max(nameWidth, displayWidth(instance))
    turnPage(timeMs)
    return (prefix = Buffer.from(renderPrefix(last, { ...look, nameWidth })))
  }
  const writeLine = (line: LogLine): boolean => {
    if (json) return write(logLineJson(line))
    write(prefixOf(line))
    write(renderText(line, look))
    // A line that nobody finished is no reason to run two together.
    return write(raw && isAlone && !line.whole && look.prefix === 'none' ? '' : '\n')
  }
  /** Bytes are passed on as they are: with a hundred thousand lines a second, none of them is worth an object. */
  const writeWhole = (chunk: LogChunk): boolean => {
    const { bytes } = chunk
    const before = prefixOf(chunk)
    if (before.length === 0) return write(bytes)
    let isRead = true
    for (let start = 0; start < bytes.length && isRead;) {
      const end = bytes.indexOf(NEWLINE, start) + 1
      write(before)
      isRead = write(bytes, start, end)
      start = end
    }
    return isRead
  }
  return {
    line: writeLine,
    chunk: (chunk) => {
      if (!json && !look.isTerminal && chunk.whole) return writeWhole(chunk)
      let isRead = true
      for (const line of linesIn(chunk)) isRead = writeLine(line)
      return isRead
    },
    event: (event) => {
      if (json || raw || look.prefix === 'none') return true
      turnPage(Date.parse(event.time))
      return write(renderEventInLog(event, look.paint))
    },
  }
}
