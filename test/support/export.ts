import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Json } from '../../src/core/types.ts'
import { quoteWord } from '../../src/core/shell-words.ts'
import { ROOT } from './environment.ts'
import { declare } from './recorder.ts'
import { prodserver, waitUntil } from './running.ts'

/** A program that writes down how it was started. */
export const RECORDER: string = join(ROOT, 'test', 'fixtures', 'record.py')

export interface Started {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly uid: number
  readonly gid: number
  readonly umask: number
  readonly nice: number
  readonly sockets: readonly number[]
}

/** A folder that every user may write to, in which recorders leave what they have seen. */
export function createRecords(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-records-'))
  chmodSync(folder, 0o777)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A command line that records itself under this name, with these further words. */
export const recording = (records: string, name: string, words: readonly string[] = []): string =>
  ['/usr/bin/python3', '-I', '-S', RECORDER, records, name, ...words].map(quoteWord).join(' ')

/** What the recorder of that name has seen; waits until it has. Undecodable bytes fail the test. */
export async function readRecord(records: string, name: string, describe?: () => string): Promise<Started> {
  const path = join(records, name)
  await waitUntil(
    () => existsSync(path) || undefined,
    20_000,
    () => `${name} was not started.\n${describe?.() ?? ''}`,
  )
  const record = JSON.parse(readFileSync(path, 'utf8')) as Omit<Started, 'env'> & { readonly env: readonly string[] }
  const variables = record.env
    .map(text)
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)])
  return { ...record, argv: record.argv.map(text), cwd: text(record.cwd), env: Object.fromEntries(variables) }
}

const text = (hex: string): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(hex, 'hex'))

/** A project that other users can read as well, as one that is deployed. */
export function deploy(
  t: TestContext,
  processes: Readonly<Record<string, Json>>,
  settings = '',
  files: Readonly<Record<string, string>> = {},
): string {
  const root = declare(t, processes, { settings, files })
  chmodSync(root, 0o755)
  return root
}

/** Exports to a folder of the project, which must go well. @returns what was said beside it. */
export async function exportTo(t: TestContext, cwd: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await prodserver(t, ['export', ...args], { cwd })
  assert.equal(code, 0, stdout + stderr)
  return stdout + stderr
}
