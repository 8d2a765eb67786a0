import type { ProcessEvent } from '../control/protocol.ts'
import type { LogLine } from '../logs/lines.ts'
import { displayWidth } from './print.ts'
import { renderEventInLog } from './render-event.ts'
import { type LogLook, logLineJson, renderPrefix, renderText } from './render-log.ts'
import { renderDate } from './render-time.ts'

/** Writes lines as they were asked for. What it returns is what `write` does: false when nobody reads any more. */
export interface LogStream {
  readonly line: (line: LogLine) => boolean
  readonly event: (event: ProcessEvent) => boolean
}

export interface LogStreamOptions {
  readonly write: (bytes: Uint8Array | string) => boolean
  readonly json: boolean
  /** Exactly the bytes that were printed. */
  readonly raw: boolean
  /** Only one instance is shown: what it printed can be given back as one piece. */
  readonly isAlone: boolean
  readonly look: LogLook
  readonly nowMs: number
}

export function createLogStream({ write, json, raw, isAlone, look, nowMs }: LogStreamOptions): LogStream {
  let { nameWidth } = look
  let date = renderDate(nowMs, look.utc)
  /** What the line before was, and what stood before it: many lines come in the same moment. */
  let last: LogLine | undefined
  let prefix = ''
  /** A clock says nothing of the day. */
  const turnPage = (timeMs: number): void => {
    const day = renderDate(timeMs, look.utc)
    if (look.prefix === 'short' && day !== date) write(`${look.paint('dim', `-- ${day} --`)}\n`)
    date = day
  }
  const prefixOf = (line: LogLine): string => {
    if (line.timeMs === last?.timeMs && line.instance === last.instance && line.run === last.run) return prefix
    last = line
    nameWidth = Math.max(nameWidth, displayWidth(line.instance))
    turnPage(line.timeMs)
    return (prefix = renderPrefix(line, { ...look, nameWidth }))
  }
  return {
    line: (line) => {
      if (json) return write(logLineJson(line))
      write(prefixOf(line))
      write(renderText(line, look))
      // A line that nobody finished is no reason to run two together.
      return write(raw && isAlone && !line.whole && look.prefix === 'none' ? '' : '\n')
    },
    event: (event) => {
      if (json || raw || look.prefix === 'none') return true
      turnPage(Date.parse(event.time))
      return write(renderEventInLog(event, look.paint))
    },
  }
}
