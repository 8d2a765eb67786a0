/** protocol.md and its vectors hold for the TypeScript side. test/python/shim/test_protocol.py checks the other side. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createStateDir } from '../../../test/support/logs.ts'
import { inMemory } from '../../logs/bytes.ts'
import { listLogFiles } from '../../logs/log-files.ts'
import { TimeIndex } from '../../logs/time-index.ts'
import { pipeOf } from '../process/names.ts'
import { ALREADY_RUNNING, type Commands, PROTOCOL, type Replies, SHIM_LOG, SHIM_SOCKET } from './messages.ts'
import { decodeStatus } from './wait-status.ts'
import { createUnpacker, type Fields, pack, WireError } from './wire.ts'

interface Sample {
  readonly message: Fields & { readonly type: string }
  readonly encoded: string
}

interface Vectors {
  readonly protocol: number
  readonly names: Readonly<Record<'lock' | 'socket' | 'log' | 'state' | 'logs' | 'pipes', string>>
  readonly exitCodes: { readonly alreadyRunning: number }
  readonly commands: readonly Sample[]
  readonly replies: readonly Sample[]
  readonly frames: readonly { readonly message: Fields; readonly hex: string; readonly decodes?: Fields }[]
  readonly malformed: readonly string[]
  readonly indexRecords: readonly { timeUs: number; offset: number; invocation: number; hex: string }[]
  readonly pipes: readonly { instance: string; invocation: number; name: string }[]
  readonly logFiles: readonly { name: string; instance: string; sequence: number | null; isCompressed: boolean }[]
  readonly waitStatuses: readonly { status: number; code: number | null; signal: string | null }[]
}

const folder = import.meta.dirname
const vectors = JSON.parse(readFileSync(join(folder, 'protocol.vectors.json'), 'utf8')) as Vectors
const document = readFileSync(join(folder, 'protocol.md'), 'utf8')

/** One key for each type: the compiler reports a type that is missing here. */
const COMMANDS: Readonly<Record<keyof Commands, true>> = {
  hello: true,
  quit: true,
  spawn: true,
  adopt: true,
  signal: true,
  forget: true,
  log: true,
  bind: true,
  close: true,
  announce: true,
}
const REPLIES: Readonly<Record<keyof Replies, true>> = {
  busy: true,
  welcome: true,
  spawned: true,
  failed: true,
  exited: true,
  notified: true,
  bound: true,
  'not-bound': true,
  'log-full': true,
  'log-error': true,
  'log-lost': true,
  rotated: true,
}

function unpack(bytes: Buffer): readonly Fields[] {
  const found: Fields[] = []
  createUnpacker((fields) => void found.push(fields))(bytes)
  return found
}

function frame(body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(body.length)
  return Buffer.concat([length, body])
}

const typesOf = (samples: readonly Sample[]): readonly string[] => samples.map(({ message }) => message.type)

test('the vectors have each command and each reply once', () => {
  assert.deepEqual(typesOf(vectors.commands), Object.keys(COMMANDS))
  assert.deepEqual(typesOf(vectors.replies), Object.keys(REPLIES))
})

test('the document describes each command and each reply with its fields', () => {
  for (const { message } of [...vectors.commands, ...vectors.replies]) {
    const { type } = message
    const row = document.split('\n').find((line) => /^\| `([^`]+)`/.exec(line)?.[1] === type)
    assert.ok(row, `protocol.md has a row for ${type}`)
    for (const field of Object.keys(message)) assert.ok(field === 'type' || row.includes(`\`${field}\``), row)
  }
})

test('packs and unpacks each message as the vectors have it', () => {
  for (const { message, encoded } of [...vectors.commands, ...vectors.replies]) {
    assert.equal(pack(message).toString('utf8', 4), encoded)
    assert.deepEqual(unpack(frame(Buffer.from(encoded))), [message])
  }
})

test('frames messages as the vectors have it', () => {
  for (const { message, hex, decodes = message } of vectors.frames) {
    assert.equal(pack(message).toString('hex'), hex)
    assert.deepEqual(unpack(Buffer.from(hex, 'hex')), [decodes])
  }
})

test('refuses malformed messages', () => {
  for (const encoded of vectors.malformed) assert.throws(() => unpack(frame(Buffer.from(encoded))), WireError, encoded)
})

test('agrees with the vectors on names and numbers', () => {
  assert.equal(PROTOCOL, vectors.protocol)
  assert.equal(ALREADY_RUNNING, vectors.exitCodes.alreadyRunning)
  assert.deepEqual([SHIM_SOCKET, SHIM_LOG], [vectors.names.socket, vectors.names.log])
})

test('reads index records', () => {
  const index = new TimeIndex(inMemory(Buffer.from(vectors.indexRecords.map(({ hex }) => hex).join(''), 'hex')))
  assert.deepEqual(
    vectors.indexRecords.map((_, at) => index.at(at)),
    vectors.indexRecords.map(({ timeUs, offset, invocation }) => ({ timeMs: timeUs / 1000, offset, run: invocation })),
  )
})

test('names pipes and recognises log files', (t) => {
  for (const { instance, invocation, name } of vectors.pipes)
    assert.equal(pipeOf('/state', instance, invocation), join('/state', vectors.names.pipes, name))
  const stateDir = createStateDir(t)
  for (const { name } of vectors.logFiles) writeFileSync(join(stateDir, vectors.names.logs, name), '')
  const numberOf = (file: { readonly sequence: number | null }): number => file.sequence ?? 0
  assert.deepEqual(
    listLogFiles(stateDir)
      .map(({ instance, sequence = null, isCompressed }) => ({ instance, sequence, isCompressed }))
      .toSorted((a, b) => numberOf(a) - numberOf(b)),
    vectors.logFiles.map(({ instance, sequence, isCompressed }) => ({ instance, sequence, isCompressed })),
  )
})

test('reads wait statuses', () => {
  for (const { status, ...exit } of vectors.waitStatuses) assert.deepEqual(decodeStatus(status), exit)
  assert.deepEqual(decodeStatus(undefined), { code: null, signal: null })
})
