import type { LogChunk } from '../../../logs/lines.ts'
import { createBufferedWriter } from '../../../logs/buffered-writer.ts'
import type { CommandContext } from '../../command.ts'
import { createLogStream } from '../../output/log-stream.ts'
import { nameWidthOf } from '../../output/render-log.ts'

/** Prints lines as they arrive, after the time and the name of their instance. */
export function createLogPrinter(
  { io, options, paint }: CommandContext<{ readonly json: boolean }>,
  write: (bytes: Buffer) => boolean,
  processes: readonly (readonly [process: string, instances: number])[],
): (chunks: readonly LogChunk[]) => void {
  const writer = createBufferedWriter(write)
  const { chunk: print } = createLogStream({
    write: writer.write,
    json: options.json,
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
    writer.flush()
  }
}
