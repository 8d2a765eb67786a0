import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createUnpacker, type Fields, pack, type Value, WireError } from './wire.ts'

/** Unpacks bytes that arrive in pieces. */
function unpack(pieces: readonly Buffer[]): readonly Fields[] {
  const messages: Fields[] = []
  const take = createUnpacker((fields) => void messages.push(fields))
  for (const piece of pieces) take(piece)
  return messages
}

/** Cuts bytes at any positions; several cuts at one position make empty pieces. */
function cut(bytes: Buffer, positions: readonly number[]): readonly Buffer[] {
  const ends = [...positions.map((position) => position % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[\0\n=:ide]*$/))
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.maxSafeInteger(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))
const message = fc.dictionary(text, value, { maxKeys: 6, noNullPrototype: true })

test('unpacks every message that was packed, in whatever pieces it arrives', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 20 }), (messages, positions) => {
      const bytes = Buffer.concat(messages.map(pack))
      assert.deepEqual(unpack(cut(bytes, positions)), messages)
    }),
  )
})

test('packs bytes that are no text as they are', () => {
  assert.equal(pack({ text: new Uint8Array([0xff, 0x00]) }).toString('latin1', 4), 'd4:text2:\xff\0e')
})

test('leaves out fields that are null or undefined', () => {
  assert.equal(pack({ user: null, group: undefined, umask: '' }).toString('latin1', 4), 'd5:umask0:e')
})

test('refuses numbers that are no integers', () => {
  for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])
    assert.throws(() => pack({ number }), TypeError)
})

test('calls back only when a message is whole', () => {
  const bytes = pack({ type: 'exited', token: 'web.1#1', status: 0 })
  assert.deepEqual(unpack([bytes.subarray(0, 3)]), [])
  assert.deepEqual(unpack([bytes.subarray(0, -1)]), [])
})

test('refuses a message that is too long before its bytes arrive', () => {
  assert.throws(() => unpack([Buffer.from('ffffffff', 'hex')]), WireError)
})
