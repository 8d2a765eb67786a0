import type { LogChunk } from '../../../logs/lines.ts'
import { createSink } from '../../../logs/sink.ts'
import type { CommandContext } from '../index.ts'
import { nameWidthOf } from '../../output/render-log.ts'
import { createLogStream } from '../../output/log-stream.ts'

/** Prints lines as they arrive, those that arrived together at once, each after the time and the name of its instance. */
export function createLogPrinter(
  { io, options, paint }: CommandContext,
  write: (bytes: Buffer) => boolean,
  processes: readonly (readonly [process: string, instances: number])[],
): (chunks: readonly LogChunk[]) => void {
  const sink = createSink(write)
  const { chunk: print } = createLogStream({
    write: sink.write,
    json: options.values['json'] !== undefined,
    raw: false,
    isAlone: false,
    look: {
      prefix: 'short',
      paint,
      utc: false,
      nameWidth: nameWidthOf(processes.map(([process, instances]) => `${process}.${instances}`)),
      isTerminal: io.stdout.isTerminal,
      isColoured: paint('bold', '') !== '',
    },
    nowMs: Date.now(),
  })
  return (chunks) => {
    for (const chunk of chunks) print(chunk)
    sink.flush()
  }
}
