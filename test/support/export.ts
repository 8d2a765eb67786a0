import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Json } from '../../src/core/types.ts'
import { quoteWord } from '../../src/core/shell-words.ts'
import { PYTHON, ROOT } from './environment.ts'
import { declare } from './recorder.ts'
import { type Finished, prodserver, run, waitUntil } from './running.ts'

/** Name of the program, in each folder of records, that writes down how it was started. */
const RECORDER = 'record.py'

interface Started {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly uid: number
  readonly gid: number
  readonly umask: number
  readonly nice: number
  readonly sockets: readonly number[]
}

/** Makes a folder that every user can write to. It has a copy of the recorder: other users cannot read a clone in a home. */
export function createRecords(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'prodserver-records-'))
  chmodSync(folder, 0o777)
  copyFileSync(join(ROOT, 'test', 'fixtures', RECORDER), join(folder, RECORDER))
  chmodSync(join(folder, RECORDER), 0o644)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A command line that records itself under this name, with these further words. */
export const recording = (records: string, name: string, words: readonly string[] = []): string =>
  ['/usr/bin/python3', '-I', '-S', join(records, RECORDER), records, name, ...words].map(quoteWord).join(' ')

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
  return outputOf(await prodserver(t, ['export', ...args], { cwd }))
}

/** Exports as `exportTo` does, by a copy of prodserver outside of home folders, whose paths the files then have. */
export async function exportFromSystem(t: TestContext, cwd: string, ...args: readonly string[]): Promise<string> {
  const folder = mkdtempSync('/srv/prodserver-program-')
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const [node, environment] = [join(folder, 'node'), join(folder, 'venv')]
  copyFileSync(process.execPath, node)
  for (const part of ['dist', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(dirname(dirname(PYTHON)), environment)
  const program = [join(folder, 'dist', 'bin.js'), 'export', `--python=${join(environment, 'bin', 'python')}`]
  return outputOf(await run(t, node, [...program, ...args], { cwd }))
}

function outputOf({ code, stdout, stderr }: Finished): string {
  assert.equal(code, 0, stdout + stderr)
  return stdout + stderr
}
