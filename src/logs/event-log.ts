import { join } from 'node:path'
import type { ProcessEvent } from '../control/protocol.ts'
import { upgradeEvent } from '../control/compatibility.ts'
import { type OpenFile, openIfThere } from './bytes.ts'
import { linesBackward, linesForward, type Position } from './lines.ts'
import { TimeIndex } from './time-index.ts'
import { watchFolder } from './watch-folder.ts'

const NAME = 'events.jsonl'

/** What happened, of all that is kept, in its order. What is no event is passed over. */
export function readEvents(stateDir: string): readonly ProcessEvent[] {
  const reader = createEventReader(stateDir)
  try {
    return reader.read()
  } finally {
    reader.close()
  }
}

/** What happened at a time or later. Reads the file from its end: it may be long. */
export function eventsSince(stateDir: string, sinceMs: number): readonly ProcessEvent[] {
  const file = openIfThere(join(stateDir, NAME))
  if (!file) return []
  try {
    const events: ProcessEvent[] = []
    const content = { instance: '', bytes: file, index: new TimeIndex(undefined), modifiedMs: 0 }
    for (const { line } of linesBackward(content, file.size())) {
      const [event] = parseEvent(line.toString())
      if (event && Date.parse(event.time) < sinceMs) break
      if (event) events.push(event)
    }
    return events.toReversed()
  } finally {
    file.close()
  }
}

/** What happened since it was read last. Begins with the first event; the caller closes it. */
interface EventReader {
  readonly read: () => readonly ProcessEvent[]
  readonly close: () => void
}

export function createEventReader(stateDir: string): EventReader {
  let file: OpenFile | undefined
  let position: Position = { lineStart: 0, scanned: 0 }
  const readFile = (current: OpenFile): readonly ProcessEvent[] => {
    const content = { instance: '', bytes: current, index: new TimeIndex(undefined), modifiedMs: 0 }
    const lines = linesForward(content, position, { to: current.size(), rest: false })
    return [...lines].flatMap(({ line }) => parseEvent(line.toString()))
  }
  return {
    read: () => {
      const named = openIfThere(join(stateDir, NAME))
      const last = file
      if (named?.inode === last?.inode || !named) {
        named?.close()
        return last ? readFile(last) : []
      }
      // Another file has the name: the rest of the one before comes first.
      const rest = last ? readFile(last) : []
      last?.close()
      file = named
      position = { lineStart: 0, scanned: 0 }
      return [...rest, ...readFile(named)]
    },
    close: () => file?.close(),
  }
}

/** What a reader has not given yet, and then what happens, in batches, until the signal is aborted. */
export async function* followEvents(
  stateDir: string,
  reader: EventReader,
  signal: AbortSignal,
): AsyncGenerator<readonly ProcessEvent[], void, void> {
  const watcher = watchFolder(stateDir, signal)
  try {
    do {
      const events = reader.read()
      if (events.length > 0) yield events
    } while (await watcher.changes())
  } finally {
    watcher.close()
  }
}

function parseEvent(line: string): readonly ProcessEvent[] {
  try {
    const event: unknown = JSON.parse(line)
    return typeof event === 'object' && event !== null && 'type' in event && 'time' in event
      ? [upgradeEvent(event) as ProcessEvent]
      : []
  } catch {
    // A supervisor that was killed while it wrote.
    return []
  }
}
