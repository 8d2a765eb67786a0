import { followLogs } from './follow.ts'
import { linesIn, type LogLine } from './lines.ts'
import { readLines, readSet } from './read-log.ts'

interface TailRequest {
  /** Of this life only; the last one has -1. All without it. */
  readonly run?: number | undefined
  readonly n: number
}

/** The last lines of an instance. Reads no more than it gives. */
export function tail(stateDir: string, instance: string, { run, n }: TailRequest): readonly LogLine[] {
  return [...readLines({ stateDir, instances: [instance], run, last: n })]
}

/**
 * Gives each line that a life of an instance has printed and goes on to print, until the signal is aborted.
 *
 * Lines come when their newline is there. It may be called before the life begins.
 */
export async function followRun(
  stateDir: string,
  instance: string,
  run: number,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const follower = followLogs({ stateDir, wants: (name) => name === instance, signal })
  try {
    for (const line of readSet(stateDir, follower.set, { run }, follower.ends)) {
      if (signal.aborted) return
      onLine(line)
    }
    for await (const chunks of follower) {
      for (const line of chunks.flatMap((chunk) => [...linesIn(chunk)]))
        if (line.run === run && !signal.aborted) onLine(line)
    }
  } finally {
    follower.close()
  }
}
