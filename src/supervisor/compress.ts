import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Supervisor } from './supervisor.ts'

/** Compresses log files that are complete, one at a time, where their process wants it. */
export function compressRotated(supervisor: Supervisor): (log: string, sequence: number) => void {
  let last: Promise<void> = Promise.resolve()
  return (log, sequence) => {
    const declared = supervisor.processes.get(log.replace(/\.\d+$/, ''))
    if (!declared?.state.spec.log.compress) return
    const path = join(supervisor.options.stateDir, 'logs', `${log}.${sequence}.log`)
    // A full disk, or a file that was removed meanwhile: it stays as it is.
    last = last.then(() => compress(path)).catch(() => rmSync(`${path}.gz.new`, { force: true }))
  }
}

async function compress(path: string): Promise<void> {
  if (!existsSync(path)) return
  const { createGzip } = process.getBuiltinModule('node:zlib')
  const { pipeline } = process.getBuiltinModule('node:stream/promises')
  await pipeline(createReadStream(path), createGzip({ level: 6 }), createWriteStream(`${path}.gz.new`, { mode: 0o600 }))
  // Whoever reads finds one of the two, or both with the same bytes.
  renameSync(`${path}.gz.new`, `${path}.gz`)
  unlinkSync(path)
}
