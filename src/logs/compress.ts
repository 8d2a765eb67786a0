import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { logsDirectory, processOf } from './log-files.ts'

/** Returns a function that compresses full log files, one at a time, if `wants` says so for their process. */
export function compressRotated(
  stateDir: string,
  wants: (process: string) => boolean,
): (instance: string, sequence: number) => void {
  let last: Promise<void> = Promise.resolve()
  return (instance, sequence) => {
    if (!wants(processOf(instance))) return
    const path = join(logsDirectory(stateDir), `${instance}.${sequence}.log`)
    // The file stays as it is if the disk is full or the file was removed.
    last = last.then(() => compress(path)).catch(() => rmSync(`${path}.gz.new`, { force: true }))
  }
}

async function compress(path: string): Promise<void> {
  if (!existsSync(path)) return
  const { createGzip } = process.getBuiltinModule('node:zlib')
  const { pipeline } = process.getBuiltinModule('node:stream/promises')
  await pipeline(createReadStream(path), createGzip({ level: 6 }), createWriteStream(`${path}.gz.new`, { mode: 0o600 }))
  // Readers find one of the two files, or both with the same content.
  renameSync(`${path}.gz.new`, `${path}.gz`)
  unlinkSync(path)
}
