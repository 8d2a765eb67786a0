import { closeSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessEvent } from '../../control/protocol.ts'

/** An event as it happens; the journal adds its number and its time. */
export type News = Pick<ProcessEvent, 'type' | 'message'> & Partial<ProcessEvent>

export interface Journal {
  readonly write: (news: News, nowMs: number) => ProcessEvent
  /** Returns what ends the subscription. */
  readonly subscribe: (listener: (event: ProcessEvent) => void) => () => void
  readonly close: () => void
}

const MAX_BYTES = 5 * 1024 ** 2
const CLOSED = -1

/** Everything that happens, kept in `events.jsonl` for those who look later, and told to those who look now. */
export function openJournal(stateDir: string, maxBytes = MAX_BYTES): Journal {
  const path = join(stateDir, 'events.jsonl')
  const rotated = join(stateDir, 'events.1.jsonl')
  const text = readText(path)
  let lastId = lastIdIn(text) || lastIdIn(readText(rotated))
  let isCutOff = text !== '' && !text.endsWith('\n')
  let fd = openSync(path, 'a', 0o600)
  let size = statSync(path).size
  const listeners = new Set<(event: ProcessEvent) => void>()

  const store = (line: string): void => {
    try {
      // What was cut off is a line of its own, and is passed over by whoever reads.
      const bytes = Buffer.from(isCutOff ? `\n${line}` : line)
      const written = writeSync(fd, bytes)
      size += written
      isCutOff = written < bytes.length
      if (size < maxBytes || isCutOff) return
      renameSync(path, rotated)
      const next = openSync(path, 'a', 0o600)
      closeSync(fd)
      fd = next
      size = 0
    } catch {
      // A full disk must not end what is supervised; whoever listens is told all the same.
    }
  }

  return {
    write: (news, nowMs) => {
      const event: ProcessEvent = {
        id: ++lastId,
        time: new Date(nowMs).toISOString(),
        process: null,
        instance: null,
        invocation: null,
        pid: null,
        ...news,
      }
      store(`${JSON.stringify(event)}\n`)
      for (const listener of listeners) listener(event)
      return event
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: () => {
      if (fd !== CLOSED) closeSync(fd)
      // Its number may be another file's from now on.
      fd = CLOSED
    },
  }
}

function readText(path: string): string {
  try {
    // A device may have no end.
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : ''
  } catch {
    return ''
  }
}

/** 0 where there is none. The last line may have been cut off when the power went. */
function lastIdIn(text: string): number {
  for (let end = text.length; end > 0; end = text.lastIndexOf('\n', end - 1)) {
    const start = text.lastIndexOf('\n', end - 1) + 1
    const id = idOf(text.slice(start, end))
    if (id > 0) return id
  }
  return 0
}

function idOf(line: string): number {
  try {
    const { id } = JSON.parse(line) as Partial<ProcessEvent>
    return typeof id === 'number' ? id : 0
  } catch {
    return 0
  }
}
