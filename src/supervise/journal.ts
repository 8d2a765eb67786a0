import { closeSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessEvent } from '../control/protocol.ts'

/** An event as it happens; the journal adds its number and its time. */
export type News = Pick<ProcessEvent, 'type' | 'message'> & Partial<ProcessEvent>

export interface Journal {
  readonly write: (news: News, nowMs: number) => ProcessEvent
  /** Returns what ends the subscription. */
  readonly subscribe: (listener: (event: ProcessEvent) => void) => () => void
  readonly close: () => void
}

const MAX_BYTES = 5 * 1024 ** 2

/** Everything that happens, kept in `events.jsonl` for those who look later, and told to those who look now. */
export function openJournal(stateDir: string): Journal {
  const path = join(stateDir, 'events.jsonl')
  let lastId = readLastId(path)
  let fd = openSync(path, 'a', 0o600)
  let size = statSync(path).size
  const listeners = new Set<(event: ProcessEvent) => void>()

  const store = (line: string): void => {
    try {
      size += writeSync(fd, line)
      if (size < MAX_BYTES) return
      renameSync(path, join(stateDir, 'events.1.jsonl'))
      closeSync(fd)
      fd = openSync(path, 'a', 0o600)
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
        run: null,
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
    close: () => closeSync(fd),
  }
}

function readLastId(path: string): number {
  try {
    const last = readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? ''
    return (JSON.parse(last) as ProcessEvent).id
  } catch {
    // There is none, or its last line was cut off when the power went.
    return 0
  }
}
