import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'

/** A state directory with an empty folder for logs, which goes with the test. */
export function createStateDir(t: TestContext): string {
  const stateDir = mkdtempSync(join(tmpdir(), 'prodserver-state-'))
  mkdirSync(join(stateDir, 'logs'))
  t.after(() => rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 }))
  return stateDir
}

/** Writes an instance's log as the shim does. */
interface LogWriter {
  /** Bytes that arrived at a time, in milliseconds since the epoch. */
  readonly write: (timeMs: number, run: number, bytes: string | Uint8Array) => void
  /** Gives the file a number, and begins another; tells the number. */
  readonly rotate: () => number
  /** On to a full file, as the old life does while a reload goes on. */
  readonly writeRotated: (sequence: number, timeMs: number, run: number, bytes: string | Uint8Array) => void
  readonly compress: (sequence: number) => void
  readonly path: (suffix: string) => string
}

export function createLog(stateDir: string, instance: string): LogWriter {
  const path = (suffix: string): string => join(stateDir, 'logs', `${instance}${suffix}`)
  const begin = (): void => {
    for (const suffix of ['.log', '.idx']) appendFileSync(path(suffix), '')
  }
  const append = (base: string, timeMs: number, run: number, bytes: string | Uint8Array): void => {
    const mark = Buffer.alloc(16)
    mark.writeBigUInt64LE(BigInt(Math.round(timeMs * 1000)))
    mark.writeUInt32LE(statSync(path(`${base}.log`)).size, 8)
    mark.writeUInt32LE(run, 12)
    appendFileSync(path(`${base}.idx`), mark)
    appendFileSync(path(`${base}.log`), bytes)
  }
  let sequence = 0
  begin()
  return {
    path,
    write: (timeMs, run, bytes) => append('', timeMs, run, bytes),
    rotate: () => {
      sequence++
      for (const suffix of ['.idx', '.log']) renameSync(path(suffix), path(`.${sequence}${suffix}`))
      begin()
      return sequence
    },
    writeRotated: (number, timeMs, run, bytes) => append(`.${number}`, timeMs, run, bytes),
    compress: (number) => {
      const name = path(`.${number}.log`)
      writeFileSync(`${name}.gz.new`, gzipSync(readFileSync(name)))
      renameSync(`${name}.gz.new`, `${name}.gz`)
      rmSync(name)
    },
  }
}
