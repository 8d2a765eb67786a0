import type { ProcessEvent } from '../control/protocol.ts'
import type { LogLine } from '../logs/lines.ts'
import { displayWidth } from './print.ts'
import { renderEventInLog } from './render-event.ts'
import { type LogLook, logLineJson, renderLogLine } from './render-log.ts'
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
  const hasClock = look.prefix === 'short' && !json
  /** A clock says nothing of the day. */
  const turnPage = (timeMs: number): void => {
    const day = renderDate(timeMs, look.utc)
    if (hasClock && day !== date) write(`${look.paint('dim', `-- ${day} --`)}\n`)
    date = day
  }
  return {
    line: (line) => {
      if (json) return write(logLineJson(line))
      if (raw && look.prefix === 'none') {
        write(line.line)
        // A line that nobody finished is no reason to run two together.
        return write(line.whole || !isAlone ? '\n' : '')
      }
      nameWidth = Math.max(nameWidth, displayWidth(line.instance))
      turnPage(line.timeMs)
      return write(renderLogLine(line, { ...look, nameWidth }))
    },
    event: (event) => {
      if (json || raw || look.prefix === 'none') return true
      turnPage(Date.parse(event.time))
      return write(renderEventInLog(event, look.paint))
    },
  }
}
